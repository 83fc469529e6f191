"""Fixtures for all tests."""

import gc
from collections.abc import AsyncIterator, Generator, Iterator

import hypothesis
import pytest
import pytest_asyncio
from asyncpg import Pool
from structlog.dev import ConsoleRenderer, plain_traceback

from bridge.db.pool import unchecked_pool
from tests.support.browser import COMPLETE, Tabs, launched, opened
from tests.support.hosts import Hosts
from tests.support.hosts import hosts as built_hosts
from tests.support.postgres import fresh_database, served

# A deadline an example, and the speed of making them, measure what else the machine is doing.
hypothesis.settings.register_profile(
    "explore", deadline=None, derandomize=False, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
# A change is judged by the same examples as the one before it.
hypothesis.settings.register_profile(
    "ours", hypothesis.settings.get_profile("explore"), derandomize=True, database=None
)
hypothesis.settings.load_profile("ours")


# Rendering one traceback in colours takes longer than most tests.
ConsoleRenderer.get_active().exception_formatter = plain_traceback


# How many more objects there have to be than before until the youngest are looked through for garbage,
# and how often that happens until older ones are. Python's own figures take a fifteenth of the time of tests.
_SELDOM = (20_000, 20, 100)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector what collection makes: all of it stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*_SELDOM)
        gc.enable()


_FIRST = (
    "tests/chaos/",
    "tests/paths/test_failover",
    "tests/paths/test_approvals",
    "tests/paths/test_growing",
    "tests/paths/test_mention_failures",
    "tests/paths/test_tampering",
    "tests/paths/",
)
"""Tests that wait more than they compute, the longest first: they wait while other processes compute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave nothing that takes long to the end, when processes have run out of other tests."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, start in enumerate(_FIRST) if item.nodeid.startswith(start)), len(_FIRST))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the session; the DSN of its superuser."""
    with served(tmp_path_factory.mktemp("postgres")) as dsn:
        yield dsn


@pytest.fixture
async def dsn(postgres: str) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    async with fresh_database(postgres) as own:
        yield own


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with await unchecked_pool(dsn) as opened:
        yield opened


@pytest.fixture
async def hosts(dsn: str, pool: Pool) -> AsyncIterator[Hosts]:
    """Two organizations with their people, a sandbox Mattermost and a sandbox agent."""
    async with built_hosts(dsn, pool) as built:
        yield built


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tabs() -> AsyncIterator[Tabs]:
    """The pages of one browser; a test that uses them runs on the session's event loop."""
    async with launched() as browser, opened(browser) as pages:
        yield pages


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def complete_tabs() -> AsyncIterator[Tabs]:
    """The same, of a browser with everything that people have in it."""
    async with launched(COMPLETE) as browser, opened(browser) as pages:
        yield pages
