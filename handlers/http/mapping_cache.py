"""What was found a moment ago, so that peers may ask about a team with every message."""

import time
from collections.abc import Callable

from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from handlers.http.app_keys import TeamMappings


class MappingCache:
    """Team mappings, each remembered for `seconds` from when it was asked for.

    That a team has none is not remembered: a new organization is found at once. A mapping that is removed or
    moved is served for up to `seconds` more, by any process on the same database alike; nothing is told
    to forget it, because only the time reaches all of them.
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
        self._size = size
        self._clock = clock
        self._found: dict[TeamId, tuple[float, OrganizationId]] = {}

    async def organization_of_team(self, team_id: TeamId) -> OrganizationId | None:
        """Return the team's organization, at most `seconds` old."""
        now = self._clock()
        until, organization = self._found.get(team_id, (now, None))
        if organization is not None and now < until:
            return organization
        organization = await self._mappings.organization_of_team(team_id)
        self._remember(team_id, now + self._seconds, organization)
        return organization

    def _remember(self, team_id: TeamId, until: float, organization: OrganizationId | None) -> None:
        self._found.pop(team_id, None)
        if organization is not None:
            self._found[team_id] = (until, organization)
        if len(self._found) > self._size:
            del self._found[next(iter(self._found))]
