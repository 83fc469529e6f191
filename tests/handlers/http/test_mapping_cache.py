"""What was found a moment ago is not looked up again."""

from uuid import UUID

import pytest

from bridge.errors import DatabaseUnavailable
from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from handlers.http.mapping_cache import MappingCache
from tests.support.api import ORGANIZATION, TEAM, FakeMappings

OTHER = OrganizationId(UUID(int=9))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def behind() -> FakeMappings:
    return FakeMappings()


@pytest.fixture
def cache(behind: FakeMappings, clock: Clock) -> MappingCache:
    return MappingCache(behind, 10, size=2, clock=clock)


async def test_a_team_is_looked_up_once_in_ten_seconds(
    cache: MappingCache, behind: FakeMappings, clock: Clock
) -> None:
    """However often it is asked for."""
    for second in range(10):
        clock.now = 1000 + second
        assert await cache.organization_of_team(TEAM) == ORGANIZATION
    assert behind.asked == [TEAM]

    clock.now = 1010
    await cache.organization_of_team(TEAM)
    assert behind.asked == [TEAM, TEAM]


async def test_a_change_is_seen_after_ten_seconds(
    cache: MappingCache, behind: FakeMappings, clock: Clock
) -> None:
    """A team that has moved, and one that is gone."""
    await cache.organization_of_team(TEAM)
    behind.known[TEAM] = OTHER
    assert await cache.organization_of_team(TEAM) == ORGANIZATION
    clock.now += 10
    assert await cache.organization_of_team(TEAM) == OTHER

    behind.known.clear()
    clock.now += 10
    assert await cache.organization_of_team(TEAM) is None


async def test_that_a_team_has_none_is_not_remembered(cache: MappingCache, behind: FakeMappings) -> None:
    """A new organization is found at once."""
    behind.known.clear()
    assert await cache.organization_of_team(TEAM) is None

    behind.known[TEAM] = ORGANIZATION
    assert await cache.organization_of_team(TEAM) == ORGANIZATION


async def test_the_time_counts_from_the_question(behind: FakeMappings, clock: Clock) -> None:
    """A slow database does not make an answer younger than it is."""

    class Slow(FakeMappings):
        async def organization_of_team(self, team_id: TeamId) -> OrganizationId | None:
            clock.now += 8
            return await super().organization_of_team(team_id)

    slow = Slow()
    cache = MappingCache(slow, 10, clock=clock)
    await cache.organization_of_team(TEAM)
    clock.now += 2
    await cache.organization_of_team(TEAM)

    assert slow.asked == [TEAM, TEAM]


async def test_an_error_is_not_remembered(cache: MappingCache, behind: FakeMappings, clock: Clock) -> None:
    """It is told, also when something was known before, and the next question is asked again."""
    await cache.organization_of_team(TEAM)
    clock.now += 10
    behind.error = DatabaseUnavailable("Away.")
    with pytest.raises(DatabaseUnavailable):
        await cache.organization_of_team(TEAM)

    behind.error = None
    assert await cache.organization_of_team(TEAM) == ORGANIZATION


async def test_memory_is_bounded(cache: MappingCache, behind: FakeMappings) -> None:
    """The oldest is forgotten first."""
    teams = [TeamId(letter * 26) for letter in "abc"]
    behind.known.update(dict.fromkeys(teams, ORGANIZATION))
    for team in (*teams, teams[2], teams[1], teams[0]):
        await cache.organization_of_team(team)

    assert behind.asked == [*teams, teams[0]]
