"""The embedded PostgreSQL: real servers, killed and started again."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from bridge.db.pool import connect, open_pool
from bridge.db.unavailable import is_unavailable
from bridge.embedded import binaries, dsn_of_running, launch, run, sockets, watch
from bridge.embedded.cluster import Cluster
from bridge.errors import StartupError
from tests.support.programs import lives, servers

ROOT = Path(__file__).parents[2]

OWNER = """
import asyncio, sys
from pathlib import Path
from bridge.embedded import run
from bridge.errors import StartupError

async def main():
    async with run(Path(sys.argv[1]), fsync=False) as dsn:
        print(dsn, flush=True)
        await asyncio.to_thread(sys.stdin.read)

try:
    asyncio.run(main())
except StartupError as error:
    print(error)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else, which only root can")


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory after its first start, to copy from."""

    async def create() -> None:
        async with run(path, fsync=False) as dsn:
            await execute(dsn, "create table kept as select 42 as answer")

    path = tmp_path_factory.mktemp("created") / "data"
    asyncio.run(create())
    return path


@pytest.fixture
def data_dir(created: Path, tmp_path: Path) -> Iterator[Path]:
    path = Path(shutil.copytree(created, tmp_path / "data"))
    yield path
    sockets.remove(Cluster.of(path).sockets)


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A directory that everybody may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="bridge-test-"))
    path.chmod(0o755)
    yield path
    sockets.remove(Cluster.of(path / "data").sockets)
    shutil.rmtree(path)


async def execute(dsn: str, statement: str) -> Any:
    connection = await connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def patiently(query: Callable[[], Awaitable[Any]]) -> Any:
    """Repeat a query while the database is away."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await query()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                await asyncio.sleep(0.02)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def postmaster(data_dir: Path) -> int:
    return int(Cluster.of(data_dir).pid_file.read_text().split()[0])


def modes(*paths: Path) -> list[tuple[int, int]]:
    return [(path.stat().st_mode, path.stat().st_uid) for path in paths]


@asynccontextmanager
async def owner(data_dir: Path, *prefix: str, **options: Any) -> AsyncIterator[tuple[Process, str]]:
    """Run the server from another process; yield that and the DSN, or the error."""
    process = await asyncio.create_subprocess_exec(
        *prefix, sys.executable, "-c", OWNER, str(data_dir), stdin=PIPE, stdout=PIPE, cwd=ROOT, **options
    )
    assert process.stdin is not None
    try:
        yield process, await said(process)
    finally:
        process.stdin.close()
        await process.wait()


async def said(owner: Process) -> str:
    """Return what an owner prints: its last line is the DSN, or all of it is an error."""
    assert owner.stdout is not None
    text = ""
    async with asyncio.timeout(60):
        async for line in owner.stdout:
            if line.startswith(b"postgresql://"):
                return line.decode().strip()
            text += line.decode()
    return text


async def test_first_start_makes_a_database_that_only_its_owner_can_reach(tmp_path: Path) -> None:
    """No TCP, a password asked for, pages checked, commits synced, files private."""
    async with run(tmp_path / "data") as dsn:
        shown = {
            name: await execute(dsn, f"show {name}")
            for name in ("listen_addresses", "data_checksums", "fsync")
        }
        password = dsn.split("@", maxsplit=1)[0].rpartition(":")[2]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connect(dsn.replace(password, "wrong"))

    assert shown == {"listen_addresses": "", "data_checksums": "on", "fsync": "on"}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data/postgres/password").stat().st_mode & 0o777 == 0o600


async def test_restart_keeps_rows(data_dir: Path) -> None:
    """What was stored is there at the next start."""
    async with run(data_dir, fsync=False) as dsn:
        assert await execute(dsn, "select answer from kept") == 42


async def test_leaves_nothing_behind_after_a_stop(data_dir: Path) -> None:
    """No process, no socket directory."""
    async with run(data_dir, fsync=False):
        directory = Cluster.of(data_dir).sockets.readlink()
        assert directory.stat().st_mode & 0o777 == 0o700

    assert not servers(data_dir)
    assert not directory.exists()


async def test_error_of_the_user_passes_and_stops_the_server(data_dir: Path) -> None:
    """The context adds nothing to an exception from inside it."""
    with pytest.raises(KeyError, match="mine"):
        async with run(data_dir, fsync=False):
            raise KeyError("mine")

    assert not servers(data_dir)


