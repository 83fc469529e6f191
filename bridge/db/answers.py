"""The posts of answers."""

from collections.abc import Collection
from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.chat import PostId
from bridge.models.jobs import JobId

_SETTLE = """
update answer_posts set modified = now(), state = case when j.state = 'dead' then 'failed'
                                                       when j.result ? 'stopped' then 'stopped'
                                                       else 'done' end
from jobs j
where j.id = answer_posts.job_id and answer_posts.state = 'growing' and j.state in ('done', 'dead')
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """Reads and writes them while they grow; the end of a job settles its own."""

    pool: Pool

    @database_errors
    async def note(self, job: JobId, part: int, post: PostId) -> None:
        """Store that a post is going to grow; to store it again changes nothing."""
        await self.pool.execute(
            """insert into answer_posts (post_id, job_id, part) values ($1, $2, $3)
               on conflict (post_id) do nothing""",
            post,
            job,
            part,
        )

    @database_errors
    async def unfinished(self, posts: Collection[PostId]) -> frozenset[PostId]:
        """Return those of the posts that hold no whole answer."""
        rows = await self.pool.fetch(
            "select post_id from answer_posts where post_id = any($1) and state <> 'done'", list(posts)
        )
        return frozenset(PostId(row["post_id"]) for row in rows)

    @database_errors
    async def settle(self) -> None:
        """Settle the posts of jobs that a process of the version before has ended."""
        await self.pool.execute(_SETTLE)
