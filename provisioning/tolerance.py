"""Refusals of Mattermost that must keep nobody out."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bridge.errors import MattermostRefused, TokenRefused

log = structlog.get_logger(__name__)


@contextmanager
def tolerated(event: str, **fields: str) -> Iterator[None]:
    """Log a refusal instead of raising it; a refused token is still raised."""
    try:
        yield
    except TokenRefused:
        raise
    except MattermostRefused as error:
        log.warning(event, reason=error.message, **fields)
