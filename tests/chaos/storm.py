"""A storm: people ask, daemons are killed, sockets are cut, REST fails; then the answers are counted."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bridge.sandbox.agent.faults import STARTING, Cut, Fault
from bridge.sandbox.agent.requests import Call
from bridge.sandbox.mattermost import Post, RestFault
from handlers.posts.parts import MARK
from tests.chaos.direct import DirectTalk
from tests.chaos.events import EventStream
from tests.chaos.files import FileStream
from tests.chaos.meddling import Meddling, long_answer
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything; times in seconds."""

    mentions: int
    kills: int
    threads: int
    events: int
    """Of the platform, sent meanwhile."""
    direct: int = 0
    """Questions in direct channels, asked meanwhile."""
    files: int = 0
    """That people attach, and that the agent sends, meanwhile."""
    pause: float = 0.02
    """Between two mentions, on average."""
    event_pause: float = 0
    """Between two events of an organization."""
    cuts: tuple[float, float] = (0.3, 2)
    """Between two cuts of all websockets, at least and at most."""
    long_every: int = 8
    """How many questions there are to one with a long answer, which people may stop, correct or delete."""
    max_wait: float = 120
    """How long the last answers may take once the storm is over."""
    seed: int = 1

    @property
    def seconds(self) -> float:
        """How long the asking takes."""
        return self.mentions * self.pause


@dataclass(frozen=True, slots=True)
class Counts:
    """The outcome of a storm."""

    asked: int
    lost: int
    double: int
    disordered: int
    kills: int
    seconds: float
    agent_calls: int
    unfinished: int
    """Long answers that are neither exact nor stopped, and jobs or answers that have no end."""
    events_sent: int
    events: tuple[int, int, int]
    """Of the platform's events: lost, posted twice, posted out of order."""
    direct: tuple[int, int, int] = (0, 0, 0)
    """The same of questions in direct channels."""
    files: tuple[int, int] = (0, 0)
    """Of files: lost, posted twice."""
    examples: Sequence[str] = field(default=())

    @property
    def clean(self) -> bool:
        return self.answers_are_clean and not any(self.events)

    @property
    def answers_are_clean(self) -> bool:
        others = (*self.direct, *self.files)
        return not (self.lost or self.double or self.disordered or self.unfinished or any(others))


