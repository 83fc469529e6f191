"""The server's life: started, watched, started again, stopped."""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NoReturn

import structlog

from bridge.db.pool import connect
from bridge.db.unavailable import is_unavailable
from bridge.embedded import locks
from bridge.embedded.cluster import Cluster
from bridge.embedded.identity import Identity
from bridge.embedded.process import start
from bridge.embedded.sockets import clear
from bridge.errors import StartupError
from bridge.retry import delays

_log = structlog.get_logger(__name__)

_SETTINGS = {
    "port": "5432",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    # Nobody replicates from it.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Our statements are short, compiling them takes longer than running them.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and their details would carry what people wrote.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "cluster_name": "equabot-bridge",
}
_NO_FSYNC = {"fsync": "off", "full_page_writes": "off"}

_RECOVERY = 120.0
"""Seconds that the server may take after a crash; it rereads at most `max_wal_size`."""
_HEALTHY = 60.0
"""After so many seconds a crash counts as the first again."""
_STOP = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""Fast shutdown, immediate shutdown, and the end; each with how long it is waited for."""


def _pauses() -> Iterator[float]:
    return delays(first=0.1, factor=2, cap=30)


class Server:
    """One `postgres` and its restarts."""

    def __init__(self, cluster: Cluster, programs: Path, identity: Identity, *, fsync: bool) -> None:
        self.identity = identity
        self._cluster = cluster
        self._settings = _SETTINGS | ({} if fsync else _NO_FSYNC)
        self._postgres = programs / "postgres"
        self._process: Process | None = None

    @asynccontextmanager
    async def running(self, sockets: Path) -> AsyncIterator[None]:
        """Accept connections from the beginning of the context, and leave no process behind at its end."""
        try:
            await self._start(sockets)
            keeper = asyncio.create_task(self._keep(sockets), name="embedded postgres")
            try:
                yield
            finally:
                keeper.cancel()
                with suppress(asyncio.CancelledError):
                    await keeper
        finally:
            await self._stop()

    async def _keep(self, sockets: Path) -> NoReturn:
        backoff = _pauses()
        while True:
            began = time.monotonic()
            status = await self._ended()
            _log.error("embedded_database_ended", status=status)
            if time.monotonic() - began > _HEALTHY:
                backoff = _pauses()
            await asyncio.sleep(next(backoff))
            try:
                await self._start(sockets)
            except (StartupError, OSError) as error:
                _log.error("embedded_database_not_restarted", error=str(error))
            else:
                _log.info("embedded_database_restarted")

    async def _start(self, sockets: Path) -> None:
        with await locks.inherited(self._cluster.server_lock, max_wait=10) as lock:
            # Nothing of an earlier server lives, whatever process now has the pid in these files.
            self._cluster.pid_file.unlink(missing_ok=True)
            clear(sockets)
            with self._cluster.open_log() as log:
                self._process = await start(
                    self._command(sockets), stdout=log.fileno(), inherit=[lock.fileno()]
                )
        await self._ready(self._process, self._cluster.dsn(sockets))

    def _command(self, sockets: Path) -> list[str]:
        settings = self._settings | {"unix_socket_directories": str(sockets)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self.identity.command(self._cluster.home, self._postgres, "-D", "data", *options)

    async def _ready(self, process: Process, dsn: str) -> None:
        deadline = time.monotonic() + _RECOVERY
        while process.returncode is None and time.monotonic() < deadline:
            try:
                await (await connect(dsn)).close()
            except Exception as error:
                if not is_unavailable(error):
                    raise StartupError(f"The embedded database refuses us: {error}") from error
                await asyncio.sleep(0.02)
            else:
                return
        raise StartupError(f"The embedded database does not start; it said: {self._cluster.last_words()}")

    async def _ended(self) -> int:
        """Return the exit status when there is one; the log is kept short meanwhile."""
        process = self._process
        if process is None:
            return 0
        while True:
            try:
                async with asyncio.timeout(60):
                    return await process.wait()
            except TimeoutError:
                self._cluster.shorten_log()

    async def _stop(self) -> None:
        for number, max_wait in _STOP:
            if self._process is None or self._process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(max_wait):
                    await self._process.wait()
