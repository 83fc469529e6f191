"""Syncs of ten thousand members: what they ask of Mattermost, and how long they take.

The sandbox shares the process, so the seconds are its own for the most part.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bridge import embedded
from bridge.db.migrate import migrate
from bridge.log import configure
from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import Settings
from provisioning.report import Report
from tests.support.provisioning import Chat, an_organization, chat, process
from tests.support.rosters import Crew, crew_of, roster, some_people

MEMBERS = 10_000
CHANGED = MEMBERS // 100

Row = tuple[str, str, str]


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[tuple[Chat, Crew]]:
    """Give a Mattermost without narrow limits, and a process of the bridge on a durable database."""
    settings = Settings(max_active_users=10 * MEMBERS)
    settings.patch({"TeamSettings": {"MaxUsersPerTeam": 10 * MEMBERS}})
    async with embedded.run(folder / "data") as dsn:
        await migrate(dsn)
        async with chat(settings) as running, process(running, dsn) as one:
            yield running, crew_of(one)


async def accounts(running: Chat, crew: Crew, people: list[Person]) -> None:
    """Give people accounts that the bridge knows."""
    users = [running.store.create_user(person.username, email=person.email) for person in people]
    await crew.accounts(people, users)


async def measured(crew: Crew, organization: Organization, people: list[Person]) -> tuple[Report, str]:
    crew.asked.clear()
    began = time.perf_counter()
    report = await crew.run(organization, roster(people))
    return report, f"{len(crew.asked)} calls, {time.perf_counter() - began:.1f} s"


async def sync_rows() -> list[Row]:
    """Return what was measured, what it should at least be, and the figures."""
    acme, people = an_organization("Acme Corp"), some_people(MEMBERS + CHANGED)
    with tempfile.TemporaryDirectory() as name:
        async with scene(Path(name)) as (running, crew):
            await accounts(running, crew, people)
            await crew.sync.provisioner.ensure_team(acme)
            added, adding = await measured(crew, acme, people[:MEMBERS])
            batches = crew.asked.count("/teams/{id}/members/batch")
            none, nothing = await measured(crew, acme, people[:MEMBERS])
            some, changing = await measured(crew, acme, people[CHANGED:])
    assert (added.counts.added, none.unchanged, some.counts.removed) == (MEMBERS, MEMBERS, CHANGED)
    what = f"sync of {MEMBERS:,} members"
    return [
        (f"{what}, nothing to do", "<= 60 Mattermost calls", nothing),
        (f"{what}, all to add", "batches of 256", f"{adding}; {batches} batches"),
        (f"{what}, 1 % new and 1 % gone", "", changing),
    ]


async def main() -> None:
    configure("error", "json")
    for what, at_least, figures in await sync_rows():
        print(f"{what:<58} {at_least:<26} {figures}", flush=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
