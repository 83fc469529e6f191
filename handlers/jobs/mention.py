"""A mention: ask the organization's agent and put its answer into the thread."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

import structlog

from bridge import tracing
from bridge.clock import Clock, boot_time
from bridge.db.inbox import Inbox
from bridge.errors import (
    AgentFailed,
    BridgeError,
    LeaseLost,
    MattermostRefused,
    MattermostUnavailable,
)
from bridge.metrics import Metrics
from bridge.models.agent import Done, Question
from bridge.models.chat import ChannelId, Post, PostId
from bridge.models.jobs import Job, Mention
from bridge.outage import retry_until_available
from bridge.ports import Agent, MattermostApi
from bridge.text.broadcast_mentions import without_broadcast_mentions
from bridge.text.visible import visible
from handlers.jobs.history import asked, before, history, people
from handlers.jobs.lease_guard import LeaseGuard
from handlers.jobs.posting import ARCHIVED, Found, Poster, ReplyTarget
from handlers.jobs.remarks import HOW_TO_GET_IN, apology
from handlers.jobs.speakers import Speakers, spoken

log = structlog.get_logger(__name__)

_TYPING_EVERY = 4.0
"""Seconds; clients show somebody as typing for about five."""

_LONG_AGO = 30.0
"""Seconds; an older post may have been answered by a job that the database has lost since."""

_QUESTION_GONE = frozenset(
    {
        "api.post.create_post.root_id.app_error",
        "app.post.get.app_error",
        "store.sql_post.get.app_error",  # of older servers
    }
)
"""Mattermost's error ids for posting into a thread, or reading one, whose first post was deleted
(server/channels/app/post.go)."""

Typing = Callable[[ChannelId, PostId | Literal[""]], Awaitable[None]]
"""Shows the bot as typing in a thread, or in the channel itself."""


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
    speakers: Speakers
    image_hosts: Collection[str] = ()
    """Hosts whose images an answer may show."""
    clock: Clock = boot_time

    async def answer(self, job: Job) -> Mapping[str, Any]:
        """Ask once, store the answer and post it; a deleted question needs no answer."""
        mention = Mention.of(job.payload)
        return await _unless_deleted(self._answered(job, mention))

    async def invite(self, job: Job) -> Mapping[str, Any]:
        """Explain to somebody without a mapping how to get in; other bots get nothing."""
        mention = Mention.of(job.payload)
        if (await self.api.user(mention.user_id)).is_bot:
            return {"skipped": "other_bot"}
        again = job.answer is not None or _is_old(mention)
        return await _unless_deleted(self._said(job, mention, HOW_TO_GET_IN, again=again))

    async def apologize(self, job: Job, error: Exception, reason: str) -> Mapping[str, Any] | None:
        """Say in the thread that no answer will come; None if parts of an answer may stand there."""
        if job.answer is not None or await self.inbox.has_answer(job.id):
            return None
        _log_failure(error, job, reason)
        mention = Mention.of(job.payload)
        sentence = apology(error, opens_thread=mention.thread == mention.post_id)
        return await _unless_deleted(self._said(job, mention, sentence, reason, again=_is_old(mention)))

    async def _answered(self, job: Job, mention: Mention) -> Mapping[str, Any]:
        lease_guard = LeaseGuard(self.inbox, job.id, self.clock)
        if job.answer is not None:
            return await self._delivered(job, mention, lease_guard, again=True)
        found = Found() if not _is_old(mention) else await self.poster.found(_target(mention))
        if found.complete:
            log.warning("answered_before", posts=len(found.posts))
            return {"posts": found.in_order}
        async with self._shown_typing(mention), self._measured():
            answer = await self._reply(await self._question(job, mention))
        if answer is None:
            return {"skipped": "no_reply"}
        return await self._said(job, mention, answer, again=bool(found.posts))

    async def _reply(self, question: Question) -> str | None:
        """Return the part of the answer that people may see; None if the agent asked for silence."""
        answer = visible(await self._whole(question), self.image_hosts)
        if answer.silent:
            return None
        text = without_broadcast_mentions(answer.text)
        if not text.strip():
            raise AgentFailed("The agent's answer has no text that can be posted.")
        return text

    async def _whole(self, question: Question) -> str:
        async with aclosing(self.agent.answer(question)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.text
        raise AgentFailed("The agent's answer has no end.")

    async def _said(
        self, job: Job, mention: Mention, answer: str, failure: str | None = None, *, again: bool
    ) -> Mapping[str, Any]:
        """Store the answer, which proves that the job is still ours, and post it."""
        now = self.clock()
        save = partial(self.inbox.save_answer, job.id, answer, failure)
        # An answer that was got is not thrown away while the database is away: asking again is not free.
        if not await retry_until_available("save answer", save):
            raise LeaseLost
        lease_guard = LeaseGuard(self.inbox, job.id, self.clock, known=now)
        return await self._delivered(
            replace(job, answer=answer, failure=failure), mention, lease_guard, again=again
        )

    async def _delivered(
        self, job: Job, mention: Mention, lease_guard: LeaseGuard, *, again: bool
    ) -> Mapping[str, Any]:
        posts = await self.poster.deliver(job, job.answer or "", _target(mention), lease_guard, again=again)
        self.metrics.answered("failed" if job.failure else "answered", mention.create_at)
        return {"posts": posts}

    async def _question(self, job: Job, mention: Mention) -> Question:
        if job.organization_id is None or mention.person_id is None:
            raise BridgeError("A mention without organization or person was put into the inbox.")
        posts = await self._earlier(mention)
        names = await self.speakers.names(people(posts, mention, self.poster.me))
        return Question(
            organization_id=job.organization_id,
            person_id=mention.person_id,
            channel_id=mention.channel_id,
            thread=mention.thread,
            post_id=mention.post_id,
            text=spoken(names.get(mention.user_id), asked(mention.message, self.username)),
            history=() if self.agent.remembers else history(posts, self.poster.me, self.username, names),
        )

    async def _earlier(self, mention: Mention) -> list[Post]:
        """Return the conversation in the thread before the question."""
        if mention.thread == mention.post_id:
            return []
        return before(await self.api.thread(mention.thread), mention, self.poster.me)

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
            # Who asks in the channel looks there: clients show a thread's typing in the thread alone.
            if mention.post_id == mention.thread:
                await self.typing(mention.channel_id, "")
            await asyncio.sleep(_TYPING_EVERY)


async def _unless_deleted(work: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any]:
    try:
        return await work
    except MattermostRefused as error:
        if _means_deleted(error):
            return {"skipped": "question_deleted"}
        if _means_shut_out(error):
            raise MattermostUnavailable("The bot may not post in the channel now.") from error
        raise


def _means_shut_out(error: MattermostRefused) -> bool:
    """Whether the bot is no member, or the channel is archived: a repair changes both within minutes."""
    return error.http_status == HTTPStatus.FORBIDDEN or error.error_id == ARCHIVED


def _means_deleted(error: Exception) -> bool:
    return isinstance(error, MattermostRefused) and error.error_id in _QUESTION_GONE


def _log_failure(error: Exception, job: Job, reason: str) -> None:
    code = error.code if isinstance(error, BridgeError) else BridgeError.code
    log.warning("answer_failed", code=code, attempt=job.attempts, reason=reason)


def _target(mention: Mention) -> ReplyTarget:
    return ReplyTarget(mention.channel_id, mention.thread, mention.post_id)


def _is_old(mention: Mention) -> bool:
    return time.time() - mention.create_at / 1000 > _LONG_AGO
