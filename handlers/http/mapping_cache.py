"""Mappings that were looked up a moment ago, so that peers may ask about a team with every message."""

import time
from collections.abc import Callable
from typing import NamedTuple

from cachetools import TLRUCache

from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from handlers.http.app_keys import TeamMappings


class _Found(NamedTuple):
    asked: float
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
        self._clock = clock
        self._found: TLRUCache[TeamId, _Found] = TLRUCache(
            size, ttu=lambda _team, found, _now: found.asked + seconds, timer=clock
        )

    async def organization_of_team(self, team_id: TeamId) -> OrganizationId | None:
        """Return the team's organization, at most `seconds` old."""
        try:
            return self._found[team_id].organization
        except KeyError:
            return await self._looked_up(team_id)

    async def _looked_up(self, team_id: TeamId) -> OrganizationId | None:
        asked = self._clock()
        organization = await self._mappings.organization_of_team(team_id)
        if organization is not None:
            self._found[team_id] = _Found(asked, organization)
        return organization
