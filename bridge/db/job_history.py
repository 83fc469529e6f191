"""The past of the job table: the record of a post, the backlogs, and the purge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.metrics import Backlog
from bridge.models.chat import PostId
from bridge.models.jobs import JobKind, JobState

_PURGE = """
with old as (
    select id from jobs
    where state in ('done', 'dead', 'refused') and finished < now() - $1::interval
    limit 10000
), last as (
    select distinct on (a.job_id, f.user_id) a.job_id, f.rating
    from old join answer_posts a on a.job_id = old.id join feedback f on f.post_id = a.post_id
    order by a.job_id, f.user_id, f.reacted_at desc, f.rating
), kept as (
    update usage set up = rated.up, down = rated.down
    from (select job_id, count(*) filter (where rating = 1) as up,
                 count(*) filter (where rating = -1) as down
          from last group by job_id) rated
    where usage.job_id = rated.job_id
)
delete from jobs where id = any(array(select id from old)) returning id
"""
"""They are found by their ids: a join reads the whole table unless it is very large."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job or a refusal as it is stored."""

    kind: JobKind
    state: JobState
    reason: str | None
    attempts: int
    run_at: datetime
    lease: datetime | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class JobHistory:
    """Reads of the job table that no job depends on."""

    pool: Pool

    @database_errors
    async def record(self, post_id: PostId) -> JobRecord | None:
        """Return the job of a post, or the one that has made it."""
        row = await self.pool.fetchrow(
            """select kind, state, reason, attempts, run_at, lease, created, started, finished, result
               from jobs
               where dedupe = 'post:' || $1
                  or id = (select job_id from answer_posts where post_id = $1)
                  or id = (select job_id from own_posts where post_id = $1)""",
            post_id,
        )
        return JobRecord(**dict(row.items())) if row else None

    @database_errors
    async def records_of_event(self, event: str) -> Sequence[JobRecord]:
        """Return the notices of the events with this id; of several sources there may be several."""
        rows = await self.pool.fetch(
            """select kind, state, reason, attempts, run_at, lease, created, started, finished, result
               from jobs where kind = 'notice' and payload ->> 'id' = $1 order by id limit 10""",
            event,
        )
        return [JobRecord(**dict(row.items())) for row in rows]

    @database_errors
    async def backlogs(self) -> Sequence[Backlog]:
        """Return the number and age of waiting and running jobs, by kind."""
        rows = await self.pool.fetch(
            """select kind, state, count(*)::int as jobs,
                      extract(epoch from now() - min(created))::float8 as oldest
               from jobs where state in ('waiting', 'running') group by kind, state"""
        )
        return [Backlog(**dict(row.items())) for row in rows]

    @database_errors
    async def purge(self, older_than: timedelta) -> int:
        """Forget refusals and finished jobs of long ago; returns how many.

        How people have rated their answers stays with what these took.

        The last answered mention of a thread goes with them: after that a follow-up there needs a
        mention again.
        """
        rows = await self.pool.fetch(_PURGE, older_than)
        return len(rows)
