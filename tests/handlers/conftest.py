"""The API over a real socket, with plain fakes behind it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from bridge import log
from bridge.metrics import Metrics
from handlers.http.app import make_app
from handlers.http.app_keys import Services
from tests.support.api import (
    PLATFORM_TOKENS,
    TOKENS,
    Client,
    FakeHealth,
    FakeInbox,
    FakeMappings,
    Lines,
    serving,
)


@pytest.fixture
def mappings() -> FakeMappings:
    return FakeMappings()


@pytest.fixture
def health() -> FakeHealth:
    return FakeHealth()


@pytest.fixture
def services(mappings: FakeMappings, health: FakeHealth) -> Services:
    return Services(
        mappings,
        FakeInbox(),
        Metrics(),
        health.look,
        gateway_tokens=TOKENS,
        platform_tokens=PLATFORM_TOKENS,
    )


@pytest.fixture
def lines() -> Iterator[Lines]:
    written = Lines()
    log.configure("info", "json", written.stream)
    yield written
    structlog.reset_defaults()


@pytest.fixture
async def api(services: Services, lines: Lines) -> AsyncIterator[Client]:
    async with serving(make_app(services)) as client:
        yield client
