"""The daemon in its world."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, running
from tests.support.world import Company, World


@pytest.fixture
def acme(world: World) -> Company:
    return world.companies[0]


@pytest.fixture
def borealis(world: World) -> Company:
    return world.companies[1]


@pytest.fixture
async def limiting_daemon(world: World, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that takes as many questions of a person as it does by default."""
    async with running({**world.environ, "ASK_LIMIT": "20,60"}, tmp_path / "daemon.log") as started:
        yield started


@pytest.fixture
async def daemon(world: World, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that is ready."""
    async with running(world.environ, tmp_path / "daemon.log") as started:
        yield started
