"""How people rate answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.metrics import RatingCount
from bridge.models.chat import PostId, Reaction, UserId
from bridge.text.ratings import Rating

_ADD = """
insert into feedback (post_id, user_id, emoji, rating, reacted_at)
select a.post_id, $2, $3, $4, $5 from answer_posts a join jobs j on j.id = a.job_id
where a.post_id = $1 and a.state <> 'failed' and not coalesce(j.result ? 'skipped', false)
  and exists (select from mattermost_user_mappings where mattermost_user_id = $2)
on conflict (post_id, user_id, emoji) do update
set reacted_at = greatest(feedback.reacted_at, excluded.reacted_at)
"""

_COUNTS = """
with last as (
    select distinct on (a.job_id, f.user_id) a.job_id, f.rating
    from feedback f join answer_posts a on a.post_id = f.post_id
    order by a.job_id, f.user_id, f.reacted_at desc, f.rating
)
select coalesce(j.organization_id::text, 'none') as organization,
       count(*) filter (where last.rating = 1)::int as up,
       count(*) filter (where last.rating = -1)::int as down
from last join jobs j on j.id = last.job_id
group by 1
order by count(*) desc, 1
"""
"""One rating a person and answer, in however many posts it stands."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """It is kept as long as the answer's job."""

    pool: Pool

    @database_errors
    async def add(self, post: PostId, user: UserId, emoji: str, rating: Rating, reacted_at: int) -> bool:
        """Store the rating of a person; False if the post is no answer. To repeat it changes nothing."""
        status = await self.pool.execute(_ADD, post, user, emoji, rating, reacted_at)
        return status == "INSERT 0 1"

    @database_errors
    async def remove(self, post: PostId, user: UserId, emoji: str) -> None:
        """Forget a rating that was taken back; an earlier one of the person counts again."""
        await self.pool.execute(
            "delete from feedback where post_id = $1 and user_id = $2 and emoji = $3", post, user, emoji
        )

    @database_errors
    async def recent(self, most: int) -> Sequence[PostId]:
        """Return the posts of the last day's answers, the newest first."""
        rows = await self.pool.fetch(
            """select post_id from answer_posts
               where state <> 'failed' and modified > now() - interval '1 day'
               order by modified desc limit $1""",
            most,
        )
        return [PostId(row["post_id"]) for row in rows]

    @database_errors
    async def keep(self, post: PostId, reactions: Sequence[Reaction]) -> None:
        """Forget the ratings of a post that are not among its reactions."""
        await self.pool.execute(
            """delete from feedback where post_id = $1
               and (user_id, emoji) not in (select * from unnest($2::text[], $3::text[]))""",
            post,
            [each.user_id for each in reactions],
            [each.emoji for each in reactions],
        )

    @database_errors
    async def counts(self) -> Sequence[RatingCount]:
        """Return the ratings by organization, those with the most first."""
        return [RatingCount(**dict(row.items())) for row in await self.pool.fetch(_COUNTS)]