async def test_server_ends_when_its_owner_is_killed(data_dir: Path) -> None:
    """kill -9 of the bridge leaves no postgres; the next start works and removes the old socket directory."""
    async with owner(data_dir) as (process, dsn):
        assert await execute(dsn, "select answer from kept") == 42
        directory = Cluster.of(data_dir).sockets.readlink()
        process.kill()
        await until(lambda: not servers(data_dir))

    async with run(data_dir, fsync=False) as dsn:
        assert await execute(dsn, "select answer from kept") == 42
        assert not directory.exists()


async def test_starts_at_once_after_its_owner_was_killed(data_dir: Path) -> None:
    """A server that is still shutting down is waited for."""
    async with owner(data_dir) as (process, _):
        process.kill()
        await process.wait()
        async with run(data_dir, fsync=False) as dsn:
            assert await execute(dsn, "select answer from kept") == 42


async def test_killed_server_is_started_again_under_a_pool(data_dir: Path) -> None:
    """kill -9 of the postmaster costs a moment; the same pool then reads the same rows."""
    async with run(data_dir) as dsn, await open_pool(dsn) as pool:
        await pool.execute("create table more as select 43 as answer")
        os.kill(postmaster(data_dir), signal.SIGKILL)

        assert await patiently(lambda: pool.fetchval("select answer from more")) == 43


async def test_pid_file_with_the_pid_of_somebody_else_does_not_stop_a_start(data_dir: Path) -> None:
    """After a crash and in a new container the old pid may be any process's."""
    Cluster.of(data_dir).pid_file.write_text(f"{os.getppid()}\n{data_dir}\n1\n5432\n/tmp\n\n 1 1\n")

    async with run(data_dir, fsync=False) as dsn:
        assert await execute(dsn, "select answer from kept") == 42


async def test_second_owner_is_refused_by_name(data_dir: Path) -> None:
    """The message tells which process has the directory; the first goes on."""
    async with run(data_dir, fsync=False) as dsn:
        async with owner(data_dir) as (_, error):
            assert f"in use by process {os.getpid()}" in error
        assert await execute(dsn, "select answer from kept") == 42


async def test_other_commands_find_a_running_server(data_dir: Path) -> None:
    """The DSN can be read while somebody runs the server, and not afterwards."""
    async with run(data_dir, fsync=False) as dsn:
        assert dsn_of_running(data_dir) == dsn

    assert dsn_of_running(data_dir) is None


async def test_changes_no_mode_outside_its_directory(tmp_path: Path) -> None:
    """Parents that only their owner may enter stay so."""
    outside = tmp_path / "private"
    outside.mkdir(mode=0o700)
    before = modes(tmp_path, outside, Path(tempfile.gettempdir()))

    async with run(outside / "data", fsync=False):
        pass

    assert modes(tmp_path, outside, Path(tempfile.gettempdir())) == before


async def test_works_in_a_directory_with_a_long_name(tmp_path: Path) -> None:
    """A socket's path may have 107 bytes; the data directory's does not count."""
    deep = tmp_path / ("long " * 20) / ("länger " * 10)

    async with run(deep, fsync=False) as dsn:
        assert await execute(dsn, "select 1") == 1


async def test_first_start_that_was_killed_is_done_anew(tmp_path: Path) -> None:
    """A kill -9 within initdb leaves nothing half made."""
    data_dir = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(data_dir), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    await until((data_dir / "postgres.new/data/PG_VERSION").exists)
    process.kill()
    await process.communicate()

    async with run(data_dir, fsync=False) as dsn:
        assert await execute(dsn, "select 1") == 1
    assert not (data_dir / "postgres.new").exists()


async def test_files_of_another_major_version_are_refused(data_dir: Path) -> None:
    """The message names both versions; nothing is started."""
    (data_dir / "postgres/data/PG_VERSION").write_text("13\n")

    with pytest.raises(StartupError, match=r"made by PostgreSQL 13, but the installed one is \d\d"):
        async with run(data_dir, fsync=False):
            pytest.fail("it started")


async def test_server_that_cannot_start_says_why(data_dir: Path) -> None:
    """The end of its log is in the message."""
    (data_dir / "postgres/data/pg_hba.conf").write_text("nonsense\n")

    with pytest.raises(StartupError, match=r"could not load .*pg_hba.conf"):
        async with run(data_dir, fsync=False):
            pytest.fail("it started")
    assert not servers(data_dir)


async def test_server_gets_neither_our_secrets_nor_our_terminal(data_dir: Path) -> None:
    """Its environment is not ours, and Ctrl-C is for us to handle."""
    async with owner(data_dir, env={"MATTERMOST_BOT_TOKEN": "s3cret", "PGPORT": "1"}):
        process = psutil.Process(postmaster(data_dir))

        assert "MATTERMOST_BOT_TOKEN" not in process.environ()
        assert os.getpgid(process.pid) != os.getpgid(0)


