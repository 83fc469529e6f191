"""What every websocket to another host needs: a logger that shows no frame, and an end in time."""

import asyncio
import logging
from contextlib import suppress

from websockets.asyncio.client import ClientConnection


async def hang_up(websocket: ClientConnection, within: float) -> None:
    """Close politely; abort a connection that takes no more data."""
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await websocket.close()
    finally:
        websocket.transport.abort()


def discreet_logger() -> logging.Logger:
    """Return the library's logger, at INFO or above: DEBUG logs the header and every frame."""
    logger = logging.getLogger("websockets.client")
    logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))
    return logger
