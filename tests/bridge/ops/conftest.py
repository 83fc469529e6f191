"""A Mattermost as it is installed, and its administrator's view of it."""

from collections.abc import AsyncIterator

import pytest

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.sandbox.mattermost import Server, Store
from tests.support.mattermost import running_mattermost
from tests.support.operator import operating, server_settings


@pytest.fixture
def store() -> Store:
    return Store(server_settings())


@pytest.fixture
async def mattermost(store: Store) -> AsyncIterator[Server]:
    async with running_mattermost(store) as server:
        yield server


@pytest.fixture
async def operator(mattermost: Server) -> AsyncIterator[RestOperator]:
    async with operating(mattermost.url, mattermost.store.admin_token) as operator:
        yield operator
