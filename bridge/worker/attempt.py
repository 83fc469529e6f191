"""One attempt at a job: run its handler, decide about a retry, record the outcome.

Whether a failed job is tried again is decided here and nowhere else.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from bridge import retry, tracing
from bridge.db.inbox import Inbox
from bridge.errors import BridgeError, DatabaseUnavailable, LeaseLost
from bridge.metrics import Metrics
from bridge.models.jobs import Job
from bridge.models.usage import REFUSALS, Outcome, Used

log = structlog.get_logger(__name__)

T = TypeVar("T")

Result = Mapping[str, Any]
"""What the job table keeps of a job that was done, as JSON values."""

GiveUp = Callable[[Job, Exception, str], Awaitable[Result | None]]

_LOST = "lease lost"


@dataclass(frozen=True, slots=True)
class Handler:
    """Does the jobs of one kind."""

    run: Callable[[Job], Awaitable[Result]]
    """Does a job; safe to repeat."""
    give_up: GiveUp | None = None
    """Says a last word to the people concerned about a job that failed for good, given its error and the
    reason; returns None if nothing was said. Safe to repeat."""


@dataclass(frozen=True, slots=True)
class Attempt:
    inbox: Inbox
    metrics: Metrics
    wakeup: asyncio.Event

    async def run(self, job: Job, handler: Handler) -> None:
        """Do the job once, record and log the outcome."""
        started = time.monotonic()
        post_id = job.payload.get("post_id")
        request_id = post_id or f"job-{job.id}"
        # Of this job's task alone, and gone with it.
        structlog.contextvars.bind_contextvars(job=job.id, request_id=request_id)
        with tracing.job(f"job {job.kind}", post_id, request_id=request_id, attempt=job.attempts) as span:
            outcome = await self._outcome(job, handler)
            span.set(outcome=outcome)
            self.metrics.job(job.kind, outcome)
            log.info(
                "job",
                kind=job.kind,
                outcome=outcome,
                organization=str(job.organization_id) if job.organization_id else None,
                attempt=job.attempts,
                ms=round((time.monotonic() - started) * 1000),
            )

    async def _outcome(self, job: Job, handler: Handler) -> str:
        try:
            return await self._finished(job, await handler.run(job))
        except LeaseLost:
            return _LOST
        except Exception as error:  # noqa: BLE001  # a handler's fault must not end the daemon
            return await self._failed(job, error, handler.give_up)

    async def _failed(self, job: Job, error: Exception, give_up: GiveUp | None = None) -> str:
        if not isinstance(error, BridgeError):
            log.error("handler_failed", kind=job.kind, exc_info=error)
        decision = retry.decide(error, job.attempts, _age(job))
        if isinstance(decision, retry.Retry):
            return await self._retried(job, error, decision.delay)
        if give_up is None:
            return await self._dead(job, error)
        return await self._given_up(job, error, give_up, decision.reason)

    async def _given_up(self, job: Job, error: Exception, give_up: GiveUp, reason: str) -> str:
        try:
            result = await give_up(job, error, reason)
        except LeaseLost:
            return _LOST
        except Exception as another:  # noqa: BLE001  # likewise
            return await self._failed(job, another)
        return await self._dead(job, error) if result is None else await self._finished(job, result)

    async def _finished(self, job: Job, result: Result) -> str:
        used = _used_by(job, result.get("skipped"))
        return await self._written(lambda: self.inbox.finish(job.id, result, used)) or _LOST

    async def _retried(self, job: Job, error: Exception, delay: float) -> str:
        reason = _reason(error)
        log.warning("job_waits", reason=reason, seconds=round(delay, 1))
        asyncio.get_running_loop().call_later(delay, self.wakeup.set)
        used = _used(job, "unfinished")
        back = await self._written(lambda: self.inbox.retry(job, delay, reason, used))
        return "retry" if back else _LOST

    async def _dead(self, job: Job, error: Exception) -> str:
        reason = _reason(error)
        log.error("job_is_dead", reason=reason)
        used = job.meter.used("failed") if job.asks else None
        dead = await self._written(lambda: self.inbox.dead_letter(job.id, reason, used))
        return "dead" if dead else _LOST

    async def _written(self, write: Callable[[], Awaitable[T]]) -> T:
        """Record the outcome, waiting for the database if need be."""
        while True:
            try:
                return await write()
            except DatabaseUnavailable as error:
                log.warning("record_failed", reason=error.message)
                await asyncio.sleep(1)


def _used_by(job: Job, skipped: str | None) -> Used | None:
    """Return what a job has used that ends without an answer; of a refusal although it is nothing."""
    if skipped in REFUSALS:
        return replace(job.meter.used("refused"), reason=skipped)
    return _used(job, "no_reply" if skipped == "no_reply" else "stopped")


def _used(job: Job, outcome: Outcome) -> Used | None:
    """Return what the job has used that is not stored with an answer; None if that is nothing."""
    return job.meter.used(outcome) if job.asks and job.meter.runs else None


def _age(job: Job) -> float:
    return (datetime.now(UTC) - job.created).total_seconds()


def _reason(error: Exception) -> str:
    if isinstance(error, BridgeError):
        return f"{error.code}: {error.message}"
    return f"internal_error: {type(error).__name__}"
