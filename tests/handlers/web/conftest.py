"""A browser, what it looks at, and what it heard; all on one event loop, which the browser needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest_asyncio
from playwright.async_api import Page

from tests.support import agent_admin
from tests.support.browser import Tabs
from tests.support.messaging import LISTEN, Bridge, scene


@pytest_asyncio.fixture(loop_scope="session")
async def bridge() -> AsyncIterator[Bridge]:
    async with scene() as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def page(tabs: Tabs) -> AsyncIterator[Page]:
    """A page in which no script may fail, and which keeps what the component reports."""
    async with listening(tabs) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def complete_page(complete_tabs: Tabs) -> AsyncIterator[Page]:
    """The same, of a browser with everything that people have in it."""
    async with listening(complete_tabs) as opened:
        yield opened


@asynccontextmanager
async def listening(tabs: Tabs) -> AsyncIterator[Page]:
    async with tabs.page() as opened:
        await opened.add_init_script(LISTEN)
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def agent_scene() -> AsyncIterator[agent_admin.Scene]:
    """A bridge with the organization's page."""
    async with agent_admin.scene() as served:
        yield served
