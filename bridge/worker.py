"""The worker: claims jobs from the inbox and gives each to the handler of its kind.

It holds up to `slots` jobs at once. An organization may take one more only while it holds fewer than
there are free slots: one busy organization gets half of them, two get a third each, and some are
always left to the others.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, assert_never

import structlog

from bridge import retry, tracing
from bridge.db.inbox import Capacity, Inbox
from bridge.errors import BridgeError, DatabaseUnavailable
from bridge.metrics import Metrics
from bridge.models.jobs import Job, JobId, JobKind

log = structlog.get_logger(__name__)

T = TypeVar("T")

Handler = Callable[[Job], Awaitable[Mapping[str, Any]]]
"""Does a job and returns what is worth remembering of it; safe to repeat."""


_LOST = "lease lost"


class LeaseLostError(Exception):
    """Another process has the job now; whatever this one was doing must stop."""


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
    """How long a stop waits for what is in hand."""


@dataclass(slots=True)
class Worker:
    inbox: Inbox
    handlers: Mapping[JobKind, Handler]
    """What it can do; jobs of other kinds are left to processes that can do them."""
    metrics: Metrics
    wakeup: asyncio.Event
    """Set when there may be something to claim."""
    config: WorkerConfig = WorkerConfig()
    _held: dict[JobId, tuple[Job, asyncio.Task[None]]] = field(default_factory=dict, init=False)
    _group: asyncio.TaskGroup | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then finish what is in hand within the pace's time and give back the rest."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            renewing = group.create_task(self._renew(), name="renew leases")
            releasing = group.create_task(self._release_expired(), name="reap leases")
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
        free = 0 if self._stopping or not self._group else self.config.slots - len(self._held)
        holds = Counter(job.organization_id for job, _ in self._held.values() if job.organization_id)
        full = [organization for organization, count in holds.items() if count >= free]
        # A quarter at a time, so that what one claim takes cannot use up what should be left free.
        return Capacity(min(self.config.claim, max(free // 4, min(free, 1))), full)

    def begin(self, jobs: Iterable[Job]) -> None:
        """Work on jobs that were claimed for this process.

        What is in hand already stays there, whoever freed it meanwhile; what comes while stopping is given
        back at the end.
        """
        for job in jobs:
            if self._stopping or job.id in self._held:
                continue
            assert self._group
            task = self._group.create_task(self._work(job), name=f"{job.kind} {job.id}")
            self._held[job.id] = (job, task)

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
            return await self.inbox.claim(capacity, self.handlers.keys())
        except DatabaseUnavailable as error:
            log.warning("claim_failed", reason=error.message)
            await asyncio.sleep(1)
            return []

    async def _woken(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.poll):
                await self.wakeup.wait()

    async def _work(self, job: Job) -> None:
        started = time.monotonic()
        post_id = job.payload.get("post_id")
        request_id = post_id or f"job-{job.id}"
        with (
            structlog.contextvars.bound_contextvars(job=job.id, request_id=request_id),
            tracing.job(f"job {job.kind}", post_id, request_id=request_id, attempt=job.attempts) as span,
        ):
            try:
                outcome = await self._outcome(job)
                span.set(outcome=outcome)
            except asyncio.CancelledError:
                outcome = "interrupted"
                raise
            finally:
                self._held.pop(job.id, None)
                self.wakeup.set()
            self.metrics.job(job.kind, outcome)
            log.info(
                "job",
                kind=job.kind,
                outcome=outcome,
                organization=str(job.organization_id) if job.organization_id else None,
                attempt=job.attempts,
                ms=round((time.monotonic() - started) * 1000),
            )

    async def _outcome(self, job: Job) -> str:
        """Do the job and record what became of it, whatever that is."""
        try:
            result = await self.handlers[job.kind](job)
            return await self._written(lambda: self.inbox.finish(job.id, result)) or _LOST
        except LeaseLostError:
            return _LOST
        except Exception as error:  # noqa: BLE001  # a handler's fault must not end the daemon
            return await self._failed(job, error)

    async def _failed(self, job: Job, error: Exception) -> str:
        reason = _reason(error)
        if not isinstance(error, BridgeError):
            log.error("handler_failed", kind=job.kind, exc_info=error)
        age = (datetime.now(UTC) - job.created).total_seconds()
        match retry.decide(error, job.attempts, age):
            case retry.Retry(delay):
                log.warning("job_waits", reason=reason, seconds=round(delay, 1))
                asyncio.get_running_loop().call_later(delay, self.wakeup.set)
                return (
                    "retry" if await self._written(lambda: self.inbox.retry(job.id, delay, reason)) else _LOST
                )
            case retry.GiveUp():
                log.error("job_is_dead", reason=reason)
                return (
                    "dead" if await self._written(lambda: self.inbox.dead_letter(job.id, reason)) else _LOST
                )
            case decision:
                assert_never(decision)

    async def _written(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write what became of a job, through an outage of the database if need be."""
        while True:
            try:
                return await write()
            except DatabaseUnavailable as error:
                log.warning("record_failed", reason=error.message)
                await asyncio.sleep(1)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.config.renew)
            held = list(self._held)
            if not held:
                continue
            try:
                ours = await self.inbox.renew(held)
            except DatabaseUnavailable as error:
                log.warning("renew_failed", reason=error.message)
                continue
            for lost in set(held) - ours:
                self._abandon(lost)

    def _abandon(self, job_id: JobId) -> None:
        if held := self._held.get(job_id):
            log.warning("lease_lost", job=job_id)
            held[1].cancel()

    async def _release_expired(self) -> None:
        while True:
            try:
                if freed := await self.inbox.release_expired(self._held):
                    log.warning("leases_expired", jobs=freed)
                    self.wakeup.set()
            except DatabaseUnavailable as error:
                log.warning("reap_failed", reason=error.message)
            await asyncio.sleep(self.config.poll)

    async def _drain(self) -> None:
        """Wait for what is in hand, stop what takes too long, and give it back."""
        if tasks := [task for _, task in self._held.values()]:
            log.info("finishing", jobs=len(tasks))
            _, late = await asyncio.wait(tasks, timeout=self.config.stop)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.give_back()

    async def give_back(self) -> None:
        """Leave to other processes what this one holds."""
        try:
            if given_back := await self.inbox.release():
                log.warning("given_back", jobs=given_back)
        except DatabaseUnavailable as error:
            log.warning("not_given_back", reason=error.message)


def _reason(error: Exception) -> str:
    return (
        f"{error.code}: {error.message}"
        if isinstance(error, BridgeError)
        else f"internal_error: {type(error).__name__}"
    )
