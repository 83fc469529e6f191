"""A mention: ask the organization's agent and put its answer into the thread."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bridge import retry, tracing
from bridge.db.inbox import Inbox
from bridge.errors import AgentFailed, BridgeError
from bridge.metrics import Metrics
from bridge.models import ChannelId, Job, Mention, Post, PostId, Question, Turn
from bridge.ports import Agent, MattermostApi
from bridge.text.harmless import harmless
from bridge.text.mentions import strip_mention
from bridge.worker import LeaseLostError
from handlers.posting import Place, Poster

SORRY = "Sorry, I could not get an answer this time. Please ask again in a few minutes."
HOW_TO_GET_IN = (
    "I answer members who came in through Equa: open Messaging there once, then ask me here again."
)

_TYPING_EVERY = 4.0
"""Seconds; clients show somebody as typing for about five."""

_HISTORY_POSTS = 50
_HISTORY_CHARACTERS = 60_000

Typing = Callable[[ChannelId, PostId], Awaitable[None]]
"""Shows the bot as typing in a thread."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """The handlers of the job kinds `mention` and `invite`."""

    api: MattermostApi
    agent: Agent
    inbox: Inbox
    poster: Poster
    typing: Typing
    username: str
    metrics: Metrics

    async def answer(self, job: Job) -> Mapping[str, Any]:
        """Ask once, keep the answer, post it."""
        mention = Mention.of(job.payload)
        if job.answer is None:
            asked = await self._asked(job, mention)
            return await self._delivered(asked, mention, again=False)
        return await self._delivered(job, mention, again=True)

    async def invite(self, job: Job) -> Mapping[str, Any]:
        """Tell somebody without a mapping how to get in; another bot is left alone."""
        mention = Mention.of(job.payload)
        if (await self.api.user(mention.user_id)).is_bot:
            return {"skipped": "other_bot"}
        kept = await self._kept(job, HOW_TO_GET_IN)
        return await self._delivered(kept, mention, again=job.answer is not None)

    async def _asked(self, job: Job, mention: Mention) -> Job:
        try:
            async with self._shown_typing(mention), self._measured():
                answer = await self._reply(await self._question(job, mention))
        except Exception as error:
            match retry.decide(error, job.attempts, _age(job)):
                case retry.GiveUp(reason):
                    return await self._kept(job, SORRY, failure=reason)
                case retry.Retry():
                    raise
        return await self._kept(job, answer)

    async def _reply(self, question: Question) -> str:
        answer = harmless(await self.agent.reply(question))
        if not answer.strip():
            raise AgentFailed("The agent's answer has no text that can be posted.")
        return answer

    async def _kept(self, job: Job, answer: str, failure: str | None = None) -> Job:
        if not await self.inbox.save_answer(job.id, answer, failure):
            raise LeaseLostError
        return replace(job, answer=answer, failure=failure)

    async def _delivered(self, job: Job, mention: Mention, *, again: bool) -> Mapping[str, Any]:
        posts = await self.poster.deliver(
            job, job.answer or "", Place(mention.channel_id, mention.thread, mention.post_id), again=again
        )
        self.metrics.answered("failed" if job.failure else "answered", mention.create_at)
        return {"posts": posts}

    async def _question(self, job: Job, mention: Mention) -> Question:
        if job.organization_id is None or mention.person_id is None:
            raise BridgeError("A mention without organization or person was put into the inbox.")
        return Question(
            organization_id=job.organization_id,
            person_id=mention.person_id,
            channel_id=mention.channel_id,
            thread=mention.thread,
            post_id=mention.post_id,
            text=strip_mention(mention.message, self.username) or mention.message,
            history=() if self.agent.remembers else await self._history(mention),
        )

    async def _history(self, mention: Mention) -> tuple[Turn, ...]:
        if mention.thread == mention.post_id:
            return ()
        thread = await self.api.thread(mention.thread)
        before = [post for post in thread if (post.create_at, post.id) < (mention.create_at, mention.post_id)]
        return _recent([self._turn(post) for post in before if _told(post)])

    def _turn(self, post: Post) -> Turn:
        if post.user_id == self.poster.me:
            return Turn("assistant", post.message)
        return Turn("user", strip_mention(post.message, self.username) or post.message)

    @asynccontextmanager
    async def _measured(self) -> AsyncIterator[None]:
        started, outcome = time.monotonic(), "failed"
        try:
            with tracing.span("agent"):
                yield
            outcome = "answered"
        finally:
            self.metrics.agent_call(outcome, time.monotonic() - started)

    @asynccontextmanager
    async def _shown_typing(self, mention: Mention) -> AsyncIterator[None]:
        task = asyncio.create_task(self._keep_typing(mention), name="typing")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _keep_typing(self, mention: Mention) -> None:
        while True:
            await self.typing(mention.channel_id, mention.thread)
            await asyncio.sleep(_TYPING_EVERY)


def _told(post: Post) -> bool:
    """Whether a post belongs to the conversation: no system posts, nothing that a webhook wrote."""
    return post.type == "" and bool(post.message.strip()) and "from_webhook" not in post.props


def _recent(turns: list[Turn]) -> tuple[Turn, ...]:
    """Keep the last turns within the limits, and always start with whole posts."""
    kept: list[Turn] = []
    room = _HISTORY_CHARACTERS
    for turn in reversed(turns[-_HISTORY_POSTS:]):
        room -= len(turn.text)
        if room < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


def _age(job: Job) -> float:
    return (datetime.now(UTC) - job.created).total_seconds()
