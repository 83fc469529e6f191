"""A scripted REST server and a transport to it that does not wait long."""

from collections.abc import AsyncIterator

import pytest

from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from tests.support.scripted_rest import ScriptedRest, scripted_rest

QUICK = RetryPolicy(timeout=5, tries=3, total=20, first_delay=0.001, longest_delay=0.004, longest_wait=1)


@pytest.fixture
async def rest() -> AsyncIterator[ScriptedRest]:
    async with scripted_rest() as scripted:
        yield scripted


@pytest.fixture
def observed() -> list[tuple[str, int | str]]:
    """Endpoint and status of every try."""
    return []


@pytest.fixture
async def transport(rest: ScriptedRest, observed: list[tuple[str, int | str]]) -> AsyncIterator[Transport]:
    async with client_session() as session:
        yield Transport(
            session,
            rest.url,
            "secrettoken",
            lambda endpoint, status, _seconds: observed.append((endpoint, status)),
            QUICK,
        )
