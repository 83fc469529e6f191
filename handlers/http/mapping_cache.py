"""Mappings that were looked up a moment ago, so that peers may ask about a team with every message."""

import time
from collections.abc import Callable
from typing import NamedTuple

from cachetools import FIFOCache

from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from handlers.http.app_keys import TeamMappings


class _Found(NamedTuple):
    good_until: float
    organization: OrganizationId


class MappingCache:
    """Team mappings, each remembered for `seconds` from when it was asked for.

    That a team has none is not remembered: a new organization is found at once. A mapping that is removed or
    moved is served for up to `seconds` more, by any process on the same database alike: nothing invalidates
    it, because only the time reaches all of them.
    """

    def __init__(
        self,
        mappings: TeamMappings,
        seconds: float = 10.0,
        *,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mappings = mappings
        self._seconds = seconds
        self._clock = clock
        self._found: FIFOCache[TeamId, _Found] = FIFOCache(size)

    async def organization_of_team(self, team_id: TeamId) -> OrganizationId | None:
        """Return the team's organization, at most `seconds` old."""
        try:
            found = self._found[team_id]
        except KeyError:
            return await self._looked_up(team_id)
        return found.organization if self._clock() < found.good_until else await self._looked_up(team_id)

    async def _looked_up(self, team_id: TeamId) -> OrganizationId | None:
        good_until = self._clock() + self._seconds
        organization = await self._mappings.organization_of_team(team_id)
        if organization is not None:
            self._found[team_id] = _Found(good_until, organization)
        return organization
