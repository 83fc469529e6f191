"""What people want to be stopped, asked with other words, or asked once more."""

from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.answers import Stop, StopCause
from bridge.models.chat import PostId, UserId
from bridge.models.jobs import JobId

CHANNEL = "stops"
"""PostgreSQL's notification channel: something running is to be stopped."""

_REQUEST = """
with job as (
    select id, state, attempts, answer from jobs
    where {which} and kind in ('mention', 'direct', 'repeat') and state in ('waiting', 'running')
    order by id
    for update
), ended as (
    update jobs set state = 'done', finished = now(),
        result = jsonb_build_object(
            'skipped', 'stopped', 'stopped', jsonb_build_object('cause', $2::text, 'by', $3::text)
        )
    from job
    where jobs.id = job.id and job.state = 'waiting' and job.attempts = 0 and $2 <> 'edited'
    returning jobs.id
), stop as (
    insert into stops (job_id, cause, by_user)
    select id, $2, $3 from job
    where answer is null and id not in (select id from ended) and not (state = 'waiting' and attempts = 0)
    on conflict (job_id) do update set cause = excluded.cause, by_user = excluded.by_user
    where stops.cause = 'edited' and not stops.taken
    returning job_id
), told as (
    select pg_notify('stops', '') from stop limit 1
)
select (select count(*) from ended) + (select count(*) from stop) as jobs, (select count(*) from told)
"""
"""Stop the jobs of $1 that have no answer yet: one that has not begun ends at once, others are told."""

_OF_POST = _REQUEST.format(
    which="""(id = (select job_id from answer_posts where post_id = $1)
              or dedupe = 'post:' || $1 or payload ->> 'post_id' = $1)
             and payload ->> 'user_id' = $3"""
)
_OF_DELETED = _REQUEST.format(
    which="(lane = 'thread:' || $1 or dedupe = 'post:' || $1 or payload ->> 'post_id' = $1)"
)
_IN_THREAD = _REQUEST.format(which="lane = 'thread:' || $1 and payload ->> 'user_id' = $3")

_CORRECT = """
with job as (
    update jobs set payload = jsonb_set(payload, '{message}', to_jsonb($2::text))
    where dedupe = 'post:' || $1 and kind in ('mention', 'direct')
      and state in ('waiting', 'running') and answer is null
      and payload ->> 'message' <> $2
    returning id, state, attempts, payload ->> 'user_id' as author
), stop as (
    insert into stops (job_id, cause, by_user)
    select id, 'edited', author from job where state = 'running' or attempts > 0
    on conflict (job_id) do nothing
    returning job_id
), told as (
    select pg_notify('stops', '') from stop limit 1
)
select (select count(*) from job) as jobs, (select count(*) from told)
"""

_REPEAT = """
with answered as (
    select j.lane, j.organization_id, j.payload, j.author from answer_posts a join jobs j on j.id = a.job_id
    where a.post_id = $1 and a.state <> 'growing' and j.payload ->> 'user_id' = $2
      and j.kind in ('mention', 'repeat') and j.state in ('done', 'dead')
      and (select count(*) from jobs r where r.kind = 'repeat' and r.author = $2
           and r.created > now() - interval '1 minute') < $3
      and (select count(*) from jobs r where r.kind = 'repeat' and r.author = $2
           and r.created > now() - interval '1 hour') < $4
)
select * from answered
"""


@dataclass(frozen=True, slots=True)
class Stops:
    pool: Pool

    @database_errors
    async def of_post(self, post: PostId, cause: StopCause, by: UserId) -> int:
        """Stop the job whose question or answer the post is, if it is this person's; return how many."""
        return await self._jobs(_OF_POST, post, cause, by)

    @database_errors
    async def of_deleted(self, post: PostId) -> int:
        """Stop the job of a deleted question, or all of a deleted thread; return how many."""
        return await self._jobs(_OF_DELETED, post, "deleted", "")

    @database_errors
    async def in_thread(self, thread: PostId, by: UserId) -> int:
        """Stop what the person has asked in a thread; return how many."""
        return await self._jobs(_IN_THREAD, thread, "word", by)

    @database_errors
    async def correct(self, post: PostId, message: str) -> bool:
        """Give a question that has no answer yet other words; False if there is no such question."""
        return await self._jobs(_CORRECT, post, message) > 0

    @database_errors
    async def is_busy(self, thread: PostId, author: UserId) -> bool:
        """Return whether a question of the author in the thread is still without an answer."""
        found: bool = await self.pool.fetchval(
            """select exists (select from jobs where lane = 'thread:' || $1 and author = $2
                              and kind in ('mention', 'direct', 'repeat')
                              and state in ('waiting', 'running'))""",
            thread,
            author,
        )
        return found

    @database_errors
    async def requested(self) -> frozenset[JobId]:
        """Return the running jobs that are to be stopped, of all processes."""
        rows = await self.pool.fetch(
            """select job_id from stops join jobs on jobs.id = stops.job_id
               where not taken and state = 'running' order by requested desc limit 1000"""
        )
        return frozenset(JobId(row["job_id"]) for row in rows)

    @database_errors
    async def take(self, job: JobId) -> Stop | None:
        """Return why a job is to stop, or was stopped; None if it is not. A correction is taken once."""
        row = await self.pool.fetchrow(
            """with edited as (delete from stops where job_id = $1 and cause = 'edited'
                               returning cause, by_user),
                    taken as (update stops set taken = true where job_id = $1 and cause <> 'edited'
                              returning cause, by_user)
               select * from taken union all select * from edited""",
            job,
        )
        return Stop(row["cause"], row["by_user"]) if row else None

    @database_errors
    async def taken(self, job: JobId) -> Stop | None:
        """Return by what a job was stopped; None if it was not."""
        row = await self.pool.fetchrow("select cause, by_user from stops where job_id = $1 and taken", job)
        return Stop(row["cause"], row["by_user"]) if row else None

    @database_errors
    async def message(self, job: JobId) -> str | None:
        """Return the words of a question as they are now."""
        found: str | None = await self.pool.fetchval(
            "select payload ->> 'message' from jobs where id = $1", job
        )
        return found

    async def _jobs(self, statement: str, *values: object) -> int:
        count: int = await self.pool.fetchval(statement, *values)
        return count
