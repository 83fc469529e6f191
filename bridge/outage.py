"""Wait out an outage: repeat an action until it succeeds, or connect again for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import NoReturn, TypeVar

import structlog

from bridge import retry
from bridge.errors import DatabaseUnavailable, MattermostRefused, MattermostUnavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

TRANSIENT = (DatabaseUnavailable, MattermostUnavailable, MattermostRefused)
"""Refusals too: somebody will replace the token or give the rights back."""

_HEALTHY = 10.0
"""Seconds after which the next loss counts as the first, so that a server that hangs up is not hammered."""


async def retry_until_available(what: str, action: Callable[[], Awaitable[T]]) -> T:
    """Do the action, again and again while the database or Mattermost is away.

    Between two tries it waits for at least as long as the other side asked for, up to five minutes.
    """
    delays = retry.delays(0.2, 2, 30)
    while True:
        try:
            return await action()
        except TRANSIENT as error:
            seconds = retry.as_asked(next(delays), error)
            log.warning("retrying", what=what, reason=error.message, seconds=round(seconds, 1))
        await asyncio.sleep(seconds)


async def reconnect_forever(
    what: str,
    connect: Callable[[], Awaitable[None]],
    *,
    is_loss: Callable[[Exception], bool],
    backoff: Callable[[], Iterator[float]],
) -> NoReturn:
    """Connect, and connect again whenever `connect` returns or raises a loss; anything else is raised.

    `connect` lasts as long as its connection. Delays grow with every loss that follows another within 10 s.
    """
    delays = backoff()
    while True:
        began = time.monotonic()
        try:
            await connect()
        except Exception as error:
            if not is_loss(error):
                raise
            log.warning("connection_lost", what=what, error=type(error).__name__, reason=str(error))
        if time.monotonic() - began > _HEALTHY:
            delays = backoff()
        await asyncio.sleep(next(delays))
