"""Claim jobs, work on them, and stop without losing one.

A worker holds up to `slots` jobs at once. An organization may take one more only while it holds fewer than
there are free slots: one busy organization gets half of them, two get a third each, and some are always
left to the others.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import structlog

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.errors import DatabaseUnavailable
from bridge.metrics import Metrics
from bridge.models.jobs import Job, JobId, JobKind
from bridge.worker.attempt import Attempt, Handler
from bridge.worker.leases import Leases

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """The worker's numbers; times in seconds."""

    slots: int = 6000
    claim: int = 100
    """How many jobs one claim takes at most."""
    poll: float = 2.0
    """How often it looks for jobs although nobody woke it."""
    renew: float = 5.0
    stop: float = 20.0
    """How long a stop waits for running jobs."""


@dataclass(slots=True)
class Worker:
    """Works on jobs of the kinds that have handlers; other kinds are left to other processes."""

    inbox: Inbox
    handlers: Mapping[JobKind, Handler]
    metrics: Metrics
    wakeup: asyncio.Event
    """Set when there may be something to claim."""
    config: WorkerConfig = WorkerConfig()
    _running: dict[JobId, tuple[Job, asyncio.Task[None]]] = field(default_factory=dict, init=False)
    _group: asyncio.TaskGroup | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)
    _resting: set[JobId] = field(default_factory=set, init=False)
    """Jobs after whose end there is nothing to claim."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then give running jobs `config.stop` seconds and release the rest."""
        leases = Leases(self.inbox, self._running, self._abandon, self.wakeup.set)
        async with asyncio.TaskGroup() as group:
            self._group, self.inbox.runner = group, self
            renewing = group.create_task(leases.renew(self.config.renew), name="renew leases")
            releasing = group.create_task(leases.release_expired(self.config.poll), name="release leases")
            claiming = group.create_task(self._claim(), name="claim jobs")
            await stop.wait()
            self._stopping = True
            for task in (claiming, releasing):
                task.cancel()
            await self._drain()
            renewing.cancel()

    def register(self, handlers: Mapping[JobKind, Handler]) -> None:
        """Do jobs of these kinds too from now on."""
        self.handlers = {**self.handlers, **handlers}
        self.wakeup.set()

    def capacity(self) -> Capacity:
        """Return how much it can take now."""
        free = 0 if self._stopping or not self._group else self.config.slots - len(self._running)
        holds = Counter(job.organization_id for job, _ in self._running.values() if job.organization_id)
        full = [organization for organization, count in holds.items() if count >= free]
        # A quarter at a time, so that what one claim takes cannot use up what should be left free.
        limit = min(self.config.claim, max(free // 4, min(free, 1)))
        return Capacity(limit, full, self.handlers.keys())

    def begin(self, jobs: Iterable[Job]) -> None:
        """Work on jobs that were claimed for this process.

        A job that already runs here goes on, whoever freed it meanwhile. One that another comes for under its
        number is lost: the database has crashed. A job that comes during a stop is released at its end.
        """
        for job in jobs:
            if self._stopping or self._runs(job):
                continue
            self._abandon(job.id)
            assert self._group
            attempt = Attempt(self.inbox, self.metrics, self.wakeup)
            work = attempt.run(job, self.handlers[job.kind])
            task = self._group.create_task(work, name=f"{job.kind} {job.id}")
            self._running[job.id] = (job, task)
            # One that is cancelled before it has begun comes to no end of its own.
            task.add_done_callback(partial(self._ended, job.id))

    def wake(self) -> None:
        """Look for jobs now."""
        self.wakeup.set()

    def rest(self, jobs: Iterable[JobId]) -> None:
        """Look for no other jobs because these have ended."""
        self._resting |= self._running.keys() & set(jobs)

    def abandon(self, jobs: Iterable[Job]) -> None:
        """End the work on jobs that are not there any more; others may have their numbers."""
        for job in filter(self._runs, jobs):
            self._abandon(job.id)

    async def release(self, asked: Collection[JobId] = ()) -> None:
        """Leave the claimed jobs to other processes; the agent had begun to answer those in `asked`."""
        try:
            if released := await self.inbox.release(asked):
                log.warning("jobs_released", jobs=released)
        except DatabaseUnavailable as error:
            log.warning("release_failed", reason=error.message)

    async def _claim(self) -> None:
        while True:
            self.wakeup.clear()
            capacity = self.capacity()
            jobs = await self._claimed(capacity)
            self.begin(jobs)
            if len(jobs) < max(capacity.limit, 1):
                await self._woken()

    async def _claimed(self, capacity: Capacity) -> list[Job]:
        if not capacity.limit:
            return []
        try:
            return await self.inbox.claim(capacity)
        except DatabaseUnavailable as error:
            log.warning("claim_failed", reason=error.message)
            await asyncio.sleep(1)
            return []

    async def _woken(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.poll):
                await self.wakeup.wait()

    def _runs(self, job: Job) -> bool:
        """Return whether it is this job that runs here under its number."""
        running = self._running.get(job.id)
        return running is not None and running[0].key == job.key and not running[1].done()

    def _ended(self, job_id: JobId, task: asyncio.Task[None]) -> None:
        """Hold an attempt no longer that has ended, in whatever way."""
        running = self._running.get(job_id)
        if running is None or running[1] is not task:
            return  # another attempt has begun
        del self._running[job_id]
        self.inbox.forget(job_id)
        if job_id in self._resting:
            self._resting.discard(job_id)
        else:
            self.wakeup.set()

    def _abandon(self, job_id: JobId) -> None:
        running = self._running.get(job_id)
        if running and not running[1].done():
            log.warning("lease_lost", job=job_id)
            running[1].cancel()

    async def _drain(self) -> None:
        """Wait for the running jobs, cancel those that take too long, and release them."""
        asked: list[JobId] = []
        if tasks := [task for _, task in self._running.values()]:
            log.info("finishing", jobs=len(tasks))
            _, late = await asyncio.wait(tasks, timeout=self.config.stop)
            asked = [job.id for job, _ in self._running.values() if job.meter.runs]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.release(asked)
