"""Fixtures for the Equa clients: a session as the daemon makes it, and the sandbox's Equa."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bridge.equa import EquaClient, ServiceAccount, make_session
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Server
from tests.support.equa import ADMIN_PERMISSIONS, COOKIES, Clock


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with make_session() as made:
        yield made


@pytest.fixture
async def equa() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(session: ClientSession, equa: Server, clock: Clock) -> EquaClient:
    return EquaClient(session, url=equa.api_url, admin_permissions=ADMIN_PERMISSIONS, clock=clock)


@pytest.fixture
def service(session: ClientSession, equa: Server, clock: Clock) -> ServiceAccount:
    return ServiceAccount(
        session,
        url=equa.api_url,
        cookies=COOKIES,
        admin_permissions=ADMIN_PERMISSIONS,
        email=demo_data.SERVICE.email,
        password=demo_data.PASSWORD,
        clock=clock,
    )
