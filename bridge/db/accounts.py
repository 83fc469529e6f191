"""People's Mattermost accounts, and the one token that each has."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from asyncpg import Pool, Record, UniqueViolationError

from bridge.db.attempts import of_person
from bridge.db.pool import database_errors
from bridge.db.tickets import LIFETIME, UNHURRIED
from bridge.errors import AccountConflict
from bridge.models.accounts import Account, Owner, ReturningVisit, StoredToken
from bridge.models.chat import TeamId, TokenId, User, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.followed import Followed, Seen

OLD = timedelta(days=30)
"""After this long a token is replaced."""

_ACCOUNT = """
u.id as person_id, u.mattermost_user_id as user_id, u.mattermost_username as username, u.provisioned,
u.unconfirmed, u.email_digest, u.stray_tokens, u.visit_name, u.introduced, u.color_scheme,
u.auth_data, u.auth_ready,
u.shown_name, u.roster_name, u.shown_email, u.token_id, u.personal_access_token as sealed,
coalesce(u.token_created < now() - $2::interval, true) as old
"""


_RETURNING_VISIT = f"""
with visit as (
    select {_ACCOUNT}, o.mattermost_team_id as team_id
    from mattermost_user_mappings u
    join memberships m on m.person_id = u.id and m.organization_id = $3 and m.state = 'joined'
    join mattermost_org_mappings o on o.organization_id = m.organization_id
    where u.id = $1 and not u.stray_tokens
      and (not u.provisioned or $4::bytea is null or u.email_digest = $4)
      and (not u.provisioned or $5::text is null or u.visit_name = $5)
      and ($6::text is null or o.shown_name is null or o.shown_name = $6)
), stored as (
    insert into tickets (hash, organization_id, person_id, expires)
    select $7, $3, $1, now() + $8::interval from visit, {UNHURRIED} where $7::bytea is not null
)
select * from visit
"""  # noqa: S608  # constants

_RECORD = """
with done as (delete from attempts where key = $5)
insert into mattermost_user_mappings as u
    (id, mattermost_user_id, mattermost_username, provisioned, unconfirmed, email_digest)
values ($1, $2, $3, $4, $6, $7)
on conflict (id) do update
set mattermost_user_id = excluded.mattermost_user_id,
    mattermost_username = excluded.mattermost_username,
    provisioned = excluded.provisioned,
    unconfirmed = excluded.unconfirmed, email_digest = excluded.email_digest,
    auth_data = null, auth_ready = false,
    shown_name = null, visit_name = null, roster_name = null, shown_email = null,
    introduced = false, color_scheme = null,
    personal_access_token = null, token_id = null, token_created = null,
    token_digest = null, stray_tokens = false, modified = now()
