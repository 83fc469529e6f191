"""`equabot-bridge demo`, the first thing that anybody sees of the bridge."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bridge.embedded import sockets
from bridge.embedded.cluster import Cluster
from tests.support.programs import tethered


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    sockets.remove(Cluster.of(tmp_path / "data" / "demo").sockets)


@asynccontextmanager
async def demo(*arguments: str, **environ: str) -> AsyncIterator[Process]:
    """Start a demo on free ports; it is killed at the end if it runs on."""
    process = await asyncio.create_subprocess_exec(
        *tethered(sys.executable, "-m", "bridge", "demo", "--port", "0", *arguments),
        env={"PATH": os.environ["PATH"], "BRIDGE_PORT": "0", **environ},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(180):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def said(process: Process, pattern: str, stream: asyncio.StreamReader | None) -> str:
    """Return the first group of the pattern in the first line that has it."""
    assert stream
    async for line in stream:
        if found := re.search(pattern, line.decode()):
            return found[1]
    raise AssertionError(f"it ended with {await process.wait()} and never said {pattern}")


async def test_a_question_is_answered(tmp_path: Path) -> None:
    """The thread is printed with the names of who wrote, the exit code is 0, and nothing is left behind."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    async with demo("--ask", "@equabot who is on our team?", TMPDIR=str(folder)) as process:
        out, err = await process.communicate()

    asked, answer = out.decode().split("\n", 1)
    assert process.returncode == 0
    assert asked == "Ada Moreno: @equabot who is on our team?"
    assert answer.startswith("Equabot: ")
    assert "Acme Corp" in answer
    assert "Ben Okafor" in answer
    assert "Borealis" not in answer
    assert err == b""
    assert list(folder.iterdir()) == []


async def test_a_question_to_nobody_is_refused_at_once() -> None:
    """Nobody waits for an answer that cannot come."""
    async with demo("--ask", "Who is on our team? `@equabot`") as process:
        out, err = await process.communicate()

    assert process.returncode == 1
    assert out == b""
    assert "does not mention @equabot" in err.decode()


async def test_it_stays_until_it_is_stopped(data_dir: Path) -> None:
    """It prints the pages to open, a second one on its data says in a sentence what to do, Ctrl-C ends it."""
    quiet = {"BRIDGE_DATA_DIR": str(data_dir), "LOG_LEVEL": "error"}
    async with demo(**quiet) as process:
        app = await said(process, r"Open +(\S+)", process.stdout)
        chat = await said(process, r"Chat +(\S+)", process.stdout)
        health = await said(process, r"Health +(\S+)", process.stdout)
        async with aiohttp.ClientSession() as session:
            for url in (app, chat, health):
                async with session.get(url) as response:
                    assert response.status == 200, url

        async with demo(**quiet) as second:
            out, err = await second.communicate()

        process.send_signal(signal.SIGINT)
        _, complaints = await process.communicate()
    assert (second.returncode, out) == (1, b"")
    assert err.decode().startswith(
        f"The data directory {data_dir / 'demo'} is in use by process {process.pid}."
    )
    assert err.count(b"\n") == 1
    assert (process.returncode, complaints) == (0, b"")


async def test_it_can_be_stopped_while_it_starts(data_dir: Path) -> None:
    """Whoever presses Ctrl-C before it is ready does not have to wait, and is not welcomed any more."""
    async with demo(BRIDGE_DATA_DIR=str(data_dir), LOG_FORMAT="console") as process:
        await said(process, r"(creating_embedded_database)", process.stderr)

        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()

    assert (process.returncode, out) == (0, b"")
