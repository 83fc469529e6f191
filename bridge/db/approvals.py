"""Tool calls that wait for a person's decision, and what became of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from asyncpg import Pool, Record

from bridge.db.approval_rows import record_of, shown
from bridge.db.asked import ASKED
from bridge.db.audit import Audit, Connection
from bridge.db.pool import database_errors
from bridge.models.approval_records import (
    STATE_OF,
    ApprovalRecord,
    ApprovalState,
    Decider,
    RecordId,
    Way,
    job_of,
)
from bridge.models.approvals import Approval, ApprovalId, Decision, Outcome
from bridge.models.audit import Actor, AuditEntry, AuditKind, Via
from bridge.models.chat import PostId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry

_LONGEST = timedelta(days=1)
"""For which an approval is offered at most, whatever the gateway says."""

_ADD = f"""
with {ASKED}, moment as (
    select least(to_timestamp($10::float8 / 1000), now() + $11::interval) as expires_at
)
insert into approvals (gateway_id, kind, organization_id, conversation, channel_id, thread, asker, run_id,
                       shown, expires_at, remind_at)
select $2, $3, $4, $5, $6, coalesce(nullif($7, ''), (select thread from asked), ''),
       (select author from asked), $8, $9, m.expires_at,
       case when $12 then now() else now() + (m.expires_at - now()) / 2 end
from moment m
where m.expires_at > now()
on conflict (gateway_id) do nothing
"""  # noqa: S608  # built of constants

_DUE = """
select id, organization_id, kind from (
    select id, organization_id, 'approval' as kind from approvals where state = 'pending'
    union all
    select id, organization_id, 'approval_reminder' from approvals
    where state = 'pending' and remind_at <= now()
    union all
    select id, organization_id, 'approval_decision' from approvals
    where ended > now() - interval '1 hour' and state in ('approved', 'denied') and sent is null
    union all
    select id, organization_id, 'approval_ended' from approvals
    where ended > now() - interval '1 hour' and (sent is not null or state not in ('approved', 'denied'))
) due
where not exists (select from jobs j where j.dedupe = due.kind || ':' || due.id)
"""
"""Jobs that are not stored although it is time for them: whoever was to store them has died."""

_DECIDE = """
update approvals set state = $2, ended = now(), decided_by = $3, decided_person = $4, decided_name = $5,
                     role = $6, via = $7
where id = $1 and state = 'pending' and expires_at > now()
returning *
"""

_SETTLE = """
update approvals set outcome = $2, sent = coalesce(sent, now()), state = case
    when $2 = 'allowed' and state = 'approved' or $2 = 'denied' and state = 'denied' then state
    when $2 in ('allowed', 'denied') then 'elsewhere'
    else $2 end
