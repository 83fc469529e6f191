"""The job kinds `hint` and `notice_hint`: say to the author of a post why it is not answered.

A hint is a courtesy: where Mattermost refuses the post, nothing is said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import uuid5

from bridge.db.inbox import Inbox
from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.chat import Draft, PostId
from bridge.models.jobs import Hint, HintPost, Job
from bridge.routing import Policy
from handlers.jobs.lease_guard import LeaseGuard
from handlers.jobs.parts import MARK
from handlers.jobs.posting import Poster


@dataclass(frozen=True, slots=True)
class HintTexts:
    """The sentences."""

    channel: str
    """The name of the channel in which the bot answers."""
    username: Callable[[], str]
    """Returns what the bot is called now."""
    policy: Policy

    def text(self, hint: Hint) -> str:
        match hint:
            case "elsewhere":
                return f"I answer in ~{self.channel}: please ask me there."
            case "limit":
                return (
                    f"That is a lot at once: I take {self.policy.at_once} questions a minute and"
                    f" {self.policy.an_hour} an hour from each person. Please ask again later."
                )
            case "stopped":
                return "I stop listening in this thread. Mention me when you need me."
            case "notices":
                return f"I only post notices. Please ask @{self.username()} in ~{self.channel}."
            case "notices_here":
                return f"That account only posts notices. Please mention me, @{self.username()}, to ask."
            case _:
                assert_never(hint)


@dataclass(frozen=True, slots=True)
class Hints:
    poster: Poster
    inbox: Inbox
    texts: HintTexts

    async def post(self, job: Job) -> Mapping[str, Any]:
        """Post the sentence once, in the thread of the post that it is about."""
        about = HintPost.of(job.payload)
        try:
            async with self.poster.write_limit(about.channel_id):
                there = await self._there(job, about) if job.attempts > 1 else None
                post = there or await self._created(job, about)
        except TokenRefused:
            raise
        except MattermostRefused as error:
            return {"skipped": "refused_by_mattermost", "reason": error.message}
        return {"posts": [post]}

    async def _created(self, job: Job, about: HintPost) -> PostId:
        draft = Draft(
            channel_id=about.channel_id,
            root_id=about.thread,
            message=self.texts.text(about.hint),
            props={MARK: _mark(job)},
            pending_post_id=str(uuid5(job.key, "1")),
        )
        return await self.poster.create(draft, LeaseGuard(self.inbox, job.id))

    async def _there(self, job: Job, about: HintPost) -> PostId | None:
        """Find what an earlier attempt has posted."""
        mark = _mark(job)
        for post in await self.poster.api.thread(about.thread):
            if post.user_id == self.poster.me and post.props.get(MARK) == mark:
                return post.id
        return None


def _mark(job: Job) -> Mapping[str, Any]:
    return {"hint": str(uuid5(job.key, "hint")), "remark": True}
