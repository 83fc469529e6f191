"""The administrators of an organization who have an account in Mattermost."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.db.memberships import Memberships
from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId
from bridge.ports import EquaDirectory
from provisioning.roster import listed

_MOST = 20
_MOST_ASKED = 200
"""People of whom Equa is asked, one by one: it has no list of administrators."""


@dataclass(frozen=True, slots=True)
class Administrators:
    directory: EquaDirectory
    memberships: Memberships

    async def of(self, organization: OrganizationId) -> Sequence[UserId]:
        """Return up to 20 of them, asked now; raise `EquaUnavailable` or `NotAMember`."""
        people = list(listed(await self.directory.roster(organization)))
        accounts = (await self.memberships.known(organization, people)).accounts
        found: list[UserId] = []
        for person in [each for each in people if each in accounts][:_MOST_ASKED]:
            if await self.directory.is_admin(organization, person):
                found.append(accounts[person])
            if len(found) == _MOST:
                break
        return found