where id = $1 and state in ('approved', 'denied')
returning *
"""


@dataclass(frozen=True, slots=True)
class Approvals:
    """Every change that somebody has made is audited in its own transaction."""

    pool: Pool

    @property
    def audit(self) -> Audit:
        return Audit(self.pool)

    @database_errors
    async def add(self, approval: Approval) -> ApprovalRecord | None:
        """Store an approval unless it is known, and return it; None for one that is over already."""
        place = approval.conversation
        await self.pool.execute(
            _ADD,
            place.lane,
            approval.id,
            approval.kind,
            place.organization_id,
            place.key,
            place.channel_id,
            place.thread,
            approval.run_id,
            shown(approval),
            approval.expires_at,
            _LONGEST,
            place.person_id is not None,
        )
        return await self._one("gateway_id = $1", approval.id)

    @database_errors
    async def get(self, record: RecordId) -> ApprovalRecord | None:
        return await self._one("id = $1", record)

    @database_errors
    async def of_post(self, post: PostId) -> ApprovalRecord | None:
        """Return the approval that a post asks about."""
        return await self._one("post_id = $1", post)

    @database_errors
    async def posted(self, record: RecordId, post: PostId) -> None:
        """Note the post."""
        await self.pool.execute("update approvals set post_id = $2 where id = $1", record, post)

    @database_errors
    async def offered(self, record: RecordId, way: Way) -> None:
        """Note, before it is posted, by which way it can be decided."""
        await self.pool.execute("update approvals set way = $2 where id = $1", record, way)

    @database_errors
    async def decide(self, record: RecordId, decision: Decision, by: Decider) -> ApprovalRecord | None:
        """Store who has decided what; None if it has ended meanwhile."""
        values = (STATE_OF[decision], by.user_id, by.person_id, by.name, by.role, by.via)
        async with self.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_DECIDE, record, *values)
            if row is None:
                return None
            decided = record_of(row)
            await self.audit.add(_entry(decided, "approval_decided", decided.state, by), connection)
            return decided

    @database_errors
    async def refused(self, record: ApprovalRecord, decision: Decision, by: Decider) -> None:
        """Note that somebody wanted to decide who may not."""
        outcome = "outsider" if by.role == "none" else "not_allowed"
        entry = _entry(record, "approval_refused", outcome, by)
        wanted = {**entry.details, "decision": STATE_OF[decision]}
        await self.audit.add(replace(entry, details=wanted))

    @database_errors
    async def settle(self, record: RecordId, outcome: Outcome) -> ApprovalRecord | None:
        """Note what the gateway says to a decision: the first one that it heard of counts."""
        row = await self.pool.fetchrow(_SETTLE, record, outcome)
        return record_of(row) if row else None

    @database_errors
    async def resolved(self, approval: ApprovalId, outcome: Outcome) -> ApprovalRecord | None:
        """End an approval that was not decided here; None if there is none that waits."""
        async with self.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                """update approvals set state = $2, outcome = $3, ended = now()
                   where gateway_id = $1 and state = 'pending' returning *""",
                approval,
                _state_of(outcome),
                outcome,
            )
            return await self._ended(row, connection) if row else None

    @database_errors
    async def vanished(self, waiting: Collection[ApprovalId], age: timedelta) -> Sequence[ApprovalRecord]:
        """End those that the gateway does not list any more; it was asked that long ago."""
        return await self._end_all(
            """update approvals set state = 'withdrawn', outcome = 'withdrawn', ended = now()
               where state = 'pending' and gateway_id <> all($1) and created < now() - $2::interval
               returning *""",
            list(waiting),
            age,
        )

    @database_errors
    async def expire(self) -> Sequence[ApprovalRecord]:
        """End those whose time is over."""
        return await self._end_all(
            """update approvals set state = 'expired', outcome = 'expired', ended = now()
               where id = any(array(select id from approvals where state = 'pending' and expires_at <= now()
                                    order by id for update skip locked))
               returning *"""
        )

    @database_errors
    async def due(self) -> Sequence[Entry]:
        """Return the jobs that are to be stored."""
        rows = await self.pool.fetch(_DUE)
        return [job_of(row["kind"], RecordId(row["id"]), row["organization_id"]) for row in rows]

    @database_errors
    async def of_organization(
        self, organization: OrganizationId, *, pending: bool, most: int
    ) -> Sequence[ApprovalRecord]:
        """Return those that wait, or those that have ended, the newest first."""
        rows = await self.pool.fetch(
            """select * from approvals where organization_id = $1 and (state = 'pending') = $2
               order by created desc limit $3""",
            organization,
            pending,
            most,
        )
        return [record_of(row) for row in rows]

    @database_errors
    async def open_to_reactions(self, most: int) -> Sequence[ApprovalRecord]:
        """Return those that wait for a reaction below their post."""
        rows = await self.pool.fetch(
            """select * from approvals
               where state = 'pending' and way = 'reactions' and post_id is not null
               order by expires_at limit $1""",
            most,
        )
        return [record_of(row) for row in rows]

    @database_errors
    async def oldest_pending(self) -> tuple[int, float]:
        """Return how many wait, and for how many seconds the oldest does."""
        number, age = await self.pool.fetchrow(
            """select count(*)::int, coalesce(extract(epoch from now() - min(created)), 0)::float8
               from approvals where state = 'pending'"""
        ) or (0, 0.0)
        return number, age

    @database_errors
    async def purge(self, age: timedelta) -> None:
        """Delete approvals that ended longer ago."""
        await self.pool.execute("delete from approvals where ended < now() - $1::interval", age)

    async def _one(self, condition: str, value: object) -> ApprovalRecord | None:
        row = await self.pool.fetchrow(f"select * from approvals where {condition}", value)  # noqa: S608 - a constant
        return record_of(row) if row else None

    async def _end_all(self, statement: str, *values: object) -> Sequence[ApprovalRecord]:
        async with self.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(statement, *values)
            return [await self._ended(row, connection) for row in rows]

    async def _ended(self, row: Record, connection: Connection) -> ApprovalRecord:
        ended = record_of(row)
        await self.audit.add(_entry(ended, "approval_ended", ended.state, None), connection)
        return ended


def _state_of(outcome: Outcome) -> ApprovalState:
    """Return the state of an approval that was not decided here."""
    match outcome:
        case "expired" | "withdrawn":
            return outcome
    return "elsewhere"


def _entry(record: ApprovalRecord, kind: AuditKind, outcome: str, by: Decider | None) -> AuditEntry:
    via: Via = by.via if by else "bridge"
    actor = Actor(by.person_id, by.user_id, by.role) if by else Actor()
    approval = record.approval
    details = {"tool": approval.tool, "kind": approval.kind, "severity": approval.severity}
    subject = f"approval:{record.id}"
    return AuditEntry(record.organization_id, kind, outcome, via, actor, subject, details)
