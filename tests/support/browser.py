"""Debian's Chromium, driven by playwright."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.support.programs import required_program

_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

LAPTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Run a browser; each test takes a context of its own."""
    program = required_program("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_ARGS)
        try:
            yield browser
        finally:
            await browser.close()


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
