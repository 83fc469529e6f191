"""How fast the platform's events are accepted, and how fast their notices are posted."""

import asyncio
import time
from collections.abc import Sequence

import aiohttp

from tests.chaos.events import TOKEN, EventStream, upload
from tests.support.daemon import Daemon
from tests.support.hosts import Hosts

EVENTS = 1000
BATCH = 100


async def event_rows(hosts: Hosts, daemon: Daemon) -> Sequence[tuple[str, str, str]]:
    """Send lists of events, wait for all notices, and post as many without a bridge."""
    stream = EventStream(hosts, [daemon], EVENTS)
    started = time.perf_counter()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        for company in hosts.companies:
            for first in range(0, EVENTS // len(hosts.companies), BATCH):
                events = [upload(company, number) for number in range(first, first + BATCH)]
                url = f"{daemon.url}/api/v1/mattermost/events"
                async with http.post(url, json=events) as response:
                    assert response.status == 202, await response.text()
    accepted = time.perf_counter() - started
    assert await stream.posted(60)
    posted = time.perf_counter() - started
    bare = await _bare(hosts)
    return [
        ("events accepted a second, in lists of 100", "", f"{EVENTS / accepted:.0f}/s"),
        (
            "notices a second, one after the other in each of 2 channels",
            "",
            f"{EVENTS / posted:.0f}/s; bare {bare:.0f}/s; ratio {EVENTS / posted / bare:.2f}",
        ),
    ]


async def _bare(hosts: Hosts) -> float:
    """Return how many posts a second the sandbox takes, one after the other in each of two channels."""
    headers = {"Authorization": f"Bearer {hosts.bot_token.token}"}
    started = time.perf_counter()
    async with aiohttp.ClientSession(headers=headers) as http, asyncio.TaskGroup() as group:

        async def post(channel_id: str) -> None:
            for number in range(EVENTS // len(hosts.companies)):
                body = {"channel_id": channel_id, "message": f"post {number}"}
                async with http.post(f"{hosts.server.url}/api/v4/posts", json=body) as response:
                    await response.read()

        for company in hosts.companies:
            group.create_task(post(company.agent.id))
    return EVENTS / (time.perf_counter() - started)
