"""Run checks concurrently, each with its own deadline; a failure of one does not affect the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import BridgeError, TokenRefused
from bridge.ops.findings import Finding

log = structlog.get_logger(__name__)

Look = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True)
class Check:
    subject: str
    look: Look
    todo: str
    """Advice for a failure without more specific advice."""
    token: str = ""
    """The variable whose token the check uses."""
    if_refused: str = ""
    """Advice for the case that Mattermost refuses this token."""
    deadline: float | None = None
    """Seconds; None is the doctor's own."""


async def run_all(checks: Sequence[Check]) -> list[Finding]:
    """Run all checks at once and return their findings, in the order of the checks."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_run(check), name=check.subject) for check in checks]
    return [finding for task in tasks for finding in task.result()]


async def _run(check: Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(check.deadline):
            return await check.look()
    except TimeoutError:
        return [Finding(check.subject, "bad", f"no answer within {check.deadline or 0:g} s", check.todo)]
    except TokenRefused as error:
        found = f"Mattermost refuses {check.token}" if check.token else error.message
        return [Finding(check.subject, "bad", found, check.if_refused or check.todo)]
    except BridgeError as error:
        return [Finding(check.subject, "bad", error.message, check.todo)]
    except Exception as error:  # a broken check must not hide the findings of the others
        log.debug("check_failed", subject=check.subject, exc_info=True)
        return [Finding(check.subject, "bad", f"could not be checked ({type(error).__name__})", check.todo)]


def absent(subject: str, missing: str, *, required: bool) -> Check:
    """Return a check for something that is not configured; `missing` says what does not work without it."""

    async def look() -> Sequence[Finding]:
        if required:
            return [Finding(subject, "bad", "not configured", missing)]
        return [Finding(subject, "absent", f"not configured: {missing}")]

    return Check(subject, look, missing)
