"""Who administers an organization, asked while the person is not there."""

from dataclasses import dataclass, field

from asyncpg import Pool
from cachetools import TTLCache

from bridge.db.mappings import Mappings
from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId
from bridge.ports import EquaDirectory

_SECONDS = 10


@dataclass(frozen=True, slots=True)
class AdminCheck:
    """Asks Equa by the service account; a verdict is kept for ten seconds."""

    pool: Pool
    directory: EquaDirectory
    _known: TTLCache[tuple[OrganizationId, UserId], bool] = field(
        default_factory=lambda: TTLCache(10_000, _SECONDS)
    )

    async def holds(self, organization: OrganizationId, user: UserId) -> bool:
        """Return whether the account is mapped to an administrator of the organization."""
        known = self._known.get((organization, user))
        if known is None:
            person = await Mappings(self.pool).person(user)
            known = person is not None and await self.directory.is_admin(organization, person)
            self._known[organization, user] = known
        return known
