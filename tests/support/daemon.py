"""The real daemon as a process of its own, configured like in production."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.ports import reserved_port
from tests.support.processes import Process, Start, forked


class Daemon:
    """`equabot-bridge serve`: started, killed, started again on the same port; its output goes to a file."""

    def __init__(
        self, environ: Mapping[str, str], log: Path, port: int | None = None, start: Start = forked
    ) -> None:
        self.port = port or reserved_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._environ = {
            "PATH": os.environ["PATH"],
            "LOG_FORMAT": "json",
            "BRIDGE_PORT": str(self.port),
            **environ,
        }
        self._start = start
        self.process: Process | None = None

    async def start(self) -> None:
        self.process = await self._start(self._environ, self.log)

    async def ready(self, seconds: float = 60) -> None:
        """Wait until it says that it is ready; fails when it ended or takes too long."""
        await self.until_parts(
            lambda parts: all(part["ok"] for part in parts.values() if part["required"]), seconds
        )

    async def until_parts(self, condition: Callable[[Any], bool], seconds: float = 60) -> Any:
        """Wait until the parts in `/readyz` fulfil the condition, and return them."""
        async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
            while not (parts := await self._parts(session)) or not condition(parts):
                await asyncio.sleep(0.02)
            return parts

    async def kill(self) -> None:
        """End it without a warning, as a crash does."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def stop(self, seconds: float = 30) -> int:
        """Ask it to stop and return its exit code."""
        assert self.process
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(seconds):
                await self.process.wait()
        assert self.process.returncode is not None
        return self.process.returncode

    def lines(self) -> list[dict[str, Any]]:
        """Return its log so far; a line that is no JSON is a line of text."""
        return [_parsed(line) for line in self.log.read_text().splitlines()]

    async def _parts(self, session: aiohttp.ClientSession) -> Any:
        assert self.process
        assert self.process.returncode is None, self.log.read_text()
        try:
            async with session.get(f"{self.url}/readyz") as response:
                return (await response.json())["parts"]
        except aiohttp.ClientError:
            return None


def _parsed(line: str) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, dict) else {"text": line}


@asynccontextmanager
async def running(
    environ: Mapping[str, str], log: Path, start: Start = forked, port: int | None = None
) -> AsyncIterator[Daemon]:
    """Run a daemon that is ready; it is killed at the end if it was not stopped."""
    daemon = Daemon(environ, log, port, start)
    await daemon.start()
    try:
        await daemon.ready()
        yield daemon
    finally:
        await daemon.kill()
