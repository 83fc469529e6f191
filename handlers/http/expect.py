"""The header `Expect`."""

from contextlib import suppress

from aiohttp import HttpVersion11, web


async def expected(request: web.Request) -> None:
    """Ask for the body where the client waits to be asked; pass over any other expectation.

    aiohttp quotes what it does not know in an answer of its own; RFC 9110 section 10.1.1 allows to ignore it.
    """
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        with suppress(ConnectionError):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
