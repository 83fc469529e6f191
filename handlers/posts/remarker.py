"""Post a sentence of our own for a job: once, whatever dies in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

from bridge.db.inbox import Inbox
from bridge.models.chat import Draft, PostId
from bridge.models.jobs import Job
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK, ReplyTarget
from handlers.posts.posting import Poster


@dataclass(frozen=True, slots=True)
class Remarker:
    poster: Poster
    inbox: Inbox

    async def say(self, job: Job, target: ReplyTarget, text: str, name: str = "") -> PostId:
        """Post the text where an answer to the question would stand, and return the post.

        A job that may say several things, and one of them more than once in an attempt, gives it a name.
        """
        async with self.poster.write_limit(target.channel_id):
            there = await self._there(job, target, name) if name or job.attempts > 1 else None
            return there or await self._created(job, target, text, name)

    async def _created(self, job: Job, target: ReplyTarget, text: str, name: str) -> PostId:
        draft = Draft(
            channel_id=target.channel_id,
            root_id=target.thread,
            message=text,
            props={MARK: _mark(job, name)},
            pending_post_id=str(uuid5(job.key, f"remark{name}")),
        )
        return await self.poster.create(draft, LeaseGuard(self.inbox, job.id))

    async def _there(self, job: Job, target: ReplyTarget, name: str) -> PostId | None:
        """Find what was posted before."""
        mark = _mark(job, name)
        found = (post.id for post in await self.poster.own_posts(target) if post.props.get(MARK) == mark)
        return next(found, None)


def _mark(job: Job, name: str) -> Mapping[str, Any]:
    return {"hint": str(uuid5(job.key, f"hint{name}")), "remark": True}
