"""What a visit costs: calls of Mattermost and Equa, and time.

`python -m tests.bench.sign_in MATTERMOST_URL TOKEN EQUA_URL` serves a bare visit, which makes the calls that
a returning one needs and keeps nothing, and prints its address.
"""

import asyncio
import re
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from bridge.sandbox import demo_data as sandbox
from bridge.sandbox import equa
from bridge.sandbox.demo_data import Account, Company
from bridge.sandbox.mattermost import Server, Store
from tests.bench.bare_server import bare_server, serve
from tests.support.daemon import Daemon, running
from tests.support.environ import environ_of
from tests.support.processes import installed

ROUNDS = 7
"""Visits a person; more in one go are too many for the rate limit."""

Rows = Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Hall:
    """A daemon and what it stands between."""

    http: aiohttp.ClientSession
    daemon: Daemon
    server: Server
    platform: equa.Server

    async def visit(self, account: Account, company: Company) -> tuple[float, int, int]:
        """Return milliseconds, calls of Mattermost and calls of Equa of a visit."""
        before = await self._calls()
        taken = await self.timed(account, company)
        after = await self._calls()
        return taken, after[0] - before[0], after[1] - before[1]

    async def timed(self, account: Account, company: Company) -> float:
        """Return milliseconds of a visit with a fresh Equa session."""
        headers = {"Cookie": self.platform.store.sign_in(account.id)}
        body = {"organizationId": str(company.id)}
        started = time.perf_counter()
        url = f"{self.daemon.url}/api/v1/mattermost/session"
        async with self.http.post(url, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            await response.read()
        return (time.perf_counter() - started) * 1000

    async def _calls(self) -> tuple[int, int]:
        async with self.http.get(f"{self.daemon.url}/metrics") as response:
            text = await response.text()
        counts = re.findall(
            r"^equabot_bridge_mattermost_call_seconds_count\{.*\} ([\d.e+]+)$", text, re.MULTILINE
        )
        return int(sum(map(float, counts))), sum(self.platform.controls.calls.values())

    async def bare(self, account: Account, url: str) -> float:
        """Return milliseconds of a visit at the bare server."""
        headers = {"Cookie": self.platform.store.sign_in(account.id)}
        started = time.perf_counter()
        async with self.http.post(url, headers=headers) as response:
            assert response.status == 200, await response.text()
            await response.read()
        return (time.perf_counter() - started) * 1000


async def sign_in_rows(dsn: str, folder: Path) -> Rows:
    """Measure a first visit of an organization, of a person, and returning ones."""
    store = Store()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(store))
        platform = await stack.enter_async_context(equa.Server())
        environ = environ_of(dsn, server, platform)
        daemon = await stack.enter_async_context(running(environ, folder / "visits.log", installed))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        return await _measured(Hall(http, daemon, server, platform))


async def _measured(hall: Hall) -> Rows:
    firsts = [await hall.visit(sandbox.ADA, sandbox.ACME), await hall.visit(sandbox.BEN, sandbox.ACME)]
    await hall.visit(sandbox.CHLOE, sandbox.ACME)
    people = (sandbox.ADA, sandbox.BEN, sandbox.CHLOE)
    again = [await hall.visit(person, sandbox.ACME) for person in people]
    arguments = (hall.server.url, hall.server.store.admin_token, hall.platform.api_url)
    mine, bare = [], []
    async with bare_server("tests.bench.sign_in", *arguments) as url:
        # In turn, so that both find the machine alike.
        for _ in range(ROUNDS):
            for person in people:
                bare.append(await hall.bare(person, url))
                mine.append(await hall.timed(person, sandbox.ACME))
    names = ("first visit of an organization", "first visit of a person")
    rows = [
        (name, "", f"{calls} Mattermost and {asked} Equa calls, {taken:.0f} ms")
        for name, (taken, calls, asked) in zip(names, firsts, strict=True)
    ]
    p50, alone = statistics.median(mine), statistics.median(bare)
    most = max(calls for _, calls, _ in again), max(asked for _, _, asked in again)
    calls = f"{most[0]} Mattermost and {most[1]} Equa calls at most"
    figures = f"{calls}, p50 {p50:.1f} ms; bare {alone:.1f} ms; ratio {p50 / alone:.2f}"
    return [*rows, ("returning visit", "1 and <= 2 calls, <= 2 x bare", figures)]


async def bare(mattermost: str, token: str, equa: str) -> None:
    """Serve one route: who is there, of which organizations, and whether the account is well."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def visit(request: web.Request) -> web.Response:
            person = {"Cookie": request.headers["Cookie"]}
            for url, headers in (
                (f"{equa.rstrip('/')}/user/current", person),
                (f"{equa.rstrip('/')}/organization", person),
                (f"{mattermost}/api/v4/users/me", {"Authorization": f"Bearer {token}"}),
            ):
                async with http.get(url, headers=headers) as response:
                    assert response.status == 200
                    await response.read()
            return web.json_response({"token": "a-ticket"})

        app = web.Application()
        app.router.add_post("/", visit)
        await serve(app)


if __name__ == "__main__":
    asyncio.run(bare(*sys.argv[1:]))
