"""Rosters read by the service account: afresh, or shared by all who need one that is new enough."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest
from asyncpg import Pool

from bridge.db.memberships import Memberships
from bridge.errors import EquaUnavailable
from bridge.models.equa import OrganizationId, PersonId, Roster
from provisioning.roster_reader import RosterReader

ACME, BOREALIS = OrganizationId(uuid4()), OrganizationId(uuid4())


@dataclass
class Directory:
    """Counts what it is asked, and is away when told so."""

    asked: list[OrganizationId] = field(default_factory=list)
    away: bool = False

    async def organization_name(self, organization: OrganizationId) -> str:
        return f"Organization {organization}"

    async def is_admin(self, organization: OrganizationId, person: PersonId) -> bool:
        return False

    async def roster(self, organization: OrganizationId) -> Roster:
        self.asked.append(organization)
        await asyncio.sleep(0.005)
        if self.away:
            raise EquaUnavailable("Equa is away.")
        return Roster(())


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def roster_reader(directory: Directory, pool: Pool) -> RosterReader:
    return RosterReader(directory, Memberships(pool))


async def test_a_reading_is_as_old_as_its_question(roster_reader: RosterReader) -> None:
    """By the database's time, so that all processes agree."""
    before = await roster_reader.memberships.now()
    named, snapshot = await roster_reader.named(ACME)

    assert named.name == f"Organization {ACME}"
    assert before <= snapshot.read_at <= await roster_reader.memberships.now()


async def test_one_reading_serves_all_who_asked_before_it(
    roster_reader: RosterReader, directory: Directory
) -> None:
    """Each organization has its own."""
    moment = await roster_reader.memberships.now()

    found = await asyncio.gather(*(roster_reader.since(each, moment) for each in (ACME, BOREALIS) * 10))

    assert directory.asked.count(ACME) == directory.asked.count(BOREALIS) == 1
    assert found[0] is found[2]


async def test_who_needs_a_newer_one_gets_a_newer_one(
    roster_reader: RosterReader, directory: Directory
) -> None:
    """And later questions are served by that."""
    moment = await roster_reader.memberships.now()
    await roster_reader.since(ACME, moment)
    later = await roster_reader.memberships.now()

    newer = await roster_reader.since(ACME, later)

    assert newer.read_at >= later
    assert await roster_reader.since(ACME, moment) is newer
    assert len(directory.asked) == 2


async def test_a_failure_is_heard_by_all_who_wait(roster_reader: RosterReader, directory: Directory) -> None:
    """They do not each wait for Equa in turn; who asks after that asks anew."""
    moment = await roster_reader.memberships.now()
    directory.away = True

    heard = await asyncio.gather(
        *(roster_reader.since(ACME, moment) for _ in range(9)), return_exceptions=True
    )

    assert all(isinstance(each, EquaUnavailable) for each in heard)
    assert len(directory.asked) == 1
    directory.away = False
    assert (await roster_reader.since(ACME, moment)).read_at >= moment


async def test_only_some_are_kept(roster_reader: RosterReader, directory: Directory) -> None:
    """They are large."""
    organizations = [OrganizationId(uuid4()) for _ in range(5)]
    moment = await roster_reader.memberships.now() - timedelta(hours=1)
    for organization in (*organizations, *organizations[1:], organizations[0]):
        await roster_reader.since(organization, moment)

    assert directory.asked == [*organizations, organizations[0]]