def test_log_stays_short(data_dir: Path) -> None:
    """What is over a megabyte moves to one older file."""
    cluster = Cluster.of(data_dir)
    with cluster.open_log() as log:
        log.write(b"x" * (1 << 20) + b"last words")
        log.flush()
        cluster.shorten_log()
        log.write(b"more")

    assert cluster.log.read_bytes() == b"more"
    assert (data_dir / "postgres/server.log.1").read_bytes().endswith(b"last words")


def test_first_complete_installation_is_used(tmp_path: Path) -> None:
    """A directory with half of what is needed is passed over; without any the operator is told three ways."""
    half, whole = tmp_path / "half", tmp_path / "whole"
    for file in (half / "postgres", whole / "postgres", whole / "initdb"):
        file.parent.mkdir(exist_ok=True)
        file.touch()

    assert binaries.locate([half, whole]) == whole
    with pytest.raises(StartupError, match=r"DATABASE_URL.*equabot-bridge\[embedded\].*PostgreSQL"):
        binaries.locate([half])


def test_major_version_is_read_from_what_postgres_says() -> None:
    """Vendors add words of their own."""
    assert binaries.major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)") == 15
    with pytest.raises(StartupError, match="none"):
        binaries.major("something else 18.6")


@as_root
async def test_runs_as_a_normal_user(data_dir: Path) -> None:
    """Somebody without any privilege needs none, and can own files and end the server too.

    A user namespace makes one who may still read this Python, wherever root has installed it.
    """
    somebody = ("unshare", "--user", "--map-user=65534")

    async with owner(data_dir, *somebody) as (process, dsn):
        assert await execute(dsn, "select answer from kept") == 42
        process.kill()
        await until(lambda: not servers(data_dir))


WITHOUT_NAMESPACES = """
import os, sys
from bridge.embedded import launch
launch._checked(launch._libc().unshare(0x10000000))
print("ready", flush=True)
sys.stdin.readline()
os.setgid(0); os.setuid(0)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Continues where no user namespace can be made, as in a container with Docker's default profile.

The limit counts within the namespace in which it is set, so nobody else is affected."""


@asynccontextmanager
async def owner_without_namespaces(data_dir: Path) -> AsyncIterator[tuple[Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WITHOUT_NAMESPACES,
        "-c",
        OWNER,
        str(data_dir),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        map_all_users(process.pid)
        process.stdin.write(b"go on\n")
        yield process, await said(process)
    finally:
        process.stdin.close()
        await process.wait()


def map_all_users(pid: int) -> None:
    for file in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{file}").write_text("0 0 65536")


@as_root
async def test_root_without_user_namespaces_runs_it_as_another_user(public_dir: Path) -> None:
    """Only the data directory changes hands; it also ends with its owner, and starts again."""
    data_dir = public_dir / "data"
    before = modes(public_dir)
    for _ in range(2):
        async with owner_without_namespaces(data_dir) as (process, dsn):
            assert await execute(dsn, "select 1") == 1
            assert psutil.Process(postmaster(data_dir)).uids().real == data_dir.stat().st_uid != 0
            process.kill()
            await until(lambda: not servers(data_dir))

    assert modes(public_dir) == before


@as_root
async def test_root_whom_nothing_helps_is_told_three_ways_out(tmp_path: Path) -> None:
    """pytest's directory can be entered by root only, and namespaces are off."""
    async with owner_without_namespaces(tmp_path / "data") as (_, error):
        assert "DATABASE_URL" in error
        assert "normal user" in error
        assert "user namespaces" in error


WATCHED = """
import os, subprocess, sys
watch, launch = sys.argv[1:]
launched = [sys.executable, launch, "same", "watched", "/", "/bin/sleep", "600"]
subprocess.Popen([sys.executable, watch, str(os.getpid()), *launched])
print("ready", flush=True)
sys.stdin.read()
"""


async def test_watching_parent_ends_the_program_with_the_bridge() -> None:
    """Where the kernel has no parent death signal, a process in between polls for it."""
    bridge = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WATCHED, watch.__file__, launch.__file__, stdin=PIPE, stdout=PIPE
    )
    try:
        await until(lambda: len(psutil.Process(bridge.pid).children(recursive=True)) == 2)
        family = psutil.Process(bridge.pid).children(recursive=True)
    finally:
        bridge.kill()
        await bridge.communicate()

    await until(lambda: not any(map(lives, family)))


def test_watching_parent_forwards_signals_and_the_exit_status() -> None:
    """A stop reaches the program; how it ended reaches the bridge."""
    script = "trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done"
    command = [sys.executable, watch.__file__, str(os.getpid()), "/bin/sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=60) == 7
