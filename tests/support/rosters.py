"""Rosters, and a process that makes teams match them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from asyncpg import Pool

from bridge.mattermost.rest.admin import RestAdmin
from bridge.mattermost.rest.bulk import RestBulk
from bridge.models.equa import Member, Organization, Person, Roster
from bridge.sandbox.mattermost import User
from provisioning.report import Report
from provisioning.roster import RosterSnapshot
from provisioning.sync import TeamSync
from tests.support.provisioning import Chat, Process, a_person


def line(person: Person, **changed: object) -> Member:
    """Return the line of somebody with an account."""
    return replace(Member(person.id, person.email, person.name, True), **changed)  # type: ignore[arg-type]  # a test's choice


def roster(people: Iterable[Person], *more: Member, problems: tuple[str, ...] = ()) -> Roster:
    return Roster((*map(line, people), *more), problems)


def some_people(number: int, prefix: str = "Person") -> list[Person]:
    return [a_person(f"{prefix}{each}") for each in range(number)]


@dataclass(frozen=True, slots=True)
class Crew:
    """What one process makes teams match their rosters with."""

    process: Process
    sync: TeamSync

    @property
    def pool(self) -> Pool:
        return self.process.pool

    @property
    def asked(self) -> list[str]:
        """The endpoints of Mattermost that were asked, in order."""
        return self.process.asked

    async def run(self, organization: Organization, wanted: Roster, *, force: bool = False) -> Report:
        """Sync by a roster that was read just now."""
        snapshot = RosterSnapshot(wanted, await self.sync.provisioner.tables.memberships.now())
        return await self.sync.run(organization, snapshot, force=force)

    async def now(self) -> datetime:
        return await self.sync.provisioner.tables.memberships.now()

    async def user(self, chat: Chat, person: Person) -> User:
        """Return a person's account."""
        account = await self.sync.provisioner.tables.accounts.find(person.id)
        assert account
        return chat.user(account.user_id)

    async def accounts(self, people: Iterable[Person], users: Iterable[User]) -> None:
        """Say which accounts people have, as if each had visited once."""
        rows = [(person.id, user.id, user.username) for person, user in zip(people, users, strict=True)]
        await self.pool.executemany(
            """insert into mattermost_user_mappings (id, mattermost_user_id, mattermost_username)
               values ($1, $2, $3)""",
            rows,
        )


def crew_of(process: Process) -> Crew:
    admin = process.provisioner.admin
    assert isinstance(admin, RestAdmin)
    return Crew(process, TeamSync(process.provisioner, RestBulk(admin.transport)))
