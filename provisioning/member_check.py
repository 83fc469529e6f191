"""Whether somebody is a member of an organization now, asked for each of their direct messages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge.db.memberships import Memberships
from bridge.errors import EquaUnavailable, NotAMember
from bridge.models.chat import TeamId, UserId
from bridge.models.conversation_starts import Candidate
from bridge.models.equa import OrganizationId, PersonId, Roster
from provisioning.roster import doubt, listed
from provisioning.roster_reader import RosterReader

MAX_AGE = timedelta(seconds=10)
"""How old a roster may be, as a verdict about a visitor may be."""


@dataclass(frozen=True, slots=True)
class MemberCheck:
    """Asks Equa; where there is no service account, the members of the team count, as they do in `#agent`."""

    memberships: Memberships
    roster_reader: RosterReader | None
    is_in_team: Callable[[TeamId, UserId], Awaitable[bool]]

    async def among(
        self, candidates: Sequence[Candidate], person: PersonId, user: UserId
    ) -> Sequence[Candidate]:
        """Return those of the organizations that the person is a member of.

        Raises `Unavailable` if that cannot be said of one of them.
        """
        return [each for each in candidates if await self._is_member(each, person, user)]

    async def _is_member(self, candidate: Candidate, person: PersonId, user: UserId) -> bool:
        if self.roster_reader is None:
            return await self.is_in_team(candidate.team_id, user)
        return _is_listed(person, await self._roster(self.roster_reader, candidate.organization_id))

    async def _roster(self, reader: RosterReader, organization: OrganizationId) -> Roster:
        moment = await self.memberships.now() - MAX_AGE
        try:
            return (await reader.since(organization, moment)).roster
        except NotAMember as error:
            raise EquaUnavailable(error.message) from error


def _is_listed(person: PersonId, roster: Roster) -> bool:
    if person in listed(roster):
        return True
    if why := doubt(roster):
        raise EquaUnavailable(f"{why}, so that nobody can be said to be no member.")
    return False
