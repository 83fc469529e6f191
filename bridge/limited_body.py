"""A body that is read in pieces, and no further than it may be long."""

from collections.abc import AsyncIterable


async def read_limited(pieces: AsyncIterable[bytes], limit: int) -> bytes | None:
    """Return the whole body, None as soon as it is longer than `limit` bytes."""
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)
