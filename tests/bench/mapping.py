"""How fast a peer hears which organization a team is, next to a bare aiohttp route.

`python -m tests.bench.mapping bare` serves the bare one and prints its address.
"""

import asyncio
import statistics
import time
from collections.abc import Mapping

import aiohttp
from aiohttp import web

from tests.bench.bare_server import bare_server, serve
from tests.support.daemon import Daemon
from tests.support.hosts import Hosts

ROUNDS = 5
SECONDS = 1.0
CONNECTIONS = 20


async def mapping_row(hosts: Hosts, daemon: Daemon) -> str:
    """Return requests a second, one after the other and on many connections; both servers in turn."""
    team = hosts.companies[0].team.id
    url = f"{daemon.url}/api/v1/mattermost/team-mapping/{team}"
    headers = {"Authorization": "Bearer the-first-peers-token"}
    figures = []
    async with bare_server("tests.bench.mapping") as bare_url:
        for connections in (1, CONNECTIONS):
            mine, bare = [], []
            for _ in range(ROUNDS):
                bare.append(await rate(f"{bare_url}/{team}", headers, connections))
                mine.append(await rate(url, headers, connections))
            ratio = statistics.median(m / b for m, b in zip(mine, bare, strict=True))
            figures.append(
                f"{connections} connection(s): {statistics.median(mine):,.0f}/s;"
                f" bare {statistics.median(bare):,.0f}/s; ratio {ratio:.2f}"
            )
    return ", ".join(figures)


async def rate(url: str, headers: Mapping[str, str], connections: int) -> float:
    """Ask for a second on so many connections; requests a second."""
    count, end = 0, time.perf_counter() + SECONDS

    async def ask(session: aiohttp.ClientSession) -> None:
        nonlocal count
        while time.perf_counter() < end:
            async with session.get(url) as response:
                assert response.status == 200
                await response.read()
            count += 1

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        await asyncio.gather(*(ask(session) for _ in range(connections)))
    return count / SECONDS


async def bare() -> None:
    """Serve one route that answers at once."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"organizationId": "0a000000-0000-4000-8000-00000000000a"})

    app = web.Application()
    app.router.add_get("/{teamId}", answer)
    await serve(app)


if __name__ == "__main__":
    asyncio.run(bare())
