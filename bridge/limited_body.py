"""A body that is read in pieces, and no further than it may be long."""

from collections.abc import AsyncIterable, AsyncIterator


class TooLong(Exception):
    """A body is longer than it may be."""


async def limited(pieces: AsyncIterable[bytes], limit: int) -> AsyncIterator[bytes]:
    """Yield the pieces; raises `TooLong` as soon as they have more than `limit` bytes together."""
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TooLong
        yield piece


async def read_limited(pieces: AsyncIterable[bytes], limit: int) -> bytes | None:
    """Return the whole body, None as soon as it is longer than `limit` bytes."""
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)
