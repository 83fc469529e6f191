"""The job table: at least once in, one at a time and in order within a lane.

The claim only takes a lane's first unfinished job, and a partial unique index makes two running
jobs of one lane impossible whatever the race. A job that waits for its next attempt stays the first
of its lane, so a retry is never overtaken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from asyncpg import DeadlockDetectedError, Pool, Record, UniqueViolationError

from bridge.db.pool import translated
from bridge.errors import DatabaseUnavailable
from bridge.models import Entry, Job, JobId, OrganizationId, Position

CHANNEL = "jobs"
"""PostgreSQL's notification channel: something may be claimed."""

_JOB = "id, kind, lane, organization_id, payload, attempts, created, key, answer, failure"

_PUT = """
with entry as (
    select * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[])
        with ordinality as e(kind, lane, organization_id, dedupe, payload, refused, n)
), served as (
    select coalesce((select max(turn) from jobs where state = 'running'), 0) as turn
), put as (
    insert into jobs (kind, lane, organization_id, dedupe, payload, state, reason, finished, turn)
    select e.kind, e.lane, e.organization_id, e.dedupe, e.payload,
           case when e.refused is null then 'waiting' else 'refused' end,
           e.refused,
           case when e.refused is null then null else now() end,
           greatest(s.turn, coalesce(last.turn, 0))
               + row_number() over (partition by e.organization_id order by e.n)
    from entry e
    cross join served s
    left join lateral (
        select max(j.turn) as turn from jobs j
        where j.organization_id = e.organization_id and j.state = 'waiting'
    ) last on true
    order by e.n
    on conflict (dedupe) do nothing
    returning dedupe, state
), moved as (
    insert into positions (channel_id, post_id, create_at, begin_at)
    select * from unnest($7::text[], $8::text[], $9::bigint[], $10::bigint[])
    on conflict (channel_id) do update
    set post_id = excluded.post_id, create_at = excluded.create_at, modified = now()
    where positions.create_at < excluded.create_at
), woken as (
    select pg_notify($11, '') from put where state = 'waiting' limit 1
)
select dedupe, (select count(*) from woken) from put
"""

_CLAIM = f"""
with candidate as materialized (
    select j.id from jobs j
    where j.state = 'waiting' and j.run_at <= now()
      and (j.organization_id is null or j.organization_id <> all($4::uuid[]))
      and j.id = (select o.id from jobs o
                  where o.lane = j.lane and o.state in ('waiting', 'running') order by o.id limit 1)
    order by j.turn, j.id
    limit $1
    for update skip locked
)
update jobs set state = 'running', holder = $2, lease = now() + $3, attempts = attempts + 1,
                started = coalesce(started, now())
from candidate where jobs.id = candidate.id
returning {", ".join("jobs." + column.strip() for column in _JOB.split(","))}
"""  # noqa: S608  # built of constants

_MINE = "where id = $1 and holder = $2 and state = 'running'"


def _from_row(row: Record) -> Job:
    return Job(**dict(row.items()))


@dataclass(frozen=True, slots=True)
class Inbox:
    """The job table as one process sees it: what it claims it holds under its own name.

    Every write to a claimed job says whether this process still held it; False means that the lease
    ran out and somebody else has the job, so its work must stop.
    """

    pool: Pool
    lease: timedelta = timedelta(seconds=15)
    holder: UUID = field(default_factory=uuid4)

    @translated
    async def put_all(self, entries: Sequence[Entry], positions: Sequence[Position] = ()) -> frozenset[str]:
        """Store what is not stored yet and move the positions past it, in one transaction.

        Returns the `dedupe` keys of what is new.
        """
        try:
            rows = await self.pool.fetch(_PUT, *_columns(entries), *_places(positions), CHANNEL)
        except DeadlockDetectedError as error:
            raise DatabaseUnavailable("two bridges stored the same posts at once", retry_after=0) from error
        return frozenset(row["dedupe"] for row in rows)

    @translated
    async def claim(self, limit: int, full: Collection[OrganizationId] = ()) -> list[Job]:
        """Take up to `limit` jobs, none of the organizations that are `full`."""
        while True:
            try:
                rows = await self.pool.fetch(_CLAIM, limit, self.holder, self.lease, list(full))
            except UniqueViolationError:
                continue  # another process took a job of the same lane in between
            return sorted(map(_from_row, rows), key=lambda job: job.id)

    @translated
    async def renew(self, jobs: Collection[JobId]) -> frozenset[JobId]:
        """Extend the leases; returns those that are still ours."""
        rows = await self.pool.fetch(
            """update jobs set lease = now() + $3
               where id = any($1) and holder = $2 and state = 'running' returning id""",
            list(jobs),
            self.holder,
            self.lease,
        )
        return frozenset(JobId(row["id"]) for row in rows)

    @translated
    async def save_answer(self, job: JobId, answer: str, failure: str | None = None) -> bool:
        """Store what is going to be posted, before any of it is."""
        return await self._mine("set answer = $3, failure = $4", job, answer, failure)

    @translated
    async def finish(self, job: JobId, result: Mapping[str, Any] | None = None) -> bool:
        """Close the job: done, or dead when what was posted is an apology."""
        return await self._mine(
            """set state = case when failure is null then 'done' else 'dead' end, reason = failure,
               result = $3, finished = now()""",
            job,
            dict(result or {}),
        )

    @translated
    async def retry(self, job: JobId, delay: float, reason: str) -> bool:
        """Let it wait `delay` seconds for its next attempt, still the first of its lane."""
        return await self._mine(
            "set state = 'waiting', holder = null, lease = null, run_at = now() + $3, reason = $4",
            job,
            timedelta(seconds=delay),
            reason,
        )

    @translated
    async def bury(self, job: JobId, reason: str) -> bool:
        """Give it up for good; it is kept with its error and does not block its lane."""
        return await self._mine("set state = 'dead', reason = $3, finished = now()", job, reason)

    @translated
    async def release(self) -> int:
        """Give back all that this process holds, to be claimed at once by others; returns how many."""
        rows = await self.pool.fetch(
            """with given_back as (
                   update jobs set state = 'waiting', holder = null, lease = null, run_at = now()
                   where holder = $1 and state = 'running' returning id
               )
               select id, pg_notify($2, '') from given_back""",
            self.holder,
            CHANNEL,
        )
        return len(rows)

    @translated
    async def reap(self) -> int:
        """Free the jobs whose holder is gone; returns how many."""
        rows = await self.pool.fetch(
            """update jobs set state = 'waiting', holder = null, lease = null, reason = 'its holder stopped'
               where state = 'running' and lease < now() returning id"""
        )
        return len(rows)

    async def _mine(self, change: str, job: JobId, *values: object) -> bool:
        status = await self.pool.execute(f"update jobs {change} {_MINE}", job, self.holder, *values)
        return status == "UPDATE 1"


def _columns(entries: Sequence[Entry]) -> tuple[list[Any], ...]:
    return (
        [entry.kind for entry in entries],
        [entry.lane for entry in entries],
        [entry.organization_id for entry in entries],
        [entry.dedupe for entry in entries],
        [dict(entry.payload) for entry in entries],
        [entry.refused for entry in entries],
    )


def _places(positions: Sequence[Position]) -> tuple[list[Any], ...]:
    places = sorted(positions, key=lambda position: position.channel_id)
    return (
        [place.channel_id for place in places],
        [place.post_id for place in places],
        [place.create_at for place in places],
        [place.begin_at for place in places],
    )
