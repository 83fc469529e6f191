"""The tables that provisioning keeps."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID, uuid4

from asyncpg import Pool

from bridge.db.accounts import Accounts
from bridge.db.attempts import Attempts
from bridge.db.inbox import Inbox
from bridge.db.memberships import Memberships
from bridge.db.sign_ins import SignIns
from bridge.db.teams import Teams
from bridge.db.tickets import Tickets


@dataclass(frozen=True, slots=True)
class Tables:
    accounts: Accounts
    attempts: Attempts
    teams: Teams
    memberships: Memberships
    tickets: Tickets
    sign_ins: SignIns
    inbox: Inbox

    @classmethod
    def of(cls, pool: Pool, holder: UUID | None = None) -> Self:
        """Return the tables; jobs are claimed under the name `holder`, or a new one."""
        return cls(
            accounts=Accounts(pool),
            attempts=Attempts(pool),
            teams=Teams(pool),
            memberships=Memberships(pool),
            tickets=Tickets(pool),
            sign_ins=SignIns(pool),
            inbox=Inbox(pool, holder=holder or uuid4()),
        )
