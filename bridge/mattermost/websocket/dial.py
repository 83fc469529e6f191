"""Opening the websocket."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from bridge.mattermost.rest.responses import seconds_to_wait
from bridge.mattermost.websocket.resume_state import ConnectionEnded
from bridge.mattermost.websocket.timing import Timing
from bridge.websocket_client import discreet_logger, hang_up

log = structlog.get_logger(__name__)

_LARGEST_FRAME = 16 << 20
"""Bytes; the server has no limit, and a post's props alone may have 800,000 characters."""


@asynccontextmanager
async def dial(
    url: str, token: str, query: Mapping[str, str], timing: Timing, proxy: str | None = None
) -> AsyncIterator[ClientConnection]:
    """Open a connection to the server at `url` (http or https); raise `ConnectionEnded` on failure.

    The server resumes only with the token in the header (`connectWebSocket` in
    server/channels/api4/websocket.go). It accepts any token there: 401 and 403 come from a proxy.
    """
    address = f"ws{url.removeprefix('http').rstrip('/')}/api/v4/websocket"
    opening = connect(
        f"{address}?{urlencode(query)}" if query else address,
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        proxy=proxy,
        open_timeout=timing.open,
        ping_interval=timing.keepalive,
        ping_timeout=timing.keepalive,
        close_timeout=timing.close,
        max_size=_LARGEST_FRAME,
        logger=discreet_logger(),
    )
    try:
        websocket = await opening
    except InvalidStatus as error:
        status, headers = error.response.status_code, error.response.headers
        asked = seconds_to_wait(headers.get_all("Retry-After"), time.time())
        log.warning("socket_not_opened", status=status)
        raise ConnectionEnded(
            "refused" if status in {401, 403} else "unreachable", retry_after=asked or 0
        ) from None
    except (OSError, WebSocketException) as error:
        log.warning("socket_not_opened", error=type(error).__name__)
        raise ConnectionEnded("unreachable") from None
    try:
        yield websocket
    finally:
        await hang_up(websocket, timing.close)
