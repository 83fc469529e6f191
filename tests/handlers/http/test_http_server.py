"""What is answered to bytes that are no request, and what of them is told to anybody."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from bridge.errors import StartupError
from handlers.http.http_server import LONGEST_HEADER, http_server

SECRET = "s3cr3t" * 10
"""Of a session cookie."""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def cookies(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["Cookie"])

    app = web.Application()
    app.router.add_get("/", cookies)
    async with http_server(app, "127.0.0.1", 0) as own_port:
        yield own_port


async def sent(port: int, text: bytes) -> tuple[int, str, str]:
    """Send bytes and return the status, the head and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        async with asyncio.timeout(60):
            answer = (await reader.read()).decode()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), head, body


@pytest.mark.parametrize(
    "text",
    [
        f"GET / HTTP/1.1\r\nHost: x\r\nCookie: connect.sid={SECRET}; a={'x' * LONGEST_HEADER}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nCookie: connect.sid={SECRET}\x01\r\n\r\n",
        f"GET /?{SECRET}\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"{SECRET}\r\n\r\n",
    ],
)
async def test_nothing_of_what_cannot_be_read_is_quoted(
    port: int, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the answer, which has the shape of all errors, nor in the log."""
    with capture_logs() as lines:
        status, head, body = await sent(port, text.encode())

    assert status == 400
    assert json.loads(body)["error"] == "invalid_request"
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["status"], line["error"]) == (400, "invalid_request")
    assert f"X-Request-Id: {line['request_id']}" in head
    assert SECRET[:12] not in head + body + repr(lines) + caplog.text
    assert caplog.records == []


async def test_whoever_has_many_cookies_is_served(port: int) -> None:
    """Browsers send up to 180 cookies of a host, of 4 KiB each."""
    cookies = "; ".join(f"c{number}={'x' * 1000}" for number in range(31))
    async with (
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/", headers={"Cookie": cookies}) as response,
    ):
        assert response.status == 200
        assert await response.text() == cookies


async def test_a_port_that_is_taken_is_told(port: int) -> None:
    """With the variables to set."""
    with pytest.raises(StartupError, match=f"127.0.0.1 port {port} .*BRIDGE_HOST or BRIDGE_PORT"):
        async with http_server(web.Application(), "127.0.0.1", port):
            pass
