"""The contract runs against the sandbox always, and against a real server when one is named.

CONTRACT_MATTERMOST_URL and CONTRACT_MATTERMOST_ADMIN_TOKEN name it; the token is a system administrator's.
"""

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bridge.sandbox.mattermost import Server, Store, Timing
from tests.contract.server import Mattermost, Scene

REAL_URL = os.environ.get("CONTRACT_MATTERMOST_URL", "")
REAL_TOKEN = os.environ.get("CONTRACT_MATTERMOST_ADMIN_TOKEN", "")
KINDS = ["sandbox", "real"] if REAL_URL and REAL_TOKEN else ["sandbox"]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


@pytest.fixture(params=KINDS)
async def server(request: pytest.FixtureRequest, http: aiohttp.ClientSession) -> AsyncIterator[Mattermost]:
    """A server on which tests make what they need."""
    if request.param == "real":
        real = Mattermost("real", http, REAL_URL.rstrip("/"), REAL_TOKEN)
        await real.find_version()
        yield real
        await real.retire()
        return
    store = Store()
    async with Server(store, timing=Timing(auth_check=1.0)) as sandbox:
        known = Mattermost(
            "sandbox",
            http,
            sandbox.url,
            store.admin_token,
            lambda user_id: sandbox.open_sockets(store.users[user_id]),
        )
        await known.find_version()
        yield known


@pytest.fixture
async def scene(server: Mattermost) -> Scene:
    """A team with two people and a bot in one channel."""
    return await server.scene()
