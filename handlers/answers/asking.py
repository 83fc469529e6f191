"""Ask the agent: show its answer while it comes in, and stop it when somebody wants that."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from cachetools import TTLCache

from bridge import tracing
from bridge.db.agent_habits import AgentHabits
from bridge.db.answers import Answers
from bridge.errors import AgentFailed, DatabaseUnavailable
from bridge.metrics import Metrics
from bridge.models.agent import Began, Delta, Done, Question
from bridge.models.answers import Habit
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from bridge.models.usage import NO_PRICES, Prices, Run
from bridge.ports import Agent
from bridge.text.visible import late_ends
from handlers.answers.growth import Growth, Rhythm
from handlers.answers.stop_signals import StopSignals
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import Found, ReplyTarget
from handlers.posts.posting import Poster

log = structlog.get_logger(__name__)

_HABITS_FOR = 300
"""Seconds for which the habit of an agent that is certain is not read again."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks the agent."""

    agent: Agent
    poster: Poster
    answers: Answers
    habits: AgentHabits
    signals: StopSignals
    metrics: Metrics
    image_hosts: Collection[str] = ()
    """Hosts whose images an answer may show."""
    stream: bool = True
    """Whether answers grow."""
    rhythm: Rhythm = field(default_factory=Rhythm)
    prices: Prices = NO_PRICES
    server: str = ""
    """The agent's server, and its name there; with the model that answers, it is known by its habits."""
    _certain: TTLCache[tuple[str, OrganizationId | None], Habit] = field(
        default_factory=lambda: TTLCache(10_000, _HABITS_FOR)
    )

    def growth(self, job: Job, target: ReplyTarget, lease: LeaseGuard, found: Found) -> Growth:
        """Return the answer before it begins; `found` are its posts of an earlier attempt."""
        parts = (self.poster, self.answers, self.metrics)
        return Growth(*parts, job, target, lease, self.image_hosts, found, self.stream, self.rhythm)

    async def ask(self, question: Callable[[], Awaitable[Question]], growth: Growth) -> str | None:
        """Return the whole answer; None if somebody stopped it.

        `question` prepares the question, which takes long where files are read, and can be stopped too.
        """
        with self.signals.of(growth.job.id) as stopped, self.metrics.growing():
            done = await _unless_stopped(self._read(question, growth), growth, stopped)
        if done is None:
            return None
        await self._learn(done, growth)
        return done.text

    async def _habit(self, model: str, organization: OrganizationId | None) -> Habit:
        """Return what is known of the agent; nothing while the database is away."""
        agent = self._name(model)
        if organization is None or not self.stream:
            return Habit()
        if known := self._certain.get((agent, organization)):
            return known
        try:
            habit = await self.habits.of(agent, organization)
        except DatabaseUnavailable:
            return Habit()
        if habit.is_certain:
            self._certain[agent, organization] = habit
        return habit

    async def _learn(self, done: Done, growth: Growth) -> None:
        """Remember whether the answer took back what came before."""
        organization, ends = growth.job.organization_id, late_ends(done.text)
        if organization is None or not self.stream or (growth.habit.is_certain and not ends):
            return
        agent = self._name(growth.model)
        self._certain.pop((agent, organization), None)
        if ends and growth.is_shown:
            log.warning("answer_took_back", organization=str(organization))
        with suppress(DatabaseUnavailable):
            await self.habits.note(agent, organization, ends)

    def _name(self, model: str) -> str:
        return f"{self.server}\n{model}"

    async def _read(self, question: Callable[[], Awaitable[Question]], growth: Growth) -> Done:
        asked = await question()
        with self._measured():
            return await self._answer(asked, growth)

    async def _answer(self, question: Question, growth: Growth) -> Done:
        meter, run = growth.job.meter, None
        async with aclosing(self.agent.answer(question)) as events:
            async for event in events:
                match event:
                    case Began(run_id, model):
                        log.debug("agent_run", run=run_id)
                        growth.begin(model, await self._habit(model, growth.job.organization_id))
                        run = meter.began(model)
                    case Delta(text):
                        growth.add(text)
                        meter.text(growth.job.age)
                    case Done():
                        meter.text(growth.job.age)
                        self._report(event, run or meter.began(event.model))
                        return event
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
    work: Coroutine[Any, Any, Done], growth: Growth, stopped: asyncio.Future[None]
) -> Done | None:
    """Return what the work returns; None, with the work cancelled, if `stopped` comes first."""
    reading = asyncio.create_task(work, name="read answer")
    tasks: set[asyncio.Task[Any]] = {reading}
    try:
        # Nothing is shown sooner, and a quick answer is whole by then.
        await _first({reading, stopped}, growth.rhythm.hold)
        if not (reading.done() or stopped.done()):
            showing = asyncio.create_task(growth.keep_showing(), name="show answer")
            tasks.add(showing)
            await _first({reading, stopped, showing})
            if showing.done():
                showing.result()
        return reading.result() if reading.done() else None
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
    finally:
        reading.cancel()
        growth.end()
        # An edit that is under way must not come after the last one.
        await asyncio.wait(tasks)
        for task in tasks:
            _ = task.cancelled() or task.exception()


async def _first(futures: Collection[asyncio.Future[Any]], seconds: float | None = None) -> None:
    """Wait for the first of them, so many seconds at most."""
    await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
