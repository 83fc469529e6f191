"""A sandbox Mattermost for tests: on a free port, with quick timings, stopped at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bridge.sandbox.mattermost import Server, Settings, Store, Timing

QUICK = Timing(auth_check=1.0, ping_interval=1.0, pong_wait=3.0)


@asynccontextmanager
async def running_mattermost(
    store: Store | None = None, *, settings: Settings | None = None, timing: Timing = QUICK
) -> AsyncIterator[Server]:
    """Serve a store, by default a fresh one; `server.store` and `server.faults` are for the test to use."""
    async with Server(store or Store(settings), timing=timing) as server:
        yield server


async def eventually(condition: Callable[[], bool], within: float = 60) -> None:
    """Poll a condition that no event announces until it holds."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)
