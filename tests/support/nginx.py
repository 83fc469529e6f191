"""A real nginx as a child process, with the configuration that the image of deploy/proxy would give it."""

import asyncio
import os
import re
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.support.programs import tethered

PROXY = Path(__file__).parents[2] / "deploy" / "proxy"
_PATH = "/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the settings script did: its exit status, what it complained of, what it exported."""

    status: int
    complaint: str
    exported: Mapping[str, str]


async def settings(environment: Mapping[str, str]) -> Settings:
    """Source the settings script as the image's entrypoint does."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", '. "$0" && exec env -0', str(PROXY / "16-settings.envsh")),
        env={"PATH": _PATH, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    pairs = (line.split("=", 1) for line in out.decode().split("\0") if line)
    return Settings(await process.wait(), err.decode().strip(), dict(pairs))


def substitute(template: str, exported: Mapping[str, str]) -> str:
    """Fill the template by the rule of envsubst, for the names that the Dockerfile's filter lets through."""
    declared = re.search(r"NGINX_ENVSUBST_FILTER='(.+)'", (PROXY / "Dockerfile").read_text())
    assert declared is not None
    wanted = {name: value for name, value in exported.items() if re.search(declared[1], name)}

    def fill(hole: re.Match[str]) -> str:
        return wanted.get(hole[1] or hole[2], hole[0])

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", fill, template)


async def render(environment: Mapping[str, str]) -> str:
    """Return the nginx.conf that the image would run with."""
    made = await settings(environment)
    assert made.status == 0, made.complaint
    return substitute((PROXY / "nginx.conf.template").read_text(), made.exported)


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx: where it listens, and the file that holds its access log."""

    host: str
    port: int
    access_log: Path
    error_log: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class StartProxy(Protocol):
    """Starts the proxy in front of a test's upstreams, with these variables besides."""

    def __call__(self, **environment: str) -> AbstractAsyncContextManager[Nginx]: ...


@asynccontextmanager
async def serving(program: str, prefix: Path, environment: Mapping[str, str]) -> AsyncIterator[Nginx]:
    """Run the proxy with this environment on a free port; `prefix` is a directory of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # nginx leaves an inherited socket as it is: where it may block, the worker that comes second to a
        # connection waits in accept(), and everybody whom it serves with it.
        listener.setblocking(False)
        host, port = listener.getsockname()
        nginx = Nginx(host, port, prefix / "access.log", prefix / "error.log")
        configuration = await render({"BIND": host, "PORT": str(port), **environment})
        (prefix / "nginx.conf").write_text(configuration)
        process = await _start(program, prefix, listener, nginx)
    try:
        await _answers(nginx)
        yield nginx
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _start(program: str, prefix: Path, listener: socket.socket, nginx: Nginx) -> Process:
    """Start nginx on a socket that is bound already, as its own binary upgrade does: no port is lost."""
    # As root its workers would become another user, who may not enter pytest's directories.
    as_root = ("-g", "user root;") if os.geteuid() == 0 else ()
    with nginx.access_log.open("wb") as out, nginx.error_log.open("wb") as err:
        return await asyncio.create_subprocess_exec(
            *tethered(program, "-e", "stderr", "-p", str(prefix), "-c", "nginx.conf", *as_root),
            env={"NGINX": f"{listener.fileno()};"},
            stdin=DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=(listener.fileno(),),
        )


async def _answers(nginx: Nginx) -> None:
    """Return when it answers; raise with what it said if it ended instead."""
    with suppress(ConnectionError):
        if b" 200 " in await exchange(nginx, b"GET /-/healthy HTTP/1.0\r\n\r\n"):
            return
    raise RuntimeError(nginx.error_log.read_text())


async def exchange(nginx: Nginx, request: bytes) -> bytes:
    """Send these bytes and return all that comes back until nginx closes the connection."""
    reader, writer = await asyncio.open_connection(nginx.host, nginx.port)
    try:
        writer.write(request)
        async with asyncio.timeout(60):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
