"""`python -m tests.bench.ours WS_URL`: the daemon's own socket, counting frames that are not for it."""

import asyncio
import sys
import time

from bridge.log import configure
from bridge.mattermost.websocket.socket import Interest, Socket
from bridge.models.chat import UserId

FRAMES = 60_000


async def frames(url: str) -> None:
    """Print how many frames a second the socket takes until the wanted one comes."""

    async def probe() -> None: ...

    configure("error", "json")
    async with Socket(url, "token", Interest("agent", UserId("d" * 26)), probe) as socket:
        batches = socket.batches()
        await anext(batches)
        started = time.perf_counter()
        await anext(batches)
        print(FRAMES / (time.perf_counter() - started))


if __name__ == "__main__":
    asyncio.run(frames(sys.argv[1]))
