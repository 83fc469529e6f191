"""When this process last looked at an organization's channels."""

from cachetools import TTLCache

from bridge.models.equa import OrganizationId

LOOK_EVERY = 10.0
"""Seconds. Visits in between rely on the last look: they ask Mattermost once."""

_MOST = 10_000


class TeamLooks:
    """Which organizations' channels were found or put right a moment ago."""

    def __init__(self, every: float = LOOK_EVERY) -> None:
        self._recent: TTLCache[OrganizationId, bool] = TTLCache(_MOST, every)

    def is_due(self, organization: OrganizationId) -> bool:
        return organization not in self._recent

    def note(self, organization: OrganizationId) -> None:
        self._recent[organization] = True
