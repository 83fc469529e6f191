"""Ask the agent: show its answer while it comes in, and stop it when somebody wants that."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field

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
from handlers.answers.interruptible import Interruptible
from handlers.answers.showing import Showing
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
        done: Done | None = None
        reading = Interruptible()
        with self.metrics.growing():
            async with Showing(growth, reading.interrupt) as showing, reading:
                with self.signals.of(growth.job.id, reading.interrupt):
                    done = await self._read(question, showing)
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

    async def _read(self, question: Callable[[], Awaitable[Question]], showing: Showing) -> Done:
        asked = await question()
        with self._measured():
            return await self._answer(asked, showing)

    async def _answer(self, question: Question, showing: Showing) -> Done:
        growth, run = showing.growth, None
        meter = growth.job.meter
        async with aclosing(self.agent.answer(question)) as events:
            async for event in events:
                match event:
                    case Began(run_id, model):
                        log.debug("agent_run", run=run_id)
                        growth.begin(model, await self._habit(model, growth.job.organization_id))
                        run = meter.began(model)
                    case Delta(text):
                        growth.add(text)
                        showing.begin()
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
