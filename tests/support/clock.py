"""Time that passes at once."""

import asyncio


class Clock:
    """The running loop's time, which a test moves ahead instead of waiting."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        real = loop.time
        self._ahead = 0.0
        loop.time = lambda: real() + self._ahead  # type: ignore[method-assign]  # the one place to ask

    def stop(self) -> None:
        """Let no time pass any more."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        loop.time = lambda: now  # type: ignore[method-assign]  # the one place to ask

    async def passes(self, seconds: float) -> None:
        """Let so much time pass, and everybody who waited for it go on."""
        await _settled()
        self._ahead += seconds
        await _settled()


async def _settled() -> None:
    """Let everybody go on who can without waiting for anything outside."""
    for _ in range(10):
        await asyncio.sleep(0)
