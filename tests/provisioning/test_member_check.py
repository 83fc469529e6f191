"""Membership for a direct message: as Equa says it now, and never guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.memberships import Memberships
from bridge.errors import BridgeError, EquaUnavailable, NotAMember
from bridge.models.chat import TeamId, UserId
from bridge.models.conversation_starts import Candidate
from bridge.models.equa import Member, OrganizationId, PersonId, Roster
from provisioning.member_check import MemberCheck
from provisioning.roster_reader import RosterReader

ACME, BIRCH = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
ADA, BOB, CHLOE = (PersonId(UUID(int=number)) for number in (11, 12, 13))
USER = UserId("u" * 26)
BOTH = (Candidate(ACME, "Acme", TeamId("a" * 26)), Candidate(BIRCH, "Birch", TeamId("b" * 26)))


def roster(*people: PersonId, problems: int = 0) -> Roster:
    """Return a roster of these people, with so many lines that cannot be read."""
    members = tuple(Member(person, f"{person.int}@example.test", "Somebody", True) for person in people)
    return Roster(members, problems=("a line",) * problems)


@dataclass
class Directory:
    """Equa as the service account sees it."""

    rosters: Mapping[OrganizationId, Roster | BridgeError]
    asked: list[OrganizationId] = field(default_factory=list)

    async def roster(self, organization: OrganizationId) -> Roster:
        self.asked.append(organization)
        found = self.rosters[organization]
        if isinstance(found, BridgeError):
            raise found
        return found


def check(pool: Pool, directory: Directory | None, *teams: str) -> MemberCheck:
    async def is_in_team(team: TeamId, _user: UserId) -> bool:
        return team in teams

    memberships = Memberships(pool)
    reader = RosterReader(cast(Any, directory), memberships) if directory else None
    return MemberCheck(memberships, reader, is_in_team)


async def test_the_roster_decides(pool: Pool) -> None:
    """Whoever is not on it is no member; a roster of the last ten seconds is good enough."""
    directory = Directory({ACME: roster(ADA, BOB), BIRCH: roster(BOB, CHLOE)})
    members = check(pool, directory, "b" * 26)

    assert [each.name for each in await members.among(BOTH, ADA, USER)] == ["Acme"]
    assert [each.name for each in await members.among(BOTH, BOB, USER)] == ["Acme", "Birch"]
    assert directory.asked == [ACME, BIRCH]


@pytest.mark.parametrize(
    "answer",
    [
        EquaUnavailable("Equa is away."),
        NotAMember("Equa does not show it."),
        roster(BOB, CHLOE, problems=1),
        roster(BOB),
        roster(),
    ],
)
async def test_what_cannot_be_said_is_not_said(pool: Pool, answer: Roster | BridgeError) -> None:
    """An outage, a roster that is not shown, and one that may be incomplete make nobody a stranger."""
    members = check(pool, Directory({ACME: answer}))
    with pytest.raises(EquaUnavailable):
        await members.among(BOTH[:1], ADA, USER)


async def test_an_incomplete_roster_proves_whom_it_lists(pool: Pool) -> None:
    """Nobody has to wait for the lines of others."""
    members = check(pool, Directory({ACME: roster(ADA, problems=1)}))
    assert await members.among(BOTH[:1], ADA, USER) == [BOTH[0]]


async def test_without_a_service_account_the_team_decides(pool: Pool) -> None:
    """As it does for questions in #agent."""
    members = check(pool, None, "b" * 26)
    assert [each.name for each in await members.among(BOTH, ADA, USER)] == ["Birch"]
