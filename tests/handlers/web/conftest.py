"""A browser, what it looks at, and what it heard; all on one event loop, which the browser needs."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.browser import LAPTOP, errors_of, launched
from tests.support.messaging import LISTEN, Bridge, scene


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def bridge() -> AsyncIterator[Bridge]:
    async with scene() as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page in a context of its own, in which no script may fail."""
    context = await browser.new_context(viewport=LAPTOP, reduced_motion="reduce")
    opened = await context.new_page()
    await opened.add_init_script(LISTEN)
    errors = errors_of(opened)
    yield opened
    await context.close()
    assert errors == []
