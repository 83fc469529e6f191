"""How long a person waits: from the question that they see in the channel to the answer that they see.

With `BENCH_MATTERMOST_URL` and `BENCH_MATTERMOST_ADMIN_TOKEN` on a real server too, which gets a team, a
person and a bot. `python -m tests.bench.answers` prints these rows alone.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp

from bridge.db.pool import open_pool
from bridge.log import configure
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.sandbox.agent import Organization
from tests.bench.fresh import fresh_hosts
from tests.bench.rows import bare_process
from tests.contract.client import Socket, post_of
from tests.contract.server import Account, Mattermost
from tests.support.agent import TOKEN
from tests.support.daemon import running
from tests.support.hosts import Hosts
from tests.support.mappings import Mappings
from tests.support.processes import installed

ROUNDS = 3
MENTIONS = 30
"""Of a round, one after the other; the first ten warm everything up and do not count."""
WARM = 10

Rows = Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Place:
    """A channel `#agent` with a person and the bot, in a team that is mapped."""

    server: Mattermost
    built: Hosts
    """The database and the agent."""
    channel_id: str
    ada: Account
    bot: Account

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            **self.built.environ,
            "MATTERMOST_URL": self.server.url,
            "MATTERMOST_BOT_TOKEN": self.bot.token,
        }

    async def waited(self, mentions: int) -> list[float]:
        """Ask one question after the other; return the milliseconds from each to its answer, both as seen."""
        async with self.server.greeted(self.ada) as socket:
            return [await self._asked(socket, number) for number in range(mentions)]

    async def _asked(self, socket: Socket, number: int) -> float:
        text = f"@{self.bot.name} hello {number}"
        body = {"channel_id": self.channel_id, "message": text}
        asking = asyncio.create_task(self.ada.api.post("/posts", body))
        question = post_of(await socket.posted(text))
        seen = time.perf_counter()
        while post_of(await socket.event("posted"))["root_id"] != question["id"]:
            pass
        waited = (time.perf_counter() - seen) * 1000
        await asking
        await asyncio.sleep(0.05)  # until whoever answered has ended what people do not wait for
        return waited


async def answer_rows(folder: Path) -> Rows:
    """Ask in the sandbox, and on a real server if one is named."""
    url, token = (os.environ.get(f"BENCH_MATTERMOST_{name}", "") for name in ("URL", "ADMIN_TOKEN"))
    rows = []
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(fresh_hosts(folder / "answers"))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        mappings = Mappings(await stack.enter_async_context(await open_pool(built.dsn)))
        sandbox = Mattermost("sandbox", http, built.server.url, built.store.admin_token)
        rows.append(await _row(await placed(sandbox, built, mappings, await sandbox.bot()), folder))
        if url and token:
            real = Mattermost("real", http, url.rstrip("/"), token)
            rows.append(await _row(await placed(real, built, mappings, await real.bot()), folder))
    return rows


async def placed(server: Mattermost, built: Hosts, mappings: Mappings, bot: Account) -> Place:
    """Make what is needed on a server, and map it to a new organization."""
    ada = await server.account()
    team = await server.team(ada, bot)
    channel = await server.channel(team["id"], ada, bot, name="agent")
    organization = OrganizationId(uuid4())
    people = Organization("A team", people=[(ada.name, "Member")])
    built.agent.directory = {**built.agent.directory, organization: people}
    await mappings.map_team(organization, TeamId(team["id"]), team["name"])
    await mappings.map_person(PersonId(uuid4()), UserId(ada.id), ada.name)
    return Place(server, built, channel["id"], ada, bot)


async def _row(place: Place, folder: Path) -> tuple[str, str, str]:
    """Let the daemon and the bare bot answer in turn."""
    mine, bare = [], []
    for _ in range(ROUNDS):
        arguments = (place.server.url, place.bot.token, place.built.agent_url, TOKEN, place.bot.name)
        async with bare_process("answer", *arguments):
            bare += (await place.waited(MENTIONS))[WARM:]
        async with running(place.environ, folder / "answers.log", installed):
            mine += (await place.waited(MENTIONS))[WARM:]
    ours, least = statistics.median(mine), statistics.median(bare)
    figures = f"p50 {ours:.1f} ms; bare {least:.1f} ms; added {ours - least:.1f} ms; ratio {ours / least:.2f}"
    return f"mention seen -> answer seen, {place.server.kind} Mattermost", "added <= 4 ms", figures


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for row in await answer_rows(Path(folder)):
            print(*row, sep="  ", flush=True)


if __name__ == "__main__":
    configure("error", "console")
    sys.exit(asyncio.run(main()))
