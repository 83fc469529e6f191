"""Debian's Chromium, driven by playwright."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, async_playwright

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

LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


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
    """Return a line for each thing that axe-core finds wrong, shadow trees and best practices included."""
    await page.evaluate(AXE_SCRIPT)
    # What is being faded in has not the contrast that it will have.
    await page.evaluate(
        "Promise.all(document.getAnimations().map((each) => each.playState === 'running' && each.effect.getTiming().iterations === 1 && each.finished))"
    )
    found = await page.evaluate(
        "axe.run({ iframes: false, resultTypes: ['violations'] })".replace("({ ", "(document, { ")
    )
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
