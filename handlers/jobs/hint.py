"""The job kinds `hint` and `notice_hint`: say to the author of a post why it is not answered.

A hint is a courtesy: where Mattermost refuses the post, nothing is said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.jobs import Hint, HintPost, Job
from bridge.routing import Policy
from handlers.posts.parts import ReplyTarget
from handlers.posts.remarker import Remarker


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
            case "group":
                return (
                    "In a group message I cannot tell which organization I would answer for."
                    f" Please write to me alone, or ask in ~{self.channel}."
                )
            case "notices":
                return f"I only post notices. Please ask @{self.username()} in ~{self.channel}."
            case "notices_here":
                return f"That account only posts notices. Please mention me, @{self.username()}, to ask."
            case _:
                assert_never(hint)


@dataclass(frozen=True, slots=True)
class Hints:
    remarker: Remarker
    texts: HintTexts

    async def post(self, job: Job) -> Mapping[str, Any]:
        """Post the sentence once, where an answer to the post that it is about would stand."""
        about = HintPost.of(job.payload)
        target = ReplyTarget(about.channel_id, about.thread, about.post_id)
        try:
            post = await self.remarker.say(job, target, self.texts.text(about.hint))
        except TokenRefused:
            raise
        except MattermostRefused as error:
            return {"skipped": "refused_by_mattermost", "reason": error.message}
        return {"posts": [post]}
