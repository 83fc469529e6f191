"""Teams and people that are mapped without a visit."""

from bridge.db import mappings
from bridge.db.accounts import Accounts
from bridge.db.teams import Teams
from bridge.models.chat import Team, TeamId, User, UserId
from bridge.models.equa import OrganizationId, PersonId


class Mappings(mappings.Mappings):
    """The mappings, and a short way to write them."""

    async def map_team(self, organization: OrganizationId, team: TeamId, name: str = "team") -> None:
        await Teams(self.pool).record(organization, Team(team, name, name), shown_name=None)

    async def map_person(self, person: PersonId, user: UserId, username: str = "somebody") -> None:
        await Accounts(self.pool).record(person, User(user, username), provisioned=True)