"""


@dataclass(frozen=True, slots=True)
class Accounts:
    pool: Pool

    @database_errors
    async def find(self, person: PersonId) -> Account | None:
        row = await self.pool.fetchrow(
            f"select {_ACCOUNT} from mattermost_user_mappings u where u.id = $1",  # noqa: S608  # constants
            person,
            OLD,
        )
        return _account(row) if row else None

    @database_errors
    async def returning_visit(  # noqa: PLR0913 - what a visit is compared with, each by its name
        self,
        person: PersonId,
        organization: OrganizationId,
        email_digest: bytes | None,
        *,
        name: str | None = None,
        team_name: str | None = None,
        ticket: bytes | None = None,
    ) -> ReturningVisit | None:
        """Return what a returning visit needs, None where something is to be done first.

        That is also so where Equa gives another address, `name` or `team_name` than the last time.
        `ticket` is the digest of a ticket that is stored for the visit, as `Tickets.put` does.
        """
        row = await self.pool.fetchrow(
            _RETURNING_VISIT, person, OLD, organization, email_digest, name, team_name, ticket, LIFETIME
        )
        account = _account(row) if row else None
        if row is None or account is None or account.token is None or account.token.old:
            return None
        return ReturningVisit(account, account.token, TeamId(row["team_id"]))

    @database_errors
    async def record(
        self,
        person: PersonId,
        user: User,
        *,
        provisioned: bool,
        unconfirmed: bool = False,
        email_digest: bytes | None = None,
    ) -> None:
        """Say which account a person has; the token of another account is forgotten.

        Raises `AccountConflict` when it is another person's.
        """
        try:
            await self.pool.execute(
                _RECORD,
                person,
                user.id,
                user.username,
                provisioned,
                of_person(person),
                unconfirmed,
                email_digest,
            )
        except UniqueViolationError as error:
            raise AccountConflict(
                "The Mattermost account with your e-mail address belongs to somebody else in Equa."
            ) from error

    @database_errors
    async def renamed(self, person: PersonId, username: str) -> None:
        await self.pool.execute(
            "update mattermost_user_mappings set mattermost_username = $2, modified = now() where id = $1",
            person,
            username,
        )

    @database_errors
    async def named(
        self, person: PersonId, source: Literal["visit", "roster"], seen: str | None, shown: str | None
    ) -> None:
        """Record the names that a source gave, and those that the bridge has set."""
        await self.pool.execute(
            """update mattermost_user_mappings
               set visit_name = case when $2 = 'visit' then $3 else visit_name end,
                   roster_name = case when $2 = 'roster' then $3 else roster_name end,
                   shown_name = $4, modified = now()
               where id = $1""",
            person,
            source,
            seen,
            shown,
        )

    @database_errors
    async def shown(self, person: PersonId, shown: str | None) -> None:
        """Record which of the names that an account shows the bridge has set."""
        await self.pool.execute(
            "update mattermost_user_mappings set shown_name = $2, modified = now() where id = $1",
            person,
            shown,
        )

    @database_errors
    async def addressed(self, person: PersonId, digest: bytes) -> None:
        """Record that the account has the address that a roster gave."""
        await self.pool.execute(
            "update mattermost_user_mappings set shown_email = $2, modified = now() where id = $1",
            person,
            digest,
        )

    @database_errors
    async def introduced(self, person: PersonId) -> None:
        """Record that the tours are switched off."""
        await self.pool.execute("update mattermost_user_mappings set introduced = true where id = $1", person)

    @database_errors
    async def set_color_scheme(self, person: PersonId, scheme: str) -> None:
        """Record the color scheme of the page at the first visit."""
        await self.pool.execute(
            "update mattermost_user_mappings set color_scheme = $2 where id = $1", person, scheme
        )

    @database_errors
    async def followed(
        self, organization: OrganizationId, people: Collection[PersonId]
    ) -> Mapping[PersonId, Followed]:
        """Return what the accounts of an organization's people show of Equa."""
        rows = await self.pool.fetch(
            """
            select id, provisioned, unconfirmed, email_digest, visit_name, shown_name, roster_name,
                   shown_email, exists (
                       select from memberships m
                       where m.person_id = u.id and m.organization_id <> $1
                         and m.state in ('joining', 'joined')
                   ) as elsewhere
            from mattermost_user_mappings u where id = any($2::uuid[])
            """,
            organization,
            list(people),
        )
        return {PersonId(row["id"]): replace(_followed(row), elsewhere=row["elsewhere"]) for row in rows}

    @database_errors
    async def follow(self, seen: Sequence[Seen]) -> None:
        """Record what a roster says of many people at once, unless somebody has just changed it."""
        await self.pool.execute(
            """
            update mattermost_user_mappings u
            set roster_name = coalesce(t.roster_name, u.roster_name), shown_name = t.shown_name,
                shown_email = coalesce(t.shown_email, u.shown_email), modified = now()
            from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[])
                as t(id, was_shown, roster_name, shown_name, shown_email)
            where u.id = t.id and u.shown_name is not distinct from t.was_shown
            """,
            [each.person_id for each in seen],
            [each.was_shown for each in seen],
            [each.roster_name for each in seen],
            [each.shown_name for each in seen],
            [each.shown_email for each in seen],
        )

    @database_errors
    async def compared(self, person: PersonId, email_digest: bytes, *, confirmed: bool) -> None:
        """Note with which address a person has come; `confirmed` says that their account has it now."""
        await self.pool.execute(
            """update mattermost_user_mappings
               set email_digest = $2, unconfirmed = unconfirmed and not $3, modified = now()
               where id = $1""",
            person,
            email_digest,
            confirmed,
        )

    @database_errors
    async def expect_auth(self, person: PersonId, auth_data: int) -> int:
        """Return the number by which the person signs in: `auth_data` unless they have one already."""
        number: int = await self.pool.fetchval(
            """update mattermost_user_mappings set auth_data = coalesce(auth_data, $2), modified = now()
               where id = $1 returning auth_data""",
            person,
            auth_data,
        )
        return number

    @database_errors
    async def auth_is_ready(self, person: PersonId, auth_data: int) -> None:
        """Note that Mattermost has the number by which the person signs in."""
        await self.pool.execute(
            "update mattermost_user_mappings set auth_data = $2, auth_ready = true where id = $1",
            person,
            auth_data,
        )

    @database_errors
    async def without_auth(self, organization: OrganizationId) -> Sequence[PersonId]:
        """Return the people in an organization's team who cannot sign in by a number yet."""
        rows = await self.pool.fetch(
            """select id from mattermost_user_mappings u
               join memberships m on m.person_id = u.id
               where m.organization_id = $1 and m.state = 'joined' and not u.auth_ready order by id""",
            organization,
        )
        return [PersonId(row["id"]) for row in rows]

    @database_errors
    async def give_up_email(self, user: UserId) -> PersonId | None:
        """Note, before an account loses an address that may be somebody else's, that it needs another.

        Returns the account's person; None if they have proved their address.
        """
        found = await self.pool.fetchval(
            """update mattermost_user_mappings set email_digest = null, modified = now()
               where mattermost_user_id = $1 and unconfirmed returning id""",
            user,
        )
        return PersonId(found) if found else None

    @database_errors
    async def expect_token(self, person: PersonId) -> None:
        """Note, before a token is created, that there may be one that is not stored."""
        await self.pool.execute(
            "update mattermost_user_mappings set stray_tokens = true where id = $1", person
        )

    @database_errors
    async def keep_token(self, person: PersonId, token: TokenId, sealed: str, digest: bytes) -> None:
        """Store the person's token in place of an earlier one, which may be good still."""
        await self.pool.execute(
            """update mattermost_user_mappings
               set personal_access_token = $3, token_id = $2, token_digest = $4, token_created = now(),
                   modified = now()
               where id = $1""",
            person,
            token,
            sealed,
            digest,
        )

    @database_errors
    async def owner_of(self, digest: bytes) -> Owner | None:
        """Return whose stored token has this digest; None if nobody in a team has it."""
        row = await self.pool.fetchrow(
            """select id as person, mattermost_user_id as user_id from mattermost_user_mappings u
               where token_digest = $1
                 and exists (select from memberships m where m.person_id = u.id and m.state = 'joined')""",
            digest,
        )
        return Owner(PersonId(row["person"]), UserId(row["user_id"])) if row else None

    @database_errors
    async def drop_token(self, person: PersonId) -> None:
        await self.pool.execute(
            """update mattermost_user_mappings
               set personal_access_token = null, token_id = null, token_digest = null, token_created = null,
                   modified = now()
               where id = $1""",
            person,
        )

    @database_errors
    async def tidied(self, person: PersonId) -> None:
        """Note that no token of ours but the stored one exists."""
        await self.pool.execute(
            "update mattermost_user_mappings set stray_tokens = false where id = $1", person
        )


def _account(row: Record) -> Account:
    token = StoredToken(TokenId(row["token_id"]), row["sealed"], row["old"]) if row["sealed"] else None
    return Account(
        person_id=PersonId(row["person_id"]),
        user_id=UserId(row["user_id"]),
        username=row["username"],
        provisioned=row["provisioned"],
        unconfirmed=row["unconfirmed"],
        email_digest=row["email_digest"],
        token=token,
        stray_tokens=row["stray_tokens"],
        followed=_followed(row),
        visit_name=row["visit_name"],
        introduced=row["introduced"],
        color_scheme=row["color_scheme"],
        auth_data=row["auth_data"],
        auth_ready=row["auth_ready"],
    )


def _followed(row: Record) -> Followed:
    return Followed(
        provisioned=row["provisioned"],
        unconfirmed=row["unconfirmed"],
        visited=row["email_digest"] is not None or row["visit_name"] is not None,
        shown_name=row["shown_name"],
        roster_name=row["roster_name"],
        shown_email=row["shown_email"],
    )
