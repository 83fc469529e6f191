"""Strangers' connections: none waits for ever, and no number of them keeps anybody out."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from handlers.http.app import make_app
from handlers.http.app_keys import LIMITS, Limits, Services
from handlers.http.connections import ConnectionLimits, limits_of_process
from handlers.http.http_server import http_server
from handlers.http.limits import Timeouts
from tests.support.clock import Clock

QUICK = ConnectionLimits(most=40, spare=4, headers=0.4, exchange=60, look_every=0.02)
PATIENT = replace(QUICK, headers=60)
SESSION = "POST /api/v1/mattermost/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
PROBE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(slots=True)
class Socket:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def all(self) -> str:
        """Return everything until the other side closes."""
        async with asyncio.timeout(60):
            try:
                return (await self.reader.read()).decode()
            except ConnectionError:
                return ""

    async def response(self) -> tuple[int, str]:
        """Return the status and body of the next response."""
        async with asyncio.timeout(60):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
            return int(head.split()[1]), (await self.reader.readexactly(length)).decode()


@dataclass(slots=True)
class Stranger:
    """Opens connections, and closes all of them in the end."""

    port: int
    sockets: list[Socket]

    async def sends(self, data: bytes) -> Socket:
        socket = Socket(*await asyncio.open_connection("127.0.0.1", self.port))
        self.sockets.append(socket)
        socket.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await socket.writer.drain()
        return socket

    async def probe(self) -> int:
        async with (
            asyncio.timeout(60),
            ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/healthz") as response,
        ):
            return response.status


@asynccontextmanager
async def facing(
    services: Services, limits: ConnectionLimits, timeouts: Timeouts | None = None
) -> AsyncIterator[Stranger]:
    app = make_app(services)
    if timeouts:
        app[LIMITS] = Limits(timeouts=timeouts)
    async with http_server(app, "127.0.0.1", 0, limits) as port:
        stranger = Stranger(port, [])
        try:
            yield stranger
        finally:
            for socket in stranger.sockets:
                socket.writer.close()


@pytest.mark.parametrize("begun", [b"GE", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: "])
async def test_half_a_head_gets_an_answer_and_no_more_time(services: Services, begun: bytes) -> None:
    """Of a request line or of the headers."""
    async with facing(services, QUICK) as stranger:
        answer = await (await stranger.sends(begun)).all()

    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 408 ")
    assert json.loads(body)["error"] == "request_timeout"


async def test_a_head_that_trickles_is_late_all_the_same(services: Services) -> None:
    """Each byte begins no new time."""
    async with facing(services, QUICK) as stranger:
        socket = await stranger.sends(b"GET /healthz HTTP/1.1\r\nX: ")
        for _ in range(500):
            socket.writer.write(b"x")
            await asyncio.sleep(0.02)
            if socket.reader.at_eof() or socket.writer.is_closing():
                break
        else:
            pytest.fail("still open")


async def test_a_connection_that_says_nothing_ends(services: Services) -> None:
    """Nobody pays for it for ever."""
    async with facing(services, QUICK) as stranger:
        assert "request_timeout" in await (await stranger.sends(b"")).all()


async def test_a_connection_that_was_of_use_may_be_idle(services: Services) -> None:
    """A proxy keeps it for the next request; half of that one, though, ends it without a word that could be
    taken for an answer."""
    time_passes = Clock()
    async with facing(services, replace(QUICK, headers=2)) as stranger:
        socket = await stranger.sends(PROBE)
        assert (await socket.response())[0] == 200
        await time_passes.passes(6)
        socket.writer.write(PROBE)
        assert (await socket.response())[0] == 200

        socket.writer.write(PROBE[:20])
        assert await socket.all() == ""


@pytest.mark.parametrize(
    "body", ["Content-Length: 50\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
)
async def test_a_body_that_does_not_come_is_late(services: Services, body: str) -> None:
    """Before anybody has shown who they are."""
    async with facing(services, PATIENT, Timeouts(body=0.3)) as stranger:
        status, text = await (await stranger.sends((SESSION + body).encode())).response()

    assert (status, json.loads(text)["error"]) == (408, "request_timeout")


async def test_a_request_that_never_ends_is_ended(services: Services) -> None:
    """Whatever its handler waits for."""
    async with facing(services, replace(PATIENT, exchange=0.3), Timeouts(body=60)) as stranger:
        socket = await stranger.sends(f"{SESSION}Content-Length: 50\r\n\r\n{{".encode())

        assert await socket.all() == ""


HALVES = {
    "nothing": b"",
    "half a request line": b"GET /heal",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "half a body": f"{SESSION}Content-Length: 50\r\n\r\n{{".encode(),
    "requests that are answered": PROBE,
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
async def test_any_number_of_halves_keeps_nobody_out(services: Services, half: bytes) -> None:
    """They make room, the oldest first, and no socket is refused."""
    async with facing(services, PATIENT, Timeouts(body=60)) as stranger:
        for _ in range(300):
            await stranger.sends(half)

        assert await stranger.probe() == 200
        status, text = await (
            await stranger.sends(f"{SESSION}Content-Length: 2\r\n\r\n{{}}".encode())
        ).response()

    assert (status, json.loads(text)["error"]) == (400, "invalid_request")


async def test_strangers_go_before_a_proxys_idle_connections(services: Services) -> None:
    """A connection that was of use is missed more than one that was of none."""
    async with facing(services, PATIENT) as stranger:
        proxy = await stranger.sends(PROBE)
        await proxy.response()
        for _ in range(200):
            await stranger.sends(b"GET /heal")
        proxy.writer.write(PROBE)

        assert (await proxy.response())[0] == 200


async def test_while_all_are_at_work_the_probes_are_answered(services: Services) -> None:
    """Others hear that they have to come back."""
    release = asyncio.Event()

    class Waiting:
        async def organization_of_team(self, _: object) -> None:
            await release.wait()

    token = services.gateway_tokens[0]
    mapping = f"GET /api/v1/mattermost/team-mapping/{'t' * 26} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
    asked = f"{mapping}Host: x\r\n\r\n".encode()
    async with facing(replace(services, mappings=Waiting()), PATIENT) as stranger:
        working = [await stranger.sends(asked) for _ in range(PATIENT.most)]
        while await stranger.probe() != 200 or not await _is_crowded(stranger, asked):
            await asyncio.sleep(0.01)
        refused = await (await stranger.sends(asked)).response()
        probes = [await stranger.probe() for _ in range(20)]
        release.set()
        answers = [await socket.response() for socket in working]
        afterwards = await (await stranger.sends(asked)).response()

    assert (refused[0], json.loads(refused[1])["error"]) == (503, "unavailable")
    assert set(probes) == {200}
    assert {status for status, _ in answers} == {404}
    assert afterwards[0] == 404


async def _is_crowded(stranger: Stranger, asked: bytes) -> bool:
    socket = await stranger.sends(asked)
    try:
        async with asyncio.timeout(0.2):
            return (await socket.response())[0] == 503
    except TimeoutError:
        socket.writer.close()
        return False


_FEW_FILES = """
import asyncio, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
from bridge.metrics import Metrics
from handlers.http.app import make_app
from handlers.http.app_keys import Services
from handlers.http.http_server import http_server
from tests.support.api import FakeHealth, FakeInbox, FakeMappings

