"""What organizations have set about their agents."""

from dataclasses import dataclass, field

from asyncpg import Pool, Record
from cachetools import TTLCache

from bridge.db.pool import database_errors
from bridge.models.equa import OrganizationId
from bridge.models.organization_settings import (
    Bounds,
    Budget,
    EffectiveSettings,
    OrganizationSettings,
    VersionedSettings,
    effective,
)

_SECONDS = 2.0
"""For which a process may go by settings that another one has replaced."""


@dataclass(frozen=True, slots=True)
class SettingsOfOrganizations:
    pool: Pool
    bounds: Bounds = field(default_factory=Bounds)
    _known: TTLCache[OrganizationId, EffectiveSettings] = field(
        default_factory=lambda: TTLCache(10_000, _SECONDS), repr=False, compare=False
    )

    async def effective(self, organization: OrganizationId) -> EffectiveSettings:
        """Return what holds in an organization, at most two seconds old."""
        known = self._known.get(organization)
        if known is None:
            stored = await self.stored(organization)
            known = self._known[organization] = effective(self.bounds, stored.settings)
        return known

    @database_errors
    async def stored(self, organization: OrganizationId) -> VersionedSettings:
        """Return what the organization has set, as it is now."""
        row = await self.pool.fetchrow(
            "select * from organization_settings where organization_id = $1", organization
        )
        return _from_row(row) if row else VersionedSettings()


def _from_row(row: Record) -> VersionedSettings:
    return VersionedSettings(
        row["version"],
        OrganizationSettings(
            approvers=row["approvers"],
            follow_ups=row["follow_ups"],
            budget=Budget(row["budget_tokens"], row["budget_cost"]),
            muted_notices=frozenset(row["muted_notices"]),
        ),
    )
