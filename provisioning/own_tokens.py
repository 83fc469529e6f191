"""Distinguish a refused token of the bridge from a person's."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bridge.errors import OwnTokenRefused, TokenRefused

log = structlog.get_logger(__name__)

VARIABLES = "MATTERMOST_ADMIN_BOT_TOKEN, MATTERMOST_BOT_TOKEN or MATTERMOST_NOTICE_TOKEN"
"""The tokens that provisioning uses."""


@contextmanager
def own_tokens() -> Iterator[None]:
    """Raise `OwnTokenRefused` for a refused token: inside, each is the bridge's own, never a person's."""
    try:
        yield
    except TokenRefused as error:
        log.error("token_refused", replace=VARIABLES, reason=error.message, error_id=error.error_id)
        raise OwnTokenRefused from error
