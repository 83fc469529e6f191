"""The daemon among its hosts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts


@pytest.fixture
def acme(hosts: Hosts) -> Company:
    return hosts.companies[0]


@pytest.fixture
def borealis(hosts: Hosts) -> Company:
    return hosts.companies[1]


@pytest.fixture
async def limiting_daemon(hosts: Hosts, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that takes as many questions of a person as it does by default."""
    async with running({**hosts.environ, "ASK_LIMIT": "20,60"}, tmp_path / "daemon.log") as started:
        yield started


@pytest.fixture
async def daemon(hosts: Hosts, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that is ready."""
    async with running(hosts.environ, tmp_path / "daemon.log") as started:
        yield started
