"""Ask the agent: show its answer while it comes in, and stop it when somebody wants that."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from cachetools import TTLCache

from bridge import tracing
from bridge.db.answers import Answers
from bridge.errors import AgentFailed
from bridge.metrics import Metrics
from bridge.models.agent import Began, Delta, Done, Question
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from bridge.models.usage import NO_PRICES, Prices, Run
from bridge.ports import Agent
from bridge.text.visible import visible
from handlers.jobs.growth import Growth, Rhythm
from handlers.jobs.lease_guard import LeaseGuard
from handlers.jobs.parts import Found, ReplyTarget
from handlers.jobs.posting import Poster
from handlers.jobs.stop_signals import StopSignals

log = structlog.get_logger(__name__)

_CAREFUL_FOR = 3600
"""Seconds for which no answer of an organization grows after one that took back what it had shown."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks the agent."""

    agent: Agent
    poster: Poster
    answers: Answers
    signals: StopSignals
    metrics: Metrics
    image_hosts: Collection[str] = ()
    """Hosts whose images an answer may show."""
    stream: bool = True
    """Whether answers grow."""
    rhythm: Rhythm = field(default_factory=Rhythm)
    prices: Prices = NO_PRICES
    _careful: TTLCache[OrganizationId | None, bool] = field(
        default_factory=lambda: TTLCache(10_000, _CAREFUL_FOR)
    )

    def growth(self, job: Job, target: ReplyTarget, lease: LeaseGuard, found: Found) -> Growth:
        """Return the answer before it begins; `found` are its posts of an earlier attempt."""
        enabled = self.stream and job.organization_id not in self._careful
        parts = (self.poster, self.answers, self.metrics)
        return Growth(*parts, job, target, lease, self.image_hosts, found, enabled, self.rhythm)

    async def ask(self, question: Callable[[], Awaitable[Question]], growth: Growth) -> str | None:
        """Return the whole answer; None if somebody stopped it.

        `question` prepares the question, which takes long where files are read, and can be stopped too.
        """
        with self.signals.of(growth.job.id) as stopped, self.metrics.growing():
            whole = await _unless_stopped(self._read(question, growth), growth, stopped)
        if whole is not None and growth.took_back(visible(whole, self.image_hosts).text):
            log.warning("answer_took_back", organization=str(growth.job.organization_id))
            self._careful[growth.job.organization_id] = True
        return whole

    async def _read(self, question: Callable[[], Awaitable[Question]], growth: Growth) -> str:
        asked = await question()
        with self._measured():
            return await self._answer(asked, growth)

    async def _answer(self, question: Question, growth: Growth) -> str:
        meter, run = growth.job.meter, None
        async with aclosing(self.agent.answer(question)) as events:
            async for event in events:
                match event:
                    case Began(run_id, model):
                        log.debug("agent_run", run=run_id)
                        growth.begin()
                        run = meter.began(model)
                    case Delta(text):
                        growth.add(text)
                        meter.text(growth.job.age)
                    case Done(text):
                        meter.text(growth.job.age)
                        self._report(event, run or meter.began(event.model))
                        return text
        raise AgentFailed("The agent's answer has no end.")

    def _report(self, end: Done, run: Run) -> None:
        run.model, run.usage = end.model or run.model, end.usage
        run.cost = self.prices.cost(run.model, end.usage)

    @contextmanager
    def _measured(self) -> Iterator[None]:
        started, outcome = time.monotonic(), "failed"
        try:
            with tracing.span("agent"):
                yield
            outcome = "answered"
        except asyncio.CancelledError:
            outcome = "stopped"
            raise
        finally:
            self.metrics.agent_call(outcome, time.monotonic() - started)


async def _unless_stopped(
    work: Coroutine[Any, Any, str], growth: Growth, stopped: asyncio.Event
) -> str | None:
    """Return what the work returns; None, with the work cancelled, if `stopped` comes first."""
    reading = asyncio.create_task(work, name="read answer")
    showing = asyncio.create_task(growth.keep_showing(), name="show answer")
    stopping = asyncio.create_task(stopped.wait(), name="await stop")
    tasks = {reading, showing, stopping}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if showing in done:
            showing.result()
        return reading.result() if reading in done else None
    except BaseException:
        showing.cancel()
        raise
    finally:
        reading.cancel()
        stopping.cancel()
        growth.end()
        # An edit that is under way must not come after the last one.
        await asyncio.wait(tasks)
        for task in tasks:
            _ = task.cancelled() or task.exception()
