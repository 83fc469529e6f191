"""Events of the platform during the storm, sent one after the other for each organization."""

import asyncio
import json
import re
from collections.abc import Sequence
from itertools import cycle, pairwise

import aiohttp

from bridge.sandbox.mattermost import Channel, Post
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts

TYPE = "cc.equa.document.uploaded"
TOKEN = "the-token-of-the-platform"


class EventStream:
    """Sends events until each is accepted, and counts their notices."""

    def __init__(self, hosts: Hosts, daemons: Sequence[Daemon], events: int, pause: float = 0) -> None:
        self._world = hosts
        self._daemons = daemons
        self._pause = pause
        self._shares = [events // len(hosts.companies)] * len(hosts.companies)
        self._channels = [self._channel(company) for company in hosts.companies]
        self._read: dict[str, int] = {}
        """The numbers of the notices that were seen, by their ids."""

    def _channel(self, company: Company) -> Channel:
        members = [*company.people, self._world.bot]
        return self._world.store.create_channel(company.team, "documents", members=members)

    async def send(self) -> None:
        """Send all events; after a 503 or no answer, send the same event again."""
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.TaskGroup() as group:
            for company, count in zip(self._world.companies, self._shares, strict=True):
                group.create_task(self._send(http, company, count))

    async def _send(self, http: aiohttp.ClientSession, company: Company, count: int) -> None:
        daemons = cycle(self._daemons)
        for number in range(count):
            while not await self._accepted(http, next(daemons), upload(company, number)):
                await asyncio.sleep(0.1)
            await asyncio.sleep(self._pause)

    async def _accepted(self, http: aiohttp.ClientSession, daemon: Daemon, event: object) -> bool:
        url = f"{daemon.url}/api/v1/mattermost/events"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        try:
            async with http.post(url, json=event, headers=headers) as response:
                assert response.status in {202, 503}, await response.text()
                return response.status == 202
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def posted(self, seconds: float) -> bool:
        """Wait until every event has its notice; False if that takes too long."""
        try:
            await self._world.until(
                lambda: all(len(set(self._numbers(c))) >= n for c, n in self._pairs()), seconds=seconds
            )
        except TimeoutError:
            return False
        return True

    def count(self) -> tuple[int, int, int]:
        """Return how many events were lost, posted twice, or posted before an earlier one."""
        lost = double = disordered = 0
        for channel, count in self._pairs():
            numbers = self._numbers(channel)
            once = list(dict.fromkeys(numbers))
            lost += count - len(once)
            double += len(numbers) - len(once)
            disordered += sum(one > other for one, other in pairwise(once))
        return lost, double, disordered

    def _pairs(self) -> list[tuple[Channel, int]]:
        return list(zip(self._channels, self._shares, strict=True))

    def _numbers(self, channel: Channel) -> list[int]:
        posts = [post for post in self._world.store.posts_in(channel) if post.user_id == self._world.bot.id]
        return [self._number(post) for post in posts]

    def _number(self, post: Post) -> int:
        """Read a notice once only: whoever waits for many looks at all of them again and again."""
        if post.id not in self._read:
            text = json.dumps(post.props)
            found = re.search(r"number(\d+)", text)
            assert found, text
            self._read[post.id] = int(found[1])
        return self._read[post.id]


def upload(company: Company, number: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"upload-{number}",
        "source": f"https://app.example.com/{company.id}",
        "type": TYPE,
        "subject": str(company.id),
        "data": {
            "name": f"number{number}",
            "uploader": "Ada Lovelace",
            "size": 1024,
            "link": "https://app.example.com/documents",
        },
    }
