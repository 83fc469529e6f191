"""The audit: what was decided, stopped, changed and refused in each organization."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from asyncpg import Pool, Record

from bridge.db.pool import database_errors
from bridge.models.audit import EVERYTHING, Actor, AuditCursor, AuditEntry, AuditFilter, AuditRow, code, coded
from bridge.models.equa import OrganizationId
from bridge.reasons import AUDITED_REFUSALS

_LARGEST_PAGE = 500

_PAGE = """
select *, coalesce(
    (select mattermost_username from mattermost_user_mappings where mattermost_user_id = audit.user_id),
    (select mattermost_username from mattermost_user_mappings where id = audit.person_id)) as username
from audit
where organization_id = $1
  and at >= coalesce($2, '-infinity'::timestamptz) and at < coalesce($3, 'infinity'::timestamptz)
  and (at, id) < (coalesce($5, 'infinity'::timestamptz), coalesce($6, 0))
  and ($4::text[] is null or kind = any($4))
order by at desc, id desc
limit $7
"""


_INSERT = """
    insert into audit (organization_id, kind, outcome, person_id, user_id, role, via, subject, details)
"""
_QUESTION = "coalesce('post:' || (o.payload ->> 'post_id'), '')"
_PERSON = "(select id from mattermost_user_mappings where mattermost_user_id = {})"
_REFUSED = ", ".join(f"'{reason}'" for reason in AUDITED_REFUSALS)


def refused(of: str) -> str:
    """Return what adds a row for each refused question among the new jobs `of`, the name of a query."""
    return _refused(of, "o.reason", "o.dedupe")


def not_asked(of: str) -> str:
    """Return what adds a row for each question among the ended jobs `of` that was refused in its turn."""
    return _refused(of, "o.result ->> 'skipped'", _QUESTION)


def _refused(of: str, reason: str, subject: str) -> str:
    return f"""{_INSERT}
        select o.organization_id, 'question_refused', {reason},
               coalesce((o.payload ->> 'person_id')::uuid, {_PERSON.format("o.payload ->> 'user_id'")}),
               o.payload ->> 'user_id', case {reason} when 'left_organization' then 'none' else 'asker' end,
               'thread', {subject}, '{{}}'
        from {of} o
        where {reason} in ({_REFUSED}) and o.organization_id is not null"""  # noqa: S608  # built of constants


def stopped(of: str) -> str:
    """Return what adds a row for each stopped answer among the jobs `of`, the name of a query.

    Nobody says who has deleted a question; whoever stops what somebody else has asked is an administrator.
    """
    return f"""{_INSERT}
        select o.organization_id, 'answer_stopped', 'stopped', {_PERSON.format("s.by")}, s.by,
               case when s.by = o.payload ->> 'user_id' then 'asker' when s.by is not null then 'admin' end,
               case s.cause when 'reaction' then 'reaction' else 'thread' end,
               {_QUESTION}, jsonb_build_object('cause', s.cause)
        from {of} o
        cross join lateral (
            select nullif(o.result -> 'stopped' ->> 'by', '') as by,
                   coalesce(o.result -> 'stopped' ->> 'cause', 'deleted') as cause
        ) s
        where (o.result ? 'stopped' or o.result ->> 'skipped' = 'question_deleted')
          and o.organization_id is not null"""  # noqa: S608  # likewise


def agent_question_ended(of: str) -> str:
    """Return what adds a row for each of the ended questions of agents `of`, the name of a query.

    Where the bridge did not hand over the answer, the gateway does not name who gave it.
    """
    return f"""{_INSERT}
        select o.organization_id, 'agent_question_ended', o.state, {_PERSON.format("s.by")}, s.by,
               case when s.by is not null then 'asker' end,
               case when s.by is null then 'bridge' when o.chosen is null then 'thread' else 'button' end,
               'question:' || o.id, '{{}}'
        from {of} o
        cross join lateral (
            select case when o.state = 'answered' and o.answering is not null then o.asker end as by
        ) s"""  # noqa: S608  # likewise


class Connection(Protocol):
    """A connection of asyncpg, taken from a pool or not."""

    async def execute(self, query: str, *args: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Audit:
    """Rows are only ever added; a trigger refuses to change one, and to delete one of the last 13 months."""

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

    @database_errors
    async def page(
        self,
        organization: OrganizationId,
        wanted: AuditFilter = EVERYTHING,
        *,
        after: AuditCursor | None = None,
        limit: int = _LARGEST_PAGE,
    ) -> Sequence[AuditRow]:
        """Return rows of an organization, the newest first; after a cursor those that are older."""
        rows = await self.pool.fetch(
            _PAGE,
            organization,
            wanted.since,
            wanted.until,
            None if wanted.kinds is None else list(wanted.kinds),
            after.at if after else None,
            after.id if after else None,
            limit,
        )
        return [_from_row(row) for row in rows]

    async def pages(
        self, organization: OrganizationId, wanted: AuditFilter = EVERYTHING
    ) -> AsyncIterator[Sequence[AuditRow]]:
        """Yield all rows, page by page; rows that are added meanwhile are not among them."""
        after: AuditCursor | None = None
        while page := await self.page(organization, wanted, after=after):
            yield page
            after = AuditCursor(page[-1].at, page[-1].id)

    @database_errors
    async def purge(self) -> int:
        """Delete the rows that are older than 13 months, 10,000 at most; return how many."""
        status = await self.pool.execute(
            """delete from audit where id in (
                   select id from audit where at < now() - interval '13 months' limit 10000)"""
        )
        return int(status.removeprefix("DELETE "))


def _from_row(row: Record) -> AuditRow:
    entry = AuditEntry(
        organization_id=row["organization_id"],
        kind=row["kind"],
        outcome=row["outcome"],
        via=row["via"],
        actor=Actor(row["person_id"], row["user_id"], row["role"]),
        subject=row["subject"],
        details=row["details"],
    )
    return AuditRow(row["id"], row["at"], entry, row["username"])