class Storm:
    """Rages over the hosts; every random choice comes from one seed. Only the `mortal` daemons are killed."""

    def __init__(
        self, hosts: Hosts, daemons: Sequence[Daemon], plan: Plan, mortal: Sequence[Daemon] = ()
    ) -> None:
        self._world = hosts
        self._mortal = mortal or daemons
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._event_stream = EventStream(hosts, daemons, plan.events, plan.event_pause)
        self._meddling = Meddling(hosts, self._random)
        self._direct = DirectTalk(hosts, random.Random(plan.seed), plan.direct)
        self._files = FileStream(hosts, daemons, plan.files)
        self._asked: list[Post] = []
        self._kills = 0

    async def rage(self) -> Counts:
        """Ask everything through all the faults, wait for the last answer, and count."""
        started = time.monotonic()
        hosts = self._world
        hosts.agent.fault_for = self._agent_fault
        # A kill is to meet answers in the making.
        hosts.agent.latency = 0.15
        async with self._faults(), asyncio.TaskGroup() as group:
            storm = [
                group.create_task(self._kill(), name="kill"),
                group.create_task(self._event_stream.send(), name="events"),
                group.create_task(self._direct.ask(self._plan.seconds), name="direct"),
                group.create_task(self._files.exchange(self._plan.seconds), name="files"),
                group.create_task(self._ask(), name="ask"),
            ]
            await asyncio.wait(storm)
        await self._answered()
        return self._count(time.monotonic() - started, await self._meddling.look())

    async def _ask(self) -> None:
        roots: list[tuple[Company, Post]] = []
        async with asyncio.TaskGroup() as group:
            for number in range(self._plan.mentions):
                post = self._asked_in(roots, number)
                self._asked.append(post)
                if self._is_long(number):
                    group.create_task(self._meddling.with_question(post))
                await asyncio.sleep(self._random.uniform(0, 2 * self._plan.pause))

    def _asked_in(self, roots: list[tuple[Company, Post]], number: int) -> Post:
        """Ask, at the top of the channel until there are enough threads, then in one of them."""
        text = f"@equabot {'long ' if self._is_long(number) else ''}question {number}"
        if len(roots) >= self._plan.threads:
            company, root = self._random.choice(roots)
            return self._world.ask(company, text, root_id=root.id, by=number % 2)
        company = self._random.choice(self._world.companies)
        post = self._world.ask(company, text, by=number % 2)
        roots.append((company, post))
        return post

    def _is_long(self, number: int) -> bool:
        return number % self._plan.long_every == 0

    async def _kill(self) -> None:
        """Kill and start daemons, spread over the time that the asking takes."""
        for number in range(self._plan.kills):
            await asyncio.sleep(self._plan.seconds / self._plan.kills * self._random.uniform(0.5, 1.5))
            daemon = self._mortal[number % len(self._mortal)]
            await daemon.kill()
            self._kills += 1
            await daemon.start()

    @asynccontextmanager
    async def _faults(self) -> AsyncIterator[None]:
        faults = self._world.server.faults
        faults.duplicate_posted, faults.drop_events = 0.05, 0.02
        for fault in (
            RestFault(when="before", status=503, fraction=0.02),
            RestFault(when="after", status=502, method="POST", path="/posts", fraction=0.04),
            RestFault(when="after", cut=True, method="POST", path="/posts", fraction=0.04),
            RestFault(when="before", status=429, retry_after=1, fraction=0.01),
            RestFault(when="after", delay=0.5, fraction=0.03),
        ):
            faults.rest(fault)
        cutting = asyncio.create_task(self._cut(), name="cut")
        try:
            yield
        finally:
            cutting.cancel()
            faults.clear()
            self._world.agent.fault_for = long_answer

    async def _cut(self) -> None:
        faults = self._world.server.faults
        while True:
            await asyncio.sleep(self._random.uniform(*self._plan.cuts))
            faults.refuse_sockets = self._random.random() < 0.3
            faults.cut_sockets()

    def _agent_fault(self, call: Call) -> Fault | None:
        if self._random.random() >= 0.03:
            return long_answer(call)
        return STARTING if self._random.random() < 0.5 else Cut()

    async def _answered(self) -> None:
        """Wait for the last answer; answers that are missing after `max_wait` count as lost."""
        try:
            async with asyncio.timeout(self._plan.max_wait):
                while not await self._is_over():
                    await asyncio.sleep(0.5)
        except TimeoutError:
            return
        if not await self._event_stream.posted(self._plan.max_wait):
            return
        # A second answer would come of a lease that is taken over: give it the time to.
        await asyncio.sleep(2)

    async def _is_over(self) -> bool:
        if await self._meddling.look() or not all(map(self._world.answers, self._kept())):
            return False
        return self._direct.is_answered() and self._files.is_over()

    def _kept(self) -> list[Post]:
        """Return the questions that must have an answer."""
        return [post for post in self._asked if not self._meddling.may_lack_an_answer(post)]

    def _count(self, seconds: float, open_ends: int) -> Counts:
        answers = {post.id: len(self._world.answers(post)) for post in self._kept()}
        unfinished = list(self._meddling.unfinished())
        lost = [post_id for post_id, count in answers.items() if count == 0]
        double = [post_id for post_id, count in answers.items() if count > 1]
        disordered = self._disordered()
        return Counts(
            asked=len(self._asked),
            lost=len(lost),
            double=len(double),
            disordered=len(disordered),
            kills=self._kills,
            seconds=seconds,
            agent_calls=len(self._world.agent.calls),
            unfinished=len(unfinished) + open_ends,
            events_sent=self._plan.events,
            events=self._event_stream.count(),
            direct=self._direct.count(),
            files=self._files.count(),
            examples=[f"lost {post}" for post in lost[:5]]
            + [f"double {post}" for post in double[:5]]
            + unfinished[:5]
            + [f"out of order in {thread}" for thread in disordered[:5]],
        )

    def _disordered(self) -> list[str]:
        """Return the threads whose answers do not come in the order of their questions.

        A deleted question has no order: Mattermost's REST interface shows it to nobody any more, while a
        websocket that is resumed still delivers it.
        """
        threads: dict[str, list[str]] = {}
        for post in self._asked:
            if self._meddling.done.get(post.id) == "delete":
                continue
            threads.setdefault(post.root_id or post.id, []).append(post.id)
        return [
            root
            for root, questions in threads.items()
            if (answered := [each for each in self._answered_in(root) if each in questions])
            != [each for each in questions if each in answered]
        ]

    def _answered_in(self, root: str) -> list[str]:
        """Return the questions that were answered in a thread, in the order of the answers, each once."""
        posts = [post for post in self._world.store.thread(root) if post.user_id == self._world.bot.id]
        return list(dict.fromkeys(post.props[MARK]["answers"] for post in posts))
