"""Repeat an action until the database and Mattermost are available."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge import retry
from bridge.errors import DatabaseUnavailable, MattermostRefused, MattermostUnavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

TRANSIENT = (DatabaseUnavailable, MattermostUnavailable, MattermostRefused)
"""Refusals too: somebody will replace the token or give the rights back."""


async def retry_until_available(what: str, action: Callable[[], Awaitable[T]]) -> T:
    """Do the action, again and again while the database or Mattermost is away.

    Between two tries it waits for at least as long as the other side asked for, up to five minutes.
    """
    for delay in retry.delays(0.2, 2, 30):
        try:
            return await action()
        except TRANSIENT as error:
            seconds = retry.as_asked(delay, error)
            log.warning("retrying", what=what, reason=error.message, seconds=round(seconds, 1))
        await asyncio.sleep(seconds)
    raise AssertionError("delays never end")
