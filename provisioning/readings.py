"""Rosters as the service account reads them."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakValueDictionary

from bridge.db.rosters import Rosters
from bridge.models import Organization, OrganizationId
from bridge.ports import EquaDirectory
from provisioning.roster import Reading

_KEPT = 4
"""Readings; one of 10,000 people takes some megabytes."""


@dataclass(slots=True)
class Readings:
    """Raises `NotAMember` where the account may not see an organization, and `EquaUnavailable`."""

    directory: EquaDirectory
    rosters: Rosters
    _kept: OrderedDict[OrganizationId, Reading] = field(default_factory=OrderedDict, init=False)
    _turns: WeakValueDictionary[OrganizationId, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False
    )

    async def read(self, organization: OrganizationId) -> Reading:
        """Return the roster as it is now."""
        moment = await self.rosters.now()
        return Reading(await self.directory.roster(organization), moment)

    async def named(self, organization: OrganizationId) -> tuple[Organization, Reading]:
        """Return the organization with its name and its roster as they are now."""
        name = await self.directory.organization_name(organization)
        return Organization(organization, name), await self.read(organization)

    async def since(self, organization: OrganizationId, moment: datetime) -> Reading:
        """Return the roster as it was at that moment, by the database's time, or later.

        Whoever asks meanwhile gets the same reading.
        """
        async with self._turns.setdefault(organization, asyncio.Lock()):
            kept = self._kept.get(organization)
            if kept is None or kept.read_at < moment:
                kept = self._kept[organization] = await self.read(organization)
                self._kept.move_to_end(organization)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return kept
