"""The outcome of an administrator's call: an object or None, and a refusal as the error it means."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from bridge.errors import MattermostFull, MattermostRefused
from bridge.mattermost.rest.refusals import Limit, explained, is_absence
from bridge.mattermost.rest.transport import Reply, Transport

T = TypeVar("T")

_RESEND_FOR = 15.0
"""Seconds in which a request of unknown outcome may be sent again."""


def repeatable(transport: Transport) -> Transport:
    """Return the same for requests that may be sent twice: the server refuses a second object of one name."""
    return transport.with_policy(replace(transport.retry_policy, resend_for=_RESEND_FOR))


async def found_or_none(reply: Reply, parse: Callable[[Any], T]) -> T | None:
    """Return the object, None if the server says that there is none."""
    try:
        return parse(await reply)
    except MattermostRefused as error:
        if is_absence(error):
            return None
        raise


@contextmanager
def unless_absent() -> Iterator[None]:
    """Ignore a refusal that says that the object is not there, or that nothing is left to do."""
    try:
        yield
    except MattermostRefused as error:
        if not is_absence(error):
            raise


@contextmanager
def explaining(limit: Limit) -> Iterator[None]:
    """Turn a refusal into the error that it means; `limit` names what may be full."""
    try:
        yield
    except (MattermostRefused, MattermostFull) as error:
        meaning = explained(error, limit)
        if meaning is error:
            raise
        raise meaning from error
