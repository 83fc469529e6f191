"""Rosters as the service account reads them."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakValueDictionary

from bridge.db.memberships import Memberships
from bridge.errors import BridgeError
from bridge.models.equa import Organization, OrganizationId
from bridge.ports import EquaDirectory
from provisioning.roster import RosterSnapshot

_KEPT = 4
"""Readings; one of 10,000 people takes some megabytes."""


@dataclass(slots=True)
class RosterReader:
    """Raises `NotAMember` where the account may not see an organization, and `EquaUnavailable`."""

    directory: EquaDirectory
    memberships: Memberships
    _kept: OrderedDict[OrganizationId, RosterSnapshot] = field(default_factory=OrderedDict, init=False)
    _failed: dict[OrganizationId, tuple[float, BridgeError]] = field(default_factory=dict, init=False)
    """When each last failed, by the event loop's time."""
    _turns: WeakValueDictionary[OrganizationId, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False
    )

    async def read(self, organization: OrganizationId) -> RosterSnapshot:
        """Return the roster as it is now."""
        moment = await self.memberships.now()
        return RosterSnapshot(await self.directory.roster(organization), moment)

    async def named(self, organization: OrganizationId) -> tuple[Organization, RosterSnapshot]:
        """Return the organization with its name and its roster as they are now."""
        name = await self.directory.organization_name(organization)
        return Organization(organization, name), await self.read(organization)

    async def since(self, organization: OrganizationId, moment: datetime) -> RosterSnapshot:
        """Return the roster as it was at that moment, by the database's time, or later.

        Whoever asks meanwhile gets the same snapshot, or hears of the same failure.
        """
        asked = asyncio.get_running_loop().time()
        async with self._turns.setdefault(organization, asyncio.Lock()):
            kept = self._kept.get(organization)
            if kept is not None and kept.read_at >= moment:
                return kept
            failed, error = self._failed.get(organization, (asked, None))
            if error is not None and failed > asked:
                raise error
            return await self._read_and_kept(organization)

    async def _read_and_kept(self, organization: OrganizationId) -> RosterSnapshot:
        try:
            snapshot = await self.read(organization)
        except BridgeError as error:
            self._failed[organization] = asyncio.get_running_loop().time(), error
            raise
        self._failed.pop(organization, None)
        self._kept[organization] = snapshot
        self._kept.move_to_end(organization)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return snapshot
