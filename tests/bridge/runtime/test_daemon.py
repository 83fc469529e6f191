"""The daemon as a process of its own, with the database that it embeds."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bridge.embedded import sockets
from bridge.embedded.cluster import Cluster
from tests.support.daemon import running
from tests.support.hosts import Hosts
from tests.support.processes import forked, installed
from tests.support.programs import servers


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory that all daemons here have one after the other."""
    path = tmp_path_factory.mktemp("daemon")
    yield path
    sockets.remove(Cluster.of(path).sockets)


@pytest.fixture
def environ(data_dir: Path) -> Mapping[str, str]:
    return {"BRIDGE_DATA_DIR": str(data_dir)}


async def until_no_server(data_dir: Path) -> None:
    async with asyncio.timeout(60):
        while servers(data_dir):
            await asyncio.sleep(0.02)


async def refused(environ: Mapping[str, str], log: Path) -> tuple[int, str]:
    """Serve in vain; returns the exit code and what was said."""
    process = await forked({"PATH": os.environ["PATH"], "LOG_LEVEL": "error", **environ}, log)
    async with asyncio.timeout(60):
        return await process.wait(), await asyncio.to_thread(log.read_text)


@asynccontextmanager
async def taken_port() -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


async def test_it_serves_its_api_without_anything_configured(
    environ: Mapping[str, str], data_dir: Path, tmp_path: Path
) -> None:
    """PostgreSQL comes with it, and without a bot the API is all there is to be ready for."""
    async with running(environ, tmp_path / "log", installed) as daemon:
        async with aiohttp.ClientSession() as session, session.get(f"{daemon.url}/readyz") as response:
            assert response.status == 200
        assert servers(data_dir)
        assert "no_bot" in [line.get("event") for line in daemon.lines()]


async def test_a_second_owner_of_the_data_directory_is_refused(
    environ: Mapping[str, str], data_dir: Path, tmp_path: Path
) -> None:
    """In a sentence that names the process and the ways out; the first goes on."""
    async with running(environ, tmp_path / "log") as daemon:
        code, said = await refused(environ, tmp_path / "refused")

        assert daemon.process
        assert code == 1
        assert said == (
            f"The data directory {data_dir} is in use by process {daemon.process.pid}. Stop it, or set"
            " BRIDGE_DATA_DIR to another directory, or let both use one PostgreSQL through DATABASE_URL.\n"
        )
        await daemon.ready()


async def test_sigterm_ends_it_and_its_database(
    environ: Mapping[str, str], data_dir: Path, tmp_path: Path
) -> None:
    """Exit code 0, no process left, and the next start finds everything in order."""
    async with running(environ, tmp_path / "log", installed) as daemon:
        assert await daemon.stop() == 0

        assert servers(data_dir) == []
        assert [line for line in daemon.lines() if line.get("level") in ("error", "critical")] == []
        await daemon.start()
        await daemon.ready()


async def test_a_kill_leaves_no_database_behind(
    environ: Mapping[str, str], data_dir: Path, tmp_path: Path
) -> None:
    """SIGKILL gives nobody time to clean up, and yet the data directory is free again."""
    async with running(environ, tmp_path / "log", installed) as daemon:
        await daemon.kill()
        await until_no_server(data_dir)

        await daemon.start()
        await daemon.ready()


async def test_a_second_sigterm_ends_it_at_once(hosts: Hosts, tmp_path: Path) -> None:
    """Whoever cannot wait for what is in hand need not; the next process takes it up."""
    async with running(hosts.environ, tmp_path / "log") as daemon:
        hosts.agent.may_answer.clear()
        hosts.ask(hosts.companies[0], "@equabot hello")
        await hosts.agent.until(lambda: hosts.agent.in_progress == 1)
        assert daemon.process
        daemon.process.send_signal(signal.SIGTERM)
        await hosts.until(lambda: any(line.get("event") == "finishing" for line in daemon.lines()))

        assert await daemon.stop() == -signal.SIGTERM


async def test_a_port_that_is_taken_is_told(dsn: str, tmp_path: Path) -> None:
    """One sentence with the variables to set, and exit code 1."""
    async with taken_port() as port:
        code, said = await refused({"DATABASE_URL": dsn, "BRIDGE_PORT": str(port)}, tmp_path / "refused")

    assert code == 1
    assert said.startswith(f"The API cannot listen on 127.0.0.1 port {port} (")
    assert said.endswith("): set BRIDGE_HOST or BRIDGE_PORT.\n")
    assert said.count("\n") == 1


async def test_a_port_that_is_taken_is_told_with_everything_configured(
    environ: Mapping[str, str], data_dir: Path, tmp_path: Path
) -> None:
    """However much was started before it, nothing is left of that and nothing else is said."""
    everything = {
        "MATTERMOST_URL": "http://127.0.0.1:1",
        "MATTERMOST_ADMIN_BOT_TOKEN": "a" * 26,
        "EQUA_API_URL": "http://127.0.0.1:1",
    }
    async with taken_port() as port:
        code, said = await refused({**environ, **everything, "BRIDGE_PORT": str(port)}, tmp_path / "refused")

    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("The API cannot listen on")
    assert servers(data_dir) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b"], ids=["somebody else's", "no name"])
async def test_a_host_that_is_not_ours_is_told(dsn: str, host: str, tmp_path: Path) -> None:
    """192.0.2.1 belongs to no machine, and the other could not."""
    code, said = await refused(
        {"DATABASE_URL": dsn, "BRIDGE_HOST": host, "BRIDGE_PORT": "0"}, tmp_path / "refused"
    )

    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith(f"The API cannot listen on {host} port 0 (")


async def test_a_database_that_is_not_what_it_should_be_is_told(dsn: str, tmp_path: Path) -> None:
    """A wrong database is a sentence too, and its password is not in it."""
    address, _, _ = dsn.partition("?")
    wrong = dsn.replace(address.rpartition("/")[2], "no_such_database", 1)

    code, said = await refused({"DATABASE_URL": wrong}, tmp_path / "refused")

    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("The database refuses the connection:")
    assert "no_such_database" in said
