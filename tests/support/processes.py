"""Starts `equabot-bridge serve` as a process: forked from one that has imported it, or as it is installed."""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil

from bridge import cli
from tests.support.programs import lives, tethered

_PR_SET_PDEATHSIG = 1
_MOST_FILES = 1024

_prepared = multiprocessing.get_context("forkserver")
# A fork finds `_serve` here: it imports this module too unless its parent has.
_prepared.set_forkserver_preload(["bridge.commands.serve", __name__])


class Process(Protocol):
    """What tests do with a process, as `asyncio.subprocess.Process` declares it."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, signal: int, /) -> None: ...
    def kill(self) -> None: ...
    async def wait(self) -> int: ...


Start = Callable[[Mapping[str, str], Path], Awaitable[Process]]
"""Takes all environment variables, and the file that gets the output."""


class Forked:
    """A process of the bridge that skips the imports, which cost 70 times as much as a fork."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        # A daemon in the sense of multiprocessing: the end of the tests does not wait for it.
        self._process = _prepared.Process(target=_serve, args=(dict(environ), log), daemon=True)
        self._process.start()
        self._itself: psutil.Process | None = None
        with suppress(psutil.NoSuchProcess):
            self._itself = psutil.Process(self.pid)

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int, /) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    async def wait(self) -> int:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        # Its end of that pipe is only one of the files that it closes; the others learn of its end by theirs.
        while self._itself and lives(self._itself):
            await asyncio.sleep(0.001)
        assert self.returncode is not None
        return self.returncode


async def forked(environ: Mapping[str, str], log: Path) -> Process:
    """Fork it from a process that has imported it."""
    return Forked(environ, log)


async def installed(environ: Mapping[str, str], log: Path) -> Process:
    """Start it as an operator does."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *tethered(sys.executable, "-m", "bridge", "serve"), env=environ, stdout=output, stderr=output
        )


def _serve(environ: Mapping[str, str], log: Path) -> None:
    _be_tethered()
    with log.open("ab") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
        os.dup2(output.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environ)
    cli.main(["serve"])


def _be_tethered() -> None:
    """Be interrupted when the tests die: they are the only ones that keep the parent of this process alive.

    Every process that it forks gets the pipe whose last holder keeps it alive, and has to close it.
    """
    os.closerange(sys.stderr.fileno() + 1, _MOST_FILES)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
