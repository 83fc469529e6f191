"""The job kinds `mention`, `repeat` and `invite`: ask the agent and put its answer into the thread."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from bridge.clock import Clock, boot_time
from bridge.db.inbox import Inbox
from bridge.db.stops import Stops
from bridge.errors import (
    AgentFailed,
    BridgeError,
    BudgetReached,
    LeaseLost,
)
from bridge.ingest.unanswered import Unanswered
from bridge.metrics import Metrics
from bridge.models.agent import Question
from bridge.models.answers import Stop
from bridge.models.conversations import Conversation
from bridge.models.jobs import Job, Mention
from bridge.models.usage import Outcome
from bridge.outage import retry_until_available
from bridge.ports import AgentControl
from bridge.text.broadcast_mentions import without_broadcast_mentions
from bridge.text.commands import command
from bridge.text.posts import posts_of
from bridge.text.visible import visible
from handlers.answers.asking import Asking
from handlers.answers.bot_commands import BotCommands
from handlers.answers.budgets import REACHED, BudgetGate
from handlers.answers.growth import Growth
from handlers.answers.questions import Questions
from handlers.answers.signs import Signs
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import Found, ReplyTarget
from handlers.posts.posting import Poster
from handlers.posts.refusals import unless_deleted
from handlers.posts.remarks import HOW_TO_GET_IN, INTERRUPTED, STOPPED, apology

log = structlog.get_logger(__name__)

_LONG_AGO = 30.0
"""Seconds; an older post may have been answered before, whatever the database says."""

_ABORT = 3.0
"""Seconds that the gateway may take to end a run."""

_MOST_CORRECTIONS = 10
"""How often a question is asked again because it was edited; one more edit stops it."""

Result = Mapping[str, Any]


class EditedIntoCommand(Exception):
    """A direct message has become something that it asks of the bot itself; these are its words now."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """The handlers of the job kinds `mention`, `repeat` and `invite`."""

    inbox: Inbox
    poster: Poster
    questions: Questions
    asking: Asking
    stops: Stops
    signs: Signs
    metrics: Metrics
    commands: BotCommands
    budgets: BudgetGate
    clock: Clock = boot_time
    answered_until: int = 0
    """Milliseconds; a post from before may have been answered by a job that the database has lost since."""
    unanswered: Unanswered = field(default_factory=Unanswered)
    """Questions that certainly have no answer."""
    control: AgentControl | None = None
    """The side channel to the gateway, if there is one."""

    async def answer(self, job: Job) -> Result:
        """Answer a mention in `#agent`, or do what it asks of the bot itself."""
        mention = Mention.of(job.payload)
        return await unless_deleted(self._answered_or_done(job, mention))

    async def _answered_or_done(self, job: Job, mention: Mention) -> Result:
        if done := await self.commands.done(job, mention, _target(mention)):
            await self.abandon(job, mention)
            return done
        # A post that opens a thread has none before it, so no conversation began there earlier.
        if mention.thread != mention.post_id:
            start = await self.commands.start(job.lane, mention.create_at)
            mention = replace(mention, conversation=start)
        return await self._answered(job, mention)

    async def answered(self, job: Job, mention: Mention) -> Result:
        """Ask once, store the answer and post it; a deleted question needs no answer."""
        return await unless_deleted(self._answered(job, mention))

    async def abandon(self, job: Job, mention: Mention) -> None:
        """Close what an earlier attempt has shown of an answer that will not come; may be repeated."""
        if job.attempts == 1:
            return
        await self.signs.cleared(mention)
        await self._close(job, mention, await self.poster.found(_target(mention)))

    async def _close(self, job: Job, mention: Mention, found: Found) -> None:
        """Say below what has grown that nothing more comes."""
        if found.has_grown:
            closed = f"{found.text.removesuffix(INTERRUPTED).rstrip()}\n\n{INTERRUPTED}"
            lease_guard = LeaseGuard(self.inbox, job.id, self.clock)
            await self.poster.deliver(job, closed, _target(mention), lease_guard, found)

    async def invite(self, job: Job) -> Result:
        """Explain to somebody without a mapping how to get in; other bots get nothing."""
        mention = Mention.of(job.payload)
        if (await self.poster.api.user(mention.user_id)).is_bot:
            return {"skipped": "other_bot"}
        there = None if job.answer is not None or self._may_be_answered(mention) else Found()
        return await unless_deleted(self._said(job, mention, HOW_TO_GET_IN, there))

    async def apologize(self, job: Job, error: Exception, reason: str) -> Result | None:
        """Say in the thread that no answer will come; None if a whole answer may stand there."""
        if job.answer is not None or await self.inbox.has_answer(job.id):
            return None
        _log_failure(error, job, reason)
        mention = Mention.of(job.payload)
        opens_thread = mention.thread == mention.post_id
        sentence = apology(error, opens_thread=opens_thread, is_direct=job.kind == "direct")
        result = await unless_deleted(self._closed(job, mention, sentence, reason))
        await self.signs.failed(mention)
        return result

    async def _closed(self, job: Job, mention: Mention, sentence: str, reason: str) -> Result:
        """Post an apology; what has grown before stays above it."""
        found = await self.poster.found(_target(mention))
        shown = f"{found.text}\n\n{INTERRUPTED} {sentence}" if found.has_grown else sentence
        return await self._said(job, mention, shown, found, reason)

    async def _answered(self, job: Job, mention: Mention) -> Result:
        try:
            return await self._attempted(job, mention)
        except BudgetReached as reached:
            return await self._refused(job, mention, reached.message)
        finally:
            if job.attempts > 1:
                await self.signs.cleared(mention)

    async def _refused(self, job: Job, mention: Mention, sentence: str) -> Result:
        """Say why the question is not asked; an answer that an earlier attempt has shown ends there."""
        target = _target(mention)
        await self._close(job, mention, await self.poster.found(target))
        post = await self.commands.remarker.say(job, target, sentence)
        return {"posts": [post], "skipped": REACHED}

    async def _attempted(self, job: Job, mention: Mention) -> Result:
        again = job.attempts > 1
        stop = await self._taken(job) if again and job.answer is None else None
        if job.answer is not None:
            return await self._kept(job, mention)
        found = (
            await self.poster.found(_target(mention)) if again or self._may_be_answered(mention) else Found()
        )
        if found.complete:
            return _answered_before(found)
        if stop and stop.cause != "edited":
            return await self._stopped(job, mention, stop, found.text, found)
        return await self._asked(job, mention, found)

    def _may_be_answered(self, mention: Mention) -> bool:
        """Whether a job that the database has lost since may have answered it."""
        if self.unanswered.has(mention.post_id):
            return False
        return mention.create_at < max(self.answered_until, (time.time() - _LONG_AGO) * 1000)

    async def _kept(self, job: Job, mention: Mention) -> Result:
        """Post what an earlier attempt was going to post."""
        stop = await self.stops.taken(job.id) if job.attempts > 1 else None
        lease_guard = LeaseGuard(self.inbox, job.id, self.clock)
        return {**await self._delivered(job, mention, lease_guard, None), **_by(stop)}

    async def _asked(self, job: Job, mention: Mention, found: Found) -> Result:
        """Ask, and ask again each time that the question is edited meanwhile."""
        lease_guard = LeaseGuard(self.inbox, job.id, self.clock)
        for left in reversed(range(_MOST_CORRECTIONS + 1)):
            growth = self.asking.growth(job, _target(mention), lease_guard, found)
            if result := await self._result(job, mention, growth):
                return result
            stop, found = await self._taken(job), growth.found
            if stop and (stop.cause != "edited" or not left):
                text = growth.visible or found.text
                return await self._stopped(job, mention, stop, text, found)
            mention = await self._corrected(job, mention)
            if done := await self._done_instead(job, mention, found):
                return done
        raise AgentFailed("The question was edited too often while it was worked on.")

    async def _result(self, job: Job, mention: Mention, growth: Growth) -> Result | None:
        """Ask once and post the answer; None if somebody stopped it, or changed the question."""
        waits = partial(self._waits_for_people, _conversation(job, mention))
        async with self.signs.shown(mention, lambda: not growth.is_shown, waits):
            unread: list[str] = []
            whole = await self.asking.ask(partial(self._question, job, mention, unread), growth)
            result = None if whole is None else await self._finished(job, mention, whole, growth)
        return {**result, "unread": unread} if result and unread else result

    async def _question(self, job: Job, mention: Mention, unread: list[str]) -> Question:
        """Return the question when it may be asked, and fill in the files that it goes without."""
        await self.budgets.admit(job)
        question = await self.questions.of(job, mention)
        unread[:] = question.unread
        return question

    async def _finished(self, job: Job, mention: Mention, whole: str, growth: Growth) -> Result | None:
        answer = visible(whole, self.asking.image_hosts)
        if answer.silent:
            await self.poster.deliver(job, "", _target(mention), growth.lease, growth.found)
            return {"skipped": "no_reply"}
        text = without_broadcast_mentions(answer.text)
        if not text.strip():
            raise AgentFailed("The agent's answer has no text that can be posted.")
        now = self.clock()
        # One post is found or not; of several, or of one that has grown, an attempt may find a part.
        is_findable = len(posts_of(text, self.poster.max_post_size)) == 1 and not growth.is_shown
        if not await self._saved(job, text, "answered", to=mention.message, is_findable=is_findable):
            await LeaseGuard(self.inbox, job.id, self.clock).require()
            return None
        there = await self._there(job, mention, growth)
        if there.complete:
            return _answered_before(there)
        return await self._posted(replace(job, answer=text), mention, now, there)

    async def _there(self, job: Job, mention: Mention, growth: Growth) -> Found:
        """Find what stands in the thread already.

        What an earlier attempt has sent may have come since; a crash of the database may have its answer.
        """
        may_have_come = job.attempts > 1 and not growth.is_shown
        return await self.poster.found(_target(mention)) if may_have_come else growth.found

    async def _taken(self, job: Job) -> Stop | None:
        """Return who stopped the job and how; None if somebody has thought better of it."""
        if not await self.inbox.on_disk(job.id):
            raise LeaseLost
        stop = await retry_until_available("take stop", partial(self.stops.take, job.id))
        self.asking.signals.forget(job.id)
        return stop

    async def _corrected(self, job: Job, mention: Mention) -> Mention:
        message = await retry_until_available("read question", partial(self.stops.message, job.id))
        return mention if message is None else replace(mention, message=message)

    async def _done_instead(self, job: Job, mention: Mention, found: Found) -> Result | None:
        """Do what a question asks of the bot itself since it was edited; None if it is still a question.

        Raises `EditedIntoCommand` for a direct message, which may have to change its organization.
        """
        if job.kind == "direct":
            if command(mention.message, self.commands.username):
                raise EditedIntoCommand(mention.message)
            return None
        if done := await self.commands.done(job, mention, _target(mention)):
            await self._close(job, mention, found)
        return done

    async def _stopped(self, job: Job, mention: Mention, stop: Stop, text: str, found: Found) -> Result:
        """Leave what there is, and say that it was stopped; of a deleted question nothing is said."""
        log.info("answer_stopped", cause=stop.cause, by=stop.by)
        await self._abort(_conversation(job, mention))
        self.metrics.stopped(stop.cause)
        if stop.cause == "deleted" and not found.parts:
            return {"skipped": "question_deleted", **_by(stop)}
        shown = f"{text}\n\n{STOPPED}" if text else STOPPED
        return {**await self._said(job, mention, shown, found), **_by(stop)}

    def _waits_for_people(self, conversation: Conversation | None) -> bool:
        return bool(conversation and self.control and self.control.is_waiting(conversation))

    async def _abort(self, conversation: Conversation | None) -> None:
        """End a run that closing our connection has not ended: a dead process's, or the gateway's own repeat.

        Best effort, and before anything else is asked there.
        """
        if conversation and self.control:
            with suppress(BridgeError, TimeoutError):
                async with asyncio.timeout(_ABORT):
                    await self.control.abort(conversation)

    async def _said(
        self, job: Job, mention: Mention, answer: str, there: Found | None, failure: str | None = None
    ) -> Result:
        """Store the answer, which proves that the job is still ours, and post it."""
        now = self.clock()
        if not await self._saved(job, answer, "failed" if failure else "stopped", failure):
            raise LeaseLost
        return await self._posted(replace(job, answer=answer, failure=failure), mention, now, there)

    async def _saved(  # noqa: PLR0913 - what is stored with an answer, each by its name
        self,
        job: Job,
        answer: str,
        outcome: Outcome,
        failure: str | None = None,
        *,
        to: str | None = None,
        is_findable: bool = False,
    ) -> bool:
        """Store the answer and what it took, however long the database is away: asking again is not free."""
        used = job.meter.used(outcome) if job.asks else None
        save = partial(
            self.inbox.save_answer, job.id, answer, failure, to=to, used=used, is_findable=is_findable
        )
        if saved := await retry_until_available("save answer", save):
            job.meter.clear()
        return saved

    async def _posted(self, job: Job, mention: Mention, saved: float, there: Found | None) -> Result:
        """Post what was stored at a moment of the clock, at which the lease was certainly ours."""
        lease_guard = LeaseGuard(self.inbox, job.id, self.clock, known=saved)
        return await self._delivered(job, mention, lease_guard, there)

    async def _delivered(
        self, job: Job, mention: Mention, lease_guard: LeaseGuard, there: Found | None
    ) -> Result:
        posts = await self.poster.deliver(job, job.answer or "", _target(mention), lease_guard, there)
        waited_since = round(job.created.timestamp() * 1000) if mention.repeats else mention.create_at
        self.metrics.answered("failed" if job.failure else "answered", waited_since)
        return {"posts": posts}


def _answered_before(found: Found) -> Result:
    log.warning("answered_before", posts=len(found.parts))
    return {"posts": found.in_order}


def _conversation(job: Job, mention: Mention) -> Conversation | None:
    """Return where the agent works on a job; None of one whose organization is not known."""
    if job.organization_id is None:
        return None
    person = mention.person_id if mention.is_direct else None
    return Conversation(
        job.organization_id, mention.channel_id, mention.thread, person, mention.conversation.generation
    )


def _by(stop: Stop | None) -> Result:
    """Return what the job table keeps of who stopped an answer."""
    return {"stopped": {"cause": stop.cause, "by": stop.by}} if stop else {}


def _log_failure(error: Exception, job: Job, reason: str) -> None:
    code = error.code if isinstance(error, BridgeError) else BridgeError.code
    log.warning("answer_failed", code=code, attempt=job.attempts, reason=reason)


def _target(mention: Mention) -> ReplyTarget:
    return ReplyTarget(
        mention.channel_id,
        mention.thread,
        mention.post_id,
        mention.repeats,
        mention.conversation.generation if mention.is_direct else 0,
        mention.footer,
    )