async def main():
    app = make_app(Services(FakeMappings(), FakeInbox(), Metrics(), FakeHealth().look))
    async with http_server(app, "127.0.0.1", 0) as port:
        print(port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def in_a_process_with_few_files() -> AsyncIterator[tuple[asyncio.subprocess.Process, Stranger]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FEW_FILES, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout
    stranger = Stranger(0, [])
    try:
        async with asyncio.timeout(60):
            async for line in process.stdout:
                if line.strip().isdigit():
                    stranger.port = int(line)
                    break
            yield process, stranger
    finally:
        for socket in stranger.sockets:
            socket.writer.close()
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_more_sockets_than_files_stop_nothing() -> None:
    """1,100 of half a request line, where a process may have 1,024 files."""
    async with in_a_process_with_few_files() as (process, stranger):
        for _ in range(1100):
            await stranger.sends(b"GET /heal")
        statuses = [await stranger.probe() for _ in range(10)]
        process.terminate()
        _, errors = await process.communicate()

    assert statuses == [200] * 10
    assert b"out of system resource" not in errors


def test_the_process_keeps_descriptors_for_everything_else() -> None:
    """However few it has."""
    assert 0 < limits_of_process().most <= 10_000


async def test_what_is_late_is_logged_in_one_line(services: Services) -> None:
    """Not one a connection."""
    with capture_logs() as lines:
        async with facing(services, QUICK) as stranger:
            sockets = [await stranger.sends(b"GE") for _ in range(30)]
            for socket in sockets:
                await socket.all()

    closed = [line["closed"] for line in lines if line["event"] == "late_connections_closed"]
    assert sum(closed) == 30
    assert {line["log_level"] for line in lines} == {"info"}
