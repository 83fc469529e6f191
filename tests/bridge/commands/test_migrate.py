"""`equabot-bridge migrate` as a deployment runs it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from bridge.cli import parser
from bridge.commands import migrate
from bridge.embedded import run as embedded
from bridge.embedded import sockets
from bridge.embedded.cluster import Cluster
from bridge.errors import StartupError
from tests.support.postgres import fresh_database

ROOT = Path(__file__).parents[3]
NAMES = [path.name for path in sorted(ROOT.glob("bridge/db/migrations/*.sql"))]


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[str]:
    """A database in which nothing is."""
    async with fresh_database(postgres, template="template1") as dsn:
        yield dsn


async def run(**environ: str) -> int:
    return await migrate.run(parser().parse_args(["migrate"]), environ)


async def test_what_is_applied_is_told(empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, in their order; a repeat applies nothing and says so."""
    assert await run(DATABASE_URL=empty) == 0
    first = capsys.readouterr().out.splitlines()
    assert await run(DATABASE_URL=empty) == 0
    again = capsys.readouterr().out.splitlines()

    assert NAMES
    assert first == [f"applied {name}" for name in NAMES]
    assert again == ["the database is up to date"]


async def test_the_embedded_database_is_migrated_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is made if there is none, and ends with the command; a daemon that has it is not disturbed."""
    data_dir = tmp_path / "data"
    try:
        assert await run(BRIDGE_DATA_DIR=str(data_dir)) == 0
        async with embedded(data_dir, fsync=False):
            with pytest.raises(StartupError, match="in use by process"):
                await run(BRIDGE_DATA_DIR=str(data_dir))
    finally:
        sockets.remove(Cluster.of(data_dir).sockets)

    assert capsys.readouterr().out.splitlines() == [f"applied {name}" for name in NAMES]
