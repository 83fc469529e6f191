"""The daemon on a loop that notes whenever it was busy for long: `python -m tests.bench.watched FILE`."""

import asyncio
import selectors
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bridge import cli
from tests.support.processes import Process, Start
from tests.support.programs import tethered

NOTED = 0.01
"""Seconds of processor time from which on a turn of the loop is noted."""


class Watched(selectors.DefaultSelector):
    """Writes when a turn of the loop ended and how long it took: until all that was ready had run."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file.open("a")
        self._since = time.thread_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if (busy := time.thread_time() - self._since) > NOTED:
            print(time.monotonic(), busy, file=self._file, flush=True)
        ready = super().select(timeout)
        self._since = time.thread_time()
        return ready


class Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(Watched(Path(sys.argv[1])))


def longest(file: Path, since: float) -> float:
    """Return the milliseconds of the longest turn since a moment of `time.monotonic`."""
    turns = (line.split() for line in file.read_text().splitlines())
    return 1000 * max((float(busy) for ended, busy in turns if float(ended) > since), default=0)


def watched(file: Path) -> Start:
    """Return what starts the daemon so."""

    async def start(environ: Mapping[str, str], log: Path) -> Process:
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *tethered(sys.executable, "-m", "tests.bench.watched", str(file)),
                env=environ,
                stdout=output,
                stderr=output,
            )

    return start


if __name__ == "__main__":
    asyncio.set_event_loop_policy(Policy())
    cli.main(["serve"])
