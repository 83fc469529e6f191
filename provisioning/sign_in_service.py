"""How a browser gets in: what it is handed for an Equa session, and what that becomes on the chat's host."""

import re
from dataclasses import dataclass
from typing import Literal

from bridge.models.equa import Organization, OrganizationId, Person, PersonId
from provisioning.sessions import Session, Sessions, SignIn
from provisioning.team_bots import TOWN_SQUARE

TokenKind = Literal["ticket", "pat"]
"""`ticket` is good once, for a minute; `pat` is the personal access token itself."""


@dataclass(frozen=True, slots=True)
class SignInResult:
    """A browser that is signed in, and where it goes unless it asks for another place."""

    sign_in: SignIn
    path: str


@dataclass(frozen=True, slots=True)
class SignInService:
    """Every method may be repeated; they raise what `Sessions` raises."""

    sessions: Sessions
    kind: TokenKind = "ticket"

    async def open(self, person: Person, organization: Organization) -> Session:
        """Return the session of a person whom Equa has just called a member of the organization."""
        return await self.sessions.open_session(person, organization)

    async def token(self, session: Session, person: PersonId, organization: OrganizationId) -> str:
        """Return what the browser may show to `enter`; raise `NotAMember`."""
        if self.kind == "pat":
            return session.token
        return await self.sessions.issue_ticket(person, organization)

    async def enter(self, token: str) -> SignInResult:
        """Sign in whoever shows what `token` has returned; raise `NotSignedIn` if it is not good.

        A personal access token is looked up among those that we have stored, by its hash: Mattermost is never
        asked about one that is not ours.
        """
        if self.kind == "pat":
            return SignInResult(await self.sessions.recognize(token), "/")
        session = await self.sessions.redeem(token)
        return SignInResult(session, _home(session.team_name))

    async def has_team(self, organization: OrganizationId) -> bool:
        """Tell whether the organization has a team already, whose name then does not depend on its own."""
        return await self.sessions.tables.teams.find(organization) is not None


def _home(team_name: str) -> str:
    """Return the team's default channel; a name that is none must not make it another host's."""
    return f"/{team_name}/channels/{TOWN_SQUARE}" if re.fullmatch("[a-z0-9-]+", team_name) else "/"
