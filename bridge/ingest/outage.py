"""Doing something however long the database or Mattermost is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge import retry
from bridge.errors import DatabaseUnavailable, MattermostRefused, MattermostUnavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

TRANSIENT = (DatabaseUnavailable, MattermostUnavailable, MattermostRefused)
"""A refusal too: of a token that somebody will replace, or of rights that somebody will give back."""


async def retry_until_available(what: str, action: Callable[[], Awaitable[T]]) -> T:
    """Do it, however long the database or Mattermost is away.

    Between two tries it waits for at least as long as the other side asked for, up to five minutes.
    """
    for delay in retry.delays(0.2, 2, 30):
        try:
            return await action()
        except TRANSIENT as error:
            seconds = retry.as_asked(delay, error)
            log.warning("listener_waits", what=what, reason=error.message, seconds=round(seconds, 1))
        await asyncio.sleep(seconds)
    raise AssertionError("delays never end")
