"""The demo's web app, and a browser; all on one event loop, which the browser needs."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.browser import LAPTOP, errors_of, launched
from tests.support.site import Demo, demonstrated


@pytest_asyncio.fixture(loop_scope="session")
async def demo() -> AsyncIterator[Demo]:
    async with demonstrated() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page in a context of its own, in which no script may fail."""
    context = await browser.new_context(viewport=LAPTOP, reduced_motion="reduce")
    opened = await context.new_page()
    errors = errors_of(opened)
    yield opened
    await context.close()
    assert errors == []
