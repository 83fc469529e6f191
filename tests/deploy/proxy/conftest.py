"""The proxy between a client and two recording upstreams."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar

from tests.support.nginx import Nginx, StartProxy, serving
from tests.support.programs import required_program
from tests.support.upstream import Upstream


@pytest.fixture
async def chat() -> AsyncIterator[Upstream]:
    """What stands for Mattermost."""
    async with Upstream().served() as upstream:
        yield upstream


@pytest.fixture
async def bridge() -> AsyncIterator[Upstream]:
    async with Upstream().served() as upstream:
        yield upstream


@pytest.fixture
def start_proxy(tmp_path: Path, chat: Upstream, bridge: Upstream) -> StartProxy:
    program = required_program("nginx")

    def start(**environment: str) -> AbstractAsyncContextManager[Nginx]:
        upstreams = {"MATTERMOST_UPSTREAM": chat.url, "BRIDGE_UPSTREAM": bridge.url}
        return serving(program, tmp_path, upstreams | environment)

    return start


@pytest.fixture
async def proxy(start_proxy: StartProxy) -> AsyncIterator[Nginx]:
    """The proxy as most deployments have it: one foreign origin may frame the chat."""
    async with start_proxy(FRAME_ANCESTORS="https://app.example.com") as nginx:
        yield nginx


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """A client that keeps no cookies and follows no redirects by itself."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield session
