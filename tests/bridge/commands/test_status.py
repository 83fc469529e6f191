"""`equabot-bridge status` as an operator asks it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.cli import parser
from bridge.commands import status
from tests.support.daemon import running
from tests.support.hosts import Hosts
from tests.support.postgres import jobs


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


async def run(hosts: Hosts, *options: str) -> int:
    return await status.run(parser().parse_args(["status", *options]), hosts.environ)


async def test_a_daemon_and_what_remains_of_it(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how it is while it runs, and after its end the database still answers."""

    async def shown() -> Any:
        assert await run(hosts, "--json") == 0
        return json.loads(capsys.readouterr().out)

    async with running(hosts.environ, tmp_path / "log") as daemon:
        question = hosts.ask(hosts.companies[0], "@equabot how are we?")
        await hosts.answered(question)
        async with asyncio.timeout(60):
            while await jobs(hosts.dsn) != {("mention", "done")}:
                await asyncio.sleep(0.02)
        alive = await shown()
        assert await run(hosts) == 0
        screen = capsys.readouterr().out
        assert await daemon.stop() == 0
    ended = await shown()

    (process,) = alive["processes"]
    assert process["jobs"] == 0
    assert "websocket" in screen
    assert ended["processes"] == []
    assert ended["last_hour"]["answered"] == 1
    assert ended["last_hour"]["slowest"]["team"] == hosts.companies[0].team.name


async def test_watch_goes_on_while_the_database_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An embedded one is not started for it: the daemon could not have it then."""
    environ = {"BRIDGE_DATA_DIR": str(tmp_path)}
    options = parser().parse_args(["status", "--watch", "--json"])
    watching = asyncio.create_task(status.run(options, environ))
    shown = ""
    async with asyncio.timeout(60):
        while not shown:
            await asyncio.sleep(0.02)
            shown = capsys.readouterr().out
    watching.cancel()
    await asyncio.wait({watching})

    assert json.loads(shown) == {"error": "The bridge is not running, nor its embedded database."}
