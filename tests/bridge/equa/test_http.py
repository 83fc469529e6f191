"""What comes over the wire is Equa's own answer, or Equa is away."""

import gzip

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from bridge.equa.http import BODY_LIMIT, Server
from bridge.errors import EquaUnavailable
from tests.support.agent import Wire
from tests.support.equa import answer

COOKIE = 'connect.sid=s%3AaB-_9.k%2Bz%2F%3D; session="a:b.c/d=="'


async def test_the_cookie_arrives_byte_for_byte(session: ClientSession) -> None:
    """Percent signs, quotes and colons stand as they stood, in one header."""
    wire = Wire(answer(200, []))
    async with wire.served() as url:
        await Server(session, f"{url}/api/v1/").request("GET", "/organization", cookie=COOKIE)

    head = wire.requests[0].split(b"\r\n")
    assert head[0] == b"GET /api/v1/organization HTTP/1.1"
    assert [line for line in head if line.lower().startswith(b"cookie:")] == [f"Cookie: {COOKIE}".encode()]


async def test_a_cookie_that_equa_sets_is_not_sent_for_the_next_person(session: ClientSession) -> None:
    """The rolling session of one is never another's."""
    wire = Wire(answer(200, [], "Set-Cookie: connect.sid=of-ada; Path=/"), answer(200, []))
    async with wire.served() as url:
        server = Server(session, url)
        await server.request("GET", "/organization", cookie="connect.sid=of-ada")
        await server.request("GET", "/organization")

    assert b"of-ada" not in wire.requests[1]


async def test_a_session_that_keeps_cookies_is_refused() -> None:
    """It is a mistake in the program, told at once."""
    async with ClientSession() as membership_services:
        with pytest.raises(TypeError):
            Server(membership_services, "http://127.0.0.1")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(session: ClientSession, status: int) -> None:
    """The cookie goes to nobody else, and the operator hears what to do."""
    evil = Wire(answer(200, {"id": "0"}))
    async with evil.served() as elsewhere:
        wire = Wire(answer(status, None, f"Location: {elsewhere}/take"))
        async with wire.served() as url:
            with pytest.raises(EquaUnavailable, match="EQUA_API_URL has to say where it leads"):
                await Server(session, url).request("GET", "/user/current", cookie=COOKIE)

    assert evil.requests == []


@pytest.mark.parametrize("status", [200, 401, 403, 404])
async def test_a_web_page_is_no_verdict(session: ClientSession, status: int) -> None:
    """A proxy's or Express' own page says nothing about the person."""
    wire = Wire(answer(status, b"\xef\xbb\xbf\n<!DOCTYPE html><title>Cannot GET</title>"))
    async with wire.served() as url:
        with pytest.raises(EquaUnavailable, match="web page"):
            await Server(session, url).request("GET", "/organization")


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "Retry-After: 7", 7.0),
        (503, "Retry-After: 3", 3.0),
        (429, "X-None: 1", None),
        (500, "X-None: 1", None),
        (502, "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
async def test_an_overloaded_equa_is_away(
    session: ClientSession, status: int, header: str, seconds: float | None
) -> None:
    """How long it asks to wait is passed on."""
    wire = Wire(answer(status, {"error": "Server Error"}, header))
    async with wire.served() as url:
        with pytest.raises(EquaUnavailable) as caught:
            await Server(session, url).request("GET", "/organization")

    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"HTTP/1.1 2",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_a_broken_answer_is_away(session: ClientSession, script: bytes) -> None:
    """Nothing that a server can do on the wire raises another error."""
    wire = Wire(script, script)
    async with wire.served() as url:
        with pytest.raises(EquaUnavailable):
            await Server(session, url).request("GET", "/organization")


async def test_nobody_listening_is_away_and_the_address_stays_in_the_log(session: ClientSession) -> None:
    """A person is not told which host was tried."""
    with capture_logs() as logs, pytest.raises(EquaUnavailable) as caught:
        await Server(session, "http://127.0.0.1:1").request("GET", "/organization", cookie=COOKIE)

    assert caught.value.message == "Equa cannot be reached."
    assert "127.0.0.1" in logs[0]["reason"]
    assert "connect.sid" not in str(logs)


@pytest.mark.parametrize("script", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["])
async def test_silence_has_an_end(session: ClientSession, script: bytes) -> None:
    """An answer that begins and does not go on is as late as none."""
    wire = Wire(script, then_close=False)
    async with wire.served() as url:
        with pytest.raises(EquaUnavailable, match="in time"):
            await Server(session, url).request("GET", "/organization", seconds=0.05)


async def test_an_endless_answer_is_cut_short(session: ClientSession) -> None:
    """The bound holds after decompression, where little bytes become many."""
    packed = gzip.compress(b"[" + b" " * BODY_LIMIT + b"]")
    wire = Wire(answer(200, packed, "Content-Encoding: gzip"))
    async with wire.served() as url:
        with pytest.raises(EquaUnavailable, match="too long"):
            await Server(session, url).request("GET", "/organization")


async def test_a_compressed_answer_is_read(session: ClientSession) -> None:
    """Rosters are large."""
    wire = Wire(answer(200, gzip.compress(b'[{"id": 1}]'), "Content-Encoding: gzip"))
    async with wire.served() as url:
        reply = await Server(session, url).request("GET", "/organization")

    assert reply.value("organizations") == [{"id": 1}]
