"""The audit: what was decided, stopped, changed and refused in each organization."""

from dataclasses import dataclass
from typing import Protocol

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.audit import AuditEntry, code, coded


class Connection(Protocol):
    """A connection of asyncpg, taken from a pool or not."""

    async def execute(self, query: str, *args: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Audit:
    pool: Pool

    @database_errors
    async def add(self, entry: AuditEntry, connection: Connection | None = None) -> None:
        """Add a row; with a connection in its transaction, so that both happen or neither.

        Of a person whose account or whose id in Equa is not given, it is looked up.
        """
        actor, executor = entry.actor, connection or self.pool
        await executor.execute(
            """insert into audit
                   (organization_id, kind, outcome, person_id, user_id, role, via, subject, details)
               values (
                   $1, $2, $3,
                   coalesce($4, (select id from mattermost_user_mappings where mattermost_user_id = $5)),
                   coalesce($5, (select mattermost_user_id from mattermost_user_mappings where id = $4)),
                   $6, $7, $8, $9
               )""",
            entry.organization_id,
            entry.kind,
            code(entry.outcome),
            actor.person_id,
            actor.user_id,
            actor.role,
            entry.via,
            code(entry.subject),
            coded(entry.details),
        )
