"""The posts of answers."""

from collections.abc import Collection
from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.db.unhurried import unhurried
from bridge.models.chat import PostId
from bridge.models.jobs import JobId

_END = """
update answer_posts set modified = now(), state = case when j.state = 'dead' then 'failed'
                                                       when j.result ? 'stopped' then 'stopped'
                                                       else 'done' end
from jobs j
where j.id = answer_posts.job_id and answer_posts.state = 'growing' and j.state in ('done', 'dead')
"""


_GRANT = f"""
with counted as (
    select coalesce(sum(edits), 0)::int as before from answer_posts where job_id = $1
), granted as (
    select before, greatest(0, least($3::int, $4::int - before)) as granted from counted
)
update answer_posts set edits = edits + granted from granted, {unhurried()} where post_id = $2
returning before, granted
"""  # noqa: S608 - a constant
"""Nobody waits for the disk: after a crash the post is found by its mark, and gets some edits more."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Reads and writes them while they grow; the end of a job ends its own."""

    pool: Pool

    @database_errors
    async def note(self, job: JobId, part: int, post: PostId) -> None:
        """Store that a post is going to grow; to store it again changes nothing."""
        await self.pool.execute(
            f"""insert into answer_posts (post_id, job_id, part) select $1, $2, $3 from {unhurried()}
                on conflict (post_id) do nothing""",  # noqa: S608 - a constant
            post,
            job,
            part,
        )

    @database_errors
    async def grant_edits(self, job: JobId, post: PostId, wanted: int, most: int) -> tuple[int, int]:
        """Count edits of a post before they are made; return how many were before, and how many may follow.

        However many attempts a job has, its posts get at most `most` while they grow.
        """
        row = await self.pool.fetchrow(_GRANT, job, post, wanted, most)
        return (row["before"], row["granted"]) if row else (most, 0)

    @database_errors
    async def unfinished(self, posts: Collection[PostId]) -> frozenset[PostId]:
        """Return those of the posts that hold no whole answer."""
        rows = await self.pool.fetch(
            "select post_id from answer_posts where post_id = any($1) and state <> 'done'", list(posts)
        )
        return frozenset(PostId(row["post_id"]) for row in rows)

    @database_errors
    async def end_with_jobs(self) -> None:
        """Note that what belongs to ended jobs grows no more; a process of the version before does not."""
        await self.pool.execute(_END)
