"""What people want to be stopped, asked with other words, or asked once more."""

from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.audit import stopped
from bridge.db.kinds import ASKING
from bridge.db.pool import database_errors
from bridge.models.answers import Stop
from bridge.models.chat import Posted, PostId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import JobId

CHANNEL = "stops"
"""PostgreSQL's notification channel: something running is to be stopped."""

_REQUEST = """
with job as (
    select id, state, attempts, answer from jobs
    where {which} and kind in {asking} and state in ('waiting', 'running')
    order by id
    for update
), ended as (
    update jobs set state = 'done', finished = now(),
        result = jsonb_build_object(
            'skipped', 'stopped', 'stopped', jsonb_build_object('cause', $2::text, 'by', $3::text)
        )
    from job
    where jobs.id = job.id and job.state = 'waiting' and job.attempts = 0 and $2 <> 'edited'
    returning jobs.id, jobs.organization_id, jobs.payload, jobs.result
), audited as (
    {stopped}
), woken as (
    update jobs set run_at = now() from job
    where jobs.id = job.id and job.attempts > 0 and job.answer is null
    returning pg_notify('jobs', '')
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
select (select count(*) from ended) + (select count(*) from stop) as jobs, (select count(*) from told),
       (select count(*) from woken)
"""
"""Stop the jobs of $1 that have no answer yet: one that has not begun ends at once, others are told.

One that waits for its next attempt has it now, and so has one whose attempt fails while it is told.
"""


def _request(which: str) -> str:
    return _REQUEST.format(which=which, asking=ASKING, stopped=stopped("ended"))


_REPEATED = """
    (kind = 'repeat' and state in ('waiting', 'running') and payload ->> 'post_id' = $1
     and lane = (select lane from jobs where dedupe = 'post:' || $1))
"""
_POST = " or ".join(
    ("(id = (select job_id from answer_posts where post_id = $1)", "dedupe = 'post:' || $1", f"{_REPEATED})")
)
_OF_POST = _request(_POST + " and author = $3")
_OF_POST_AS_ADMIN = _request(_POST)
_OF_DELETED = _request(
    " or ".join(
        (
            "((lane = 'thread:' || $1 and state in ('waiting', 'running'))",
            "dedupe = 'post:' || $1",
            f"{_REPEATED})",
        )
    )
)
_BEFORE = _request("lane = $1 and author = $3 and posted_at <= $4")
_BEFORE_AS_ADMIN = _request("lane = $1 and posted_at <= $4")

_UNANSWERED = f"""
    lane = $1 and posted_at <= $2
    and kind in {ASKING} and state in ('waiting', 'running')
"""

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


@dataclass(frozen=True, slots=True)
class Stops:
    pool: Pool

    @database_errors
    async def knows(self, post: PostId) -> bool:
        """Return whether a post is recorded, as a question or as an answer."""
        found: bool = await self.pool.fetchval(
            """select exists (select from answer_posts where post_id = $1)
                   or exists (select from jobs where dedupe = 'post:' || $1)""",
            post,
        )
        return found

    @database_errors
    async def of_post(self, post: PostId, by: UserId, *, as_admin: bool = False) -> int:
        """Stop the job whose question or answer the post is; return how many.

        Only its asker's, unless the person is an administrator of the organization.
        """
        statement = _OF_POST_AS_ADMIN if as_admin else _OF_POST
        return await self._jobs(statement, post, "reaction", by)

    @database_errors
    async def organization(self, post: PostId) -> OrganizationId | None:
        """Return whose question or answer a post is, while there is something to stop."""
        found: OrganizationId | None = await self.pool.fetchval(
            f"select organization_id from jobs where {_POST} and state in ('waiting', 'running') limit 1",  # noqa: S608 - a constant
            post,
        )
        return found

    @database_errors
    async def of_deleted(self, post: PostId) -> int:
        """Stop the job of a deleted question, or all of a deleted thread; return how many."""
        return await self._jobs(_OF_DELETED, post, "deleted", "")

    @database_errors
    async def before(self, said: Posted, *, as_admin: bool = False) -> int:
        """Stop what was asked before a post in its conversation; return how many.

        Only by its author, unless that is an administrator of the organization.
        """
        statement = _BEFORE_AS_ADMIN if as_admin else _BEFORE
        return await self._jobs(statement, said.lane, "word", said.post.user_id, said.post.create_at)

    @database_errors
    async def correct(self, post: PostId, message: str) -> bool:
        """Give a question that has no answer yet other words; False if there is no such question."""
        return await self._jobs(_CORRECT, post, message) > 0

    @database_errors
    async def is_busy(self, said: Posted) -> bool:
        """Return whether something was asked before a post in its conversation that has no answer yet."""
        found: bool = await self.pool.fetchval(
            f"select exists (select from jobs where {_UNANSWERED})",  # noqa: S608 - a constant
            said.lane,
            said.post.create_at,
        )
        return found

    @database_errors
    async def organization_of(self, said: Posted) -> OrganizationId | None:
        """Return of which organization that is."""
        found: OrganizationId | None = await self.pool.fetchval(
            f"select organization_id from jobs where {_UNANSWERED} limit 1",  # noqa: S608 - a constant
            said.lane,
            said.post.create_at,
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
