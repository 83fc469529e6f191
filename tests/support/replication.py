"""PostgreSQL servers that break: one alone, or a primary and a standby that streams from it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil

from bridge.embedded import binaries
from bridge.embedded.identity import Identity, choose
from bridge.embedded.process import output
from tests.support.ports import reserved_port

PROGRAMS = binaries.locate(binaries.places())
USER = "bridge"


@dataclass
class Node:
    """One of the servers."""

    folder: Path
    identity: Identity
    port: int = field(default_factory=reserved_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of PostgreSQL, beside those that all have."""
    process: asyncio.subprocess.Process | None = None
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a crash."""
    dying: list[psutil.Process] = field(default_factory=list)
    """What a crash has killed beside the server, and may not have ended yet."""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def dsn(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    async def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's for this server."""
        status, said = await output(self.identity.command(self.folder, PROGRAMS / program, *arguments))
        assert status == 0, said

    async def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            **self.settings,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = self.identity.command(self.folder, PROGRAMS / "postgres", "-D", str(self.data), *options)
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        async with asyncio.timeout(60):
            while not await self._answers():
                assert self.process.returncode is None, (self.folder / "log").read_text()
                await asyncio.sleep(0.02)

    async def _answers(self) -> bool:
        try:
            await self.ask("select 1")
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    async def ask(self, *statements: str) -> object:
        """Execute statements; return the last one's value."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    async def end_sessions(self, application: str) -> None:
        await self.ask(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            f" where application_name like '{application}%'"
        )

    async def until(self, query: str) -> None:
        """Wait until a query's value is true."""
        async with asyncio.timeout(60):
            while not await self.ask(query):
                await asyncio.sleep(0.02)

    def freeze(self) -> None:
        """Stop all its processes where they are: nothing answers, and nothing is refused."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        for process in self._processes():
            process.resume()

    def _processes(self) -> list[psutil.Process]:
        assert self.process
        server = psutil.Process(self.process.pid)
        return [server, *server.children()]

    async def hold_log(self) -> None:
        """Let nothing come to the disk by itself: only commits that wait for it."""
        writer = "from pg_stat_activity where backend_type = 'walwriter'"
        await self.until(f"select exists (select {writer})")
        pid = await self.ask(f"select pid {writer}")
        assert isinstance(pid, int)
        psutil.Process(pid).suspend()

    def crash(self) -> None:
        """End all its processes at one moment: what was not on its way to the disk is lost."""
        assert self.process
        server = psutil.Process(self.process.pid)
        server.suspend()  # so that it begins no other
        processes = server.children()
        for each in ("suspend", "kill"):
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    getattr(process, each)()
        server.kill()
        self.dying = processes
        self.broken.set()

    async def restart(self) -> None:
        """Start it again once it has crashed."""
        await self.broken.wait()
        self.broken.clear()
        assert self.process
        await self.process.wait()
        # A server does not start while one of the former one's processes has its shared memory.
        async with asyncio.timeout(60):
            while any(map(_lives, self.dying)):
                await asyncio.sleep(0.005)
        await self.start()

    async def kill(self) -> None:
        """End it without a warning, as a machine does that breaks."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@dataclass(frozen=True)
class Pair:
    """`primary` is the one at the beginning."""

    primary: Node
    standby: Node

    @property
    def dsn(self) -> str:
        """The address of both."""
        both = ",".join(f"127.0.0.1:{node.port}" for node in (self.primary, self.standby))
        return f"postgresql://{USER}@{both}/postgres?sslmode=disable"

    async def be_synchronous(self) -> None:
        """Let the primary confirm only what the standby has too."""
        await self.primary.ask("alter system set synchronous_standby_names = '*'", "select pg_reload_conf()")
        await self.primary.until("select exists (select from pg_stat_replication where sync_state = 'sync')")

    async def part(self) -> None:
        """Let the standby get nothing more."""
        await self.standby.ask("alter system set primary_conninfo = ''", "select pg_reload_conf()")
        await self.primary.until("select not exists (select from pg_stat_replication)")

    async def fail_over(self) -> None:
        """Kill the primary and promote the standby."""
        await self.primary.kill()
        await self.standby.ask("select pg_promote()")


@asynccontextmanager
async def alone(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncIterator[Node]:
    """Run one server with these settings; it is killed at the end."""
    (node,) = await _nodes(folder, "one")
    node.settings = settings or {}
    try:
        await node.start()
        yield node
    finally:
        await node.kill()


async def _nodes(folder: Path, *names: str) -> list[Node]:
    """Return servers that do not run, of which the first has a cluster."""
    folders = [folder / name for name in names]
    for each in folders:
        each.mkdir()
    identity, _ = await choose(PROGRAMS, folder)
    identity.own_all(folder)
    first, *others = (Node(each, identity) for each in folders)
    options = ("--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8")
    await first.run("initdb", "-D", str(first.data), "-U", USER, *options)
    return [first, *others]


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    """Run both; they are killed at the end."""
    primary, standby = await _nodes(folder, "one", "two")
    try:
        await primary.start()
        source = f"host=127.0.0.1 port={primary.port} user={USER} sslmode=disable"
        await standby.run(
            "pg_basebackup", "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast", "-N", "-d", source
        )
        await standby.start()
        await primary.until("select exists (select from pg_stat_replication where state = 'streaming')")
        yield Pair(primary, standby)
    finally:
        await primary.kill()
        await standby.kill()
