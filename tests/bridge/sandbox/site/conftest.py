"""The demo's web app, and a browser; all on one event loop, which the browser needs."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page

from tests.support.browser import Tabs
from tests.support.site import Demo, demonstrated


@pytest_asyncio.fixture(loop_scope="session")
async def demo() -> AsyncIterator[Demo]:
    async with demonstrated() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def page(tabs: Tabs) -> AsyncIterator[Page]:
    """A page in which no script may fail."""
    async with tabs.page() as opened:
        yield opened
