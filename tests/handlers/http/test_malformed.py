"""Whatever a stranger sends: an answer of 4xx, an info line, and nothing that wakes an operator."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import pytest
from aiohttp import web

from handlers.http.app import make_app
from handlers.http.app_keys import LIMITS, Limits, Services
from handlers.http.connections import ConnectionLimits
from handlers.http.http_server import http_server
from handlers.http.limits import Timeouts
from tests.support.api import PLATFORM_TOKENS, Lines
from tests.support.front import front

SESSION = "/api/v1/mattermost/session"
EVENTS = "/api/v1/mattermost/events"
TOKEN = f"Authorization: Bearer {PLATFORM_TOKENS[0]}\r\n"
JSON = "Content-Type: application/json\r\n"
GOOD = json.dumps({"organizationId": "0f3b6a52-7d18-4c9e-b1a4-6e2d90c5f713"}).encode()


@dataclass(slots=True)
class Api:
    port: int

    async def sent(self, data: bytes, *, abort: bool = False) -> list[int]:
        """Send bytes and return the statuses of all answers; with `abort` break the connection off."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            if abort:
                await asyncio.sleep(0.02)
                writer.transport.abort()
                return []
            answer = await _heard(reader)
        except ConnectionError:
            return []
        finally:
            writer.close()
        return [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]

    async def alive(self) -> bool:
        return await self.sent(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == [200]


async def _heard(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the other side closes, or has nothing more to say after an answer."""
    async with asyncio.timeout(60):
        answer = await reader.read(65536)
    try:
        while True:
            async with asyncio.timeout(0.1):
                if not (more := await reader.read(65536)):
                    return answer
            answer += more
    except TimeoutError:
        return answer


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[Api]:
    app[LIMITS] = Limits(timeouts=Timeouts(body=0.3))
    limits = ConnectionLimits(most=100, headers=10, look_every=0.02)
    async with http_server(app, "127.0.0.1", 0, limits) as port:
        yield Api(port)


@pytest.fixture
async def server(services: Services, lines: Lines) -> AsyncIterator[Api]:
    assert lines.all == []
    async with serving(make_app(services)) as api:
        yield api


@pytest.fixture
async def whole(dsn: str, lines: Lines) -> AsyncIterator[Api]:
    """With everything real behind it."""
    assert lines.all == []
    async with front(dsn) as door, serving(door.built.api()) as api:
        yield api


def post(path: str, headers: str, body: bytes, *, length: int | None = None) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}"
    return f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def chunked(path: str, headers: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    )
    return head.encode() + body


def assert_calm(lines: Lines) -> None:
    """Nothing was logged that is more than information."""
    assert [line for line in lines.all if line["level"] != "info" or "exception" in line] == []


TARGETS = [(SESSION, JSON), (EVENTS, f"{TOKEN}{JSON}"), (EVENTS, JSON), ("/nowhere", JSON), ("/healthz", "")]

BODIES = {
    "gzip that is none": ("Content-Encoding: gzip\r\n", b"this is not gzip"),
    "gzip cut off": ("Content-Encoding: gzip\r\n", gzip.compress(GOOD * 50)[:40]),
    "gzip with a wrong sum": ("Content-Encoding: gzip\r\n", gzip.compress(GOOD)[:-6] + b"xxxxxx"),
    "deflate that is none": ("Content-Encoding: deflate\r\n", b"\x00\x01\x02nonsense"),
    "br that is none": ("Content-Encoding: br\r\n", b"\xff" * 30),
    "zstd that is none": ("Content-Encoding: zstd\r\n", b"\xff" * 30),
    "an unknown encoding": ("Content-Encoding: x-secret\r\n", b"\x00\x01"),
    "two encodings": ("Content-Encoding: gzip, gzip\r\n", gzip.compress(gzip.compress(GOOD))),
    "a bomb": ("Content-Encoding: gzip\r\n", gzip.compress(b"0" * 5_000_000)),
    "a bomb of deflate": ("Content-Encoding: deflate\r\n", zlib.compress(b" " * 5_000_000)),
    "a charset that is none": ("X: y\r\n", b"\xff\xfe{\x00"),
    "lone surrogates": ("X: y\r\n", b'{"organizationId": "\\ud800"}'),
    "deep nesting": ("X: y\r\n", b"[" * 60_000),
    "a long number": ("X: y\r\n", b'{"organizationId": ' + b"9" * 60_000 + b"}"),
    "not a number": ("X: y\r\n", b"NaN"),
    "nothing": ("X: y\r\n", b""),
    "only blanks": ("X: y\r\n", b" " * 1000),
}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target[0]} {len(target[1])}")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_cannot_be_decoded_is_refused(
    server: Api, lines: Lines, target: tuple[str, str], body: tuple[str, bytes]
) -> None:
    """Whether or not anybody would read it."""
    path, headers = target
    (status, *more) = await server.sent(post(path, headers + body[0], body[1]))

    assert 400 <= status < 500
    assert more == []
    assert await server.alive()
    assert_calm(lines)


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_who_still_sends_what_cannot_be_read_gets_the_answer(server: Api, encoding: str) -> None:
    """The connection is not cut while they do, and they hear that it ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\n{TOKEN}{JSON}Content-Encoding: {encoding}\r\n"
    writer.write(f"{head}Content-Length: 800000\r\n\r\n".encode() + b"\xff" * 20_000)
    answer = await reader.readuntil(b"\r\n\r\n")
    for _ in range(50):
        writer.write(b"\xff" * 10_000)
        await writer.drain()
    rest = await reader.read()
    writer.close()

    # In HTTP/1.0 a connection ends after an answer without anybody saying so.
    assert b" 400 " in answer.splitlines()[0]
    assert answer.startswith(b"HTTP/1.0") or b"connection: close" in answer.lower()
    assert rest


async def test_an_encoding_that_decodes_is_read(server: Api, lines: Lines) -> None:
    """The platform may compress its events."""
    packed = gzip.compress(b"[]")

    assert await server.sent(post(EVENTS, f"{TOKEN}{JSON}Content-Encoding: gzip\r\n", packed)) == [400]
    assert "body_unreadable" not in {line["event"] for line in lines.all}


LIES = {
    "longer than it is": lambda p, h: post(p, h, b"{", length=500),
    "shorter than it is": lambda p, h: post(p, h, GOOD, length=3),
    "too long by far": lambda p, h: post(p, h, b"{", length=10**15),
    "negative": lambda p, h: post(p, h, b"{", length=-1),
    "length and chunks": lambda p, h: post(p, f"{h}Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "two lengths": lambda p, h: post(p, f"{h}Content-Length: 5\r\n", b"{}"),
    "a chunk without a size": lambda p, h: chunked(p, h, b"hello\r\n"),
    "a chunk of a negative size": lambda p, h: chunked(p, h, b"-5\r\nhello\r\n0\r\n\r\n"),
    "a chunk of a huge size": lambda p, h: chunked(p, h, b"fffffffffffffffff\r\nhello"),
    "a chunk that is longer": lambda p, h: chunked(p, h, b"2\r\nhello\r\n0\r\n\r\n"),
    "chunks that break off": lambda p, h: chunked(p, h, b"5\r\nhel"),
    "a good chunk and a bad one": lambda p, h: chunked(p, h, b"2\r\n{}\r\nzz\r\n"),
    "a long extension": lambda p, h: chunked(p, h, b"2;" + b"x" * 40_000 + b"\r\n{}\r\n0\r\n\r\n"),
    "trailers": lambda p, h: chunked(p, h, b"2\r\n{}\r\n0\r\nX: " + b"y" * 40_000 + b"\r\n\r\n"),
    "an unknown transfer encoding": lambda p, h: post(p, f"{h}Transfer-Encoding: secret\r\n", b"{}"),
    "gzip as transfer encoding": lambda p, h: chunked(p, f"{h}Transfer-Encoding: gzip\r\n", b"0\r\n\r\n"),
    "multipart without a boundary": lambda p, h: post(p, f"{h}Content-Type: multipart/form-data\r\n", b"--x"),
    "no media type": lambda p, h: post(p, f"{h}Content-Type: \xff/;;=\r\n", b"{}"),
    "a charset of nobody": lambda p, h: post(p, f"{h}Content-Type: application/json; charset=x\r\n", GOOD),
    "an expectation": lambda p, h: post(p, f"{h}Expect: s3cr3t\r\n", b"{}"),
    "an expected body": lambda p, h: post(p, f"{h}Expect: 100-continue\r\n", b"{}"),
    "an upgrade": lambda p, h: post(p, f"{h}Connection: Upgrade\r\nUpgrade: websocket\r\n", b"{}"),
    "an upgrade to h2c": lambda p, h: post(p, f"{h}Connection: Upgrade\r\nUpgrade: h2c\r\n", b"{}"),
    "an old version": lambda p, h: post(p, h, b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a version to come": lambda p, h: post(p, h, b"{}").replace(b"HTTP/1.1", b"HTTP/2.0"),
}


@pytest.mark.parametrize("abort", [False, True], ids=["closed", "aborted"])
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target[0]} {len(target[1])}")
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_headers_that_lie_about_the_body_disturb_nobody(
    server: Api, lines: Lines, lie: object, target: tuple[str, str], *, abort: bool
) -> None:
    """An upload that is aborted, too, is no fault of ours."""
    assert callable(lie)
    statuses = await server.sent(lie(*target), abort=abort)

    assert [status for status in statuses if status != 100 and not 200 <= status < 500] == []
    assert await server.alive()
    assert_calm(lines)
    assert "s3cr3t" not in str(lines.all)


HEADS = {
    "a path that is no UTF-8": b"GET /messaging/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path that decodes to none": b"GET /messaging/%ff%fe%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a query that decodes to none": b"GET /login/token?token=%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a half-encoded query": b"GET /login/token?%&%2&=&token=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "many parameters": b"GET /login/token?" + b"a=b&" * 1500 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "cookies that are none": b"GET /login/token HTTP/1.1\r\nHost: x\r\nCookie: \xff=\xfe; ;;=;\r\n\r\n",
    "an Equa cookie of bytes": b"GET /api/v1/mattermost/config HTTP/1.1\r\nHost: x\r\n"
    b"Cookie: connect.sid=\xff\r\n\r\n",
    "a bearer of bytes": b"GET /api/v1/mattermost/team-mapping/" + b"t" * 26 + b" HTTP/1.1\r\n"
    b"Authorization: Bearer \xff\xfe\r\nHost: x\r\n\r\n",
    "an origin of bytes": b"OPTIONS /api/v1/mattermost/session HTTP/1.1\r\nHost: x\r\nOrigin: \xff\r\n\r\n",
    "a language of bytes": b"GET /login/token HTTP/1.1\r\nHost: x\r\nAccept: \xff\r\nReferer: http://[\r\n\r\n",
    "a tag that is none": b"GET /static/messaging.js HTTP/1.1\r\nHost: x\r\n"
    b'If-None-Match: "\xff, W/"\r\n\r\n',
    "a forwarded for of nonsense": b"GET /login/token?token=" + b"x" * 26 + b" HTTP/1.1\r\nHost: x\r\n"
    b"X-Forwarded-For: ,,:::1,\xff,999.9.9.9,%\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a host that is none": b"GET /messaging/x HTTP/1.1\r\nHost: [::::]:99999999\r\n\r\n",
    "an absolute address": b"GET http://[::1/x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a port that is none": b"GET http://x:99999999/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": b"BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method of bytes": b"\xff\xfe / HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
    "a huge header": b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    "a huge target": b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a folded header": b"GET /healthz HTTP/1.1\r\nX: a\r\n b\r\nHost: x\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\n: y\r\nHost: x\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a websocket": b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: x\r\n\r\n" + b"\x81\x85" * 100,
    "requests in a row with a bad one": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 50 + b"\x00\r\n\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_a_head_of_nonsense_disturbs_nobody(whole: Api, lines: Lines, head: bytes) -> None:
    """It is answered in the shape of all errors, or as what it might have been."""
    statuses = await whole.sent(head)

    assert [status for status in statuses if not 200 <= status < 500] == []
    assert await whole.alive()
    assert_calm(lines)


@pytest.mark.parametrize("seed", range(8))
async def test_noise_anywhere_disturbs_nobody(server: Api, lines: Lines, seed: int) -> None:
    """Bytes put into a good request, of any encoding, at any place."""
    chance = Random(seed)
    for _ in range(40):
        encoding = chance.choice(["gzip", "deflate", "identity", "br", "zstd"])
        headers = f"{TOKEN}{JSON}Content-Encoding: {encoding}\r\n"
        body = gzip.compress(GOOD)
        in_chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        data = chance.choice([post(EVENTS, headers, body), chunked(EVENTS, headers, in_chunks)])
        at, noise = chance.randrange(len(data)), chance.randbytes(chance.randrange(1, 20))
        statuses = await server.sent(data[:at] + noise + data[at + chance.randrange(3) :])
        assert [status for status in statuses if status != 100 and not 200 <= status < 500] == []

    assert await server.alive()
    assert_calm(lines)
