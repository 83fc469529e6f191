"""Debian's Chromium, driven by playwright.

It comes twice: what has no windows needs half the processor time, and is enough for nearly all tests.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright, expect

from tests.support.programs import required_program

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No page lives long enough for its scripts to be worth optimizing.
    "--js-flags=--no-opt --no-maglev --no-sparkplug --single-threaded",
    # A process takes longer to start than most pages to load: none is kept ready, and none draws.
    "--renderer-process-limit=1",
    "--in-process-gpu",
)

WITHOUT_WINDOWS = ("chromium-headless-shell", "chromium")
COMPLETE = ("chromium",)
"""Needed for what a browser adds to its engine: permissions, downloads, error pages, rules on storage."""

LAPTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}


@asynccontextmanager
async def launched(programs: Sequence[str] = WITHOUT_WINDOWS, *arguments: str) -> AsyncIterator[Browser]:
    """Run the first of these browsers that is installed; each test takes a context of its own."""
    expect.set_options(timeout=30_000)
    program = required_program(*programs)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*_ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            await browser.close()


class Tabs:
    """Gives each test a page of its own, in a context that tests use in turn: a new one takes twice as long.

    Between tests every page but one is closed, which keeps the context's processes alive, and cookies are
    deleted. A test that replaced the clock is the last one of its context, for that cannot be undone.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._context: BrowserContext | None = None

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """Open a page in which no script may fail."""
        self._context = self._context or await self._new_context()
        page = await self._context.new_page()
        errors = errors_of(page)
        try:
            yield page
        finally:
            await self._tidy(self._context)
        assert errors == []

    async def close(self) -> None:
        """Close the context; the next page gets a new one."""
        context, self._context = self._context, None
        if context:
            await context.close()

    async def _new_context(self) -> BrowserContext:
        context = await self._browser.new_context(viewport=LAPTOP, reduced_motion="reduce")
        await context.new_page()
        return context

    async def _tidy(self, context: BrowserContext) -> None:
        first, *others = context.pages
        if not await first.evaluate("/native code/.test(setTimeout)"):
            await self.close()
            return
        for page in others:
            await page.close()
        await context.clear_cookies()


@asynccontextmanager
async def opened(browser: Browser) -> AsyncIterator[Tabs]:
    """Give pages of the browser."""
    tabs = Tabs(browser)
    yield tabs
    await tabs.close()


async def stop_clock(page: Page) -> datetime:
    """Stop the time of a page that is not loaded yet, and return it: `page.clock.run_for` alone moves it.

    A clock that went on would count how long a busy machine takes between two lines of a test.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    await page.clock.install(time=now - timedelta(hours=1))
    await page.clock.pause_at(now)
    return now


async def violations(page: Page) -> list[str]:
    """Return a line for each thing that axe-core finds wrong, shadow trees and best practices included.

    What is being faded in has not its contrast yet: the page's context asks for reduced motion.
    """
    await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = await page.evaluate("axe.run(document, { iframes: false, resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def errors_of(page: Page) -> list[str]:
    """Return a list that gets every error which the page's scripts do not catch."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors
