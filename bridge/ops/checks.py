"""Looking at many things at once: each within its own time, and none in the way of another."""

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
    """What the operator can do when it fails and nothing better is known."""
    token: str = ""
    """The variable of the token that it asks with."""
    anew: str = ""
    """What the operator can do when Mattermost refuses that."""
    deadline: float = 10
    """Seconds."""


async def look_at_all(checks: Sequence[Check]) -> list[Finding]:
    """Return what all of them find, in their order."""
    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(_preview(check), name=check.subject) for check in checks]
    return [finding for look in looks for finding in look.result()]


async def _preview(check: Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(check.deadline):
            return await check.look()
    except TimeoutError:
        return [Finding(check.subject, "bad", f"nothing within {check.deadline:g} s", check.todo)]
    except TokenRefused as error:
        found = f"Mattermost refuses {check.token}" if check.token else error.message
        return [Finding(check.subject, "bad", found, check.anew or check.todo)]
    except BridgeError as error:
        return [Finding(check.subject, "bad", error.message, check.todo)]
    except Exception as error:  # a check that is broken must not hide what the others find
        log.debug("check_failed", subject=check.subject, exc_info=True)
        return [Finding(check.subject, "bad", f"could not be looked at ({type(error).__name__})", check.todo)]


def absent(subject: str, missing: str, *, required: bool) -> Check:
    """Return a check of what is not configured; `missing` tells what there is not without it."""

    async def look() -> Sequence[Finding]:
        if required:
            return [Finding(subject, "bad", "not configured", missing)]
        return [Finding(subject, "absent", f"not configured: {missing}")]

    return Check(subject, look, missing)
