"""The sign-in service: a token for an Equa session, and the sign-in that it becomes on the chat host."""

import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bridge.errors import NotSignedIn
from bridge.models.equa import Organization, OrganizationId, Person, PersonId
from provisioning.default_channels import TOWN_SQUARE
from provisioning.profiles import ColorScheme
from provisioning.provisioner import Provisioner, Session, SignIn
from provisioning.tokens import opened, token_digest

TokenKind = Literal["ticket", "pat"]
"""`ticket` is good once, for a minute; `pat` is the personal access token itself."""

TOKEN_PATTERN = "[a-z0-9]{26}"  # noqa: S105  # a pattern
"""Of a ticket and of a Mattermost token alike, which Equa's pages expect; 134 bits."""

_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 26


@dataclass(frozen=True, slots=True)
class SignInResult:
    """Who shows a token, and where their browser goes unless it asks for another place."""

    person: PersonId
    sign_in: SignIn
    path: str


@dataclass(frozen=True, slots=True)
class SignInService:
    """Every method may be repeated; they raise what `Provisioner` raises."""

    provisioner: Provisioner
    kind: TokenKind = "ticket"

    async def open(
        self,
        person: Person,
        organization: Organization,
        scheme: ColorScheme | None = None,
        ticket: str | None = None,
    ) -> Session:
        """Return the session of a person who is a member, as Equa just confirmed.

        `ticket` is one of `new_ticket`; at a returning visit it is stored beside all else that is looked up.
        """
        digest = token_digest(ticket) if ticket and self.kind == "ticket" else None
        return await self.provisioner.open_session(person, organization, scheme, digest)

    async def has_team(self, organization: OrganizationId) -> bool:
        """Return whether the organization has a team already; its own name is not needed then."""
        return await self.provisioner.tables.teams.find(organization) is not None

    async def first_with_team(
        self, person: PersonId, organizations: Sequence[Organization]
    ) -> Organization | None:
        """Return the organization through whose team the person is let in; None if none of them has one."""
        by_id = {each.id: each for each in organizations}
        found = await self.provisioner.tables.teams.first_with_team(person, by_id)
        return by_id[found] if found else None

    def ready_token(self, session: Session, ticket: str) -> str | None:
        """Return the token that the browser shows to `enter`; None if a ticket is to be issued first.

        It is `ticket` if that was stored for the session.
        """
        if self.kind == "pat":
            return session.token
        return ticket if session.ticket == token_digest(ticket) else None

    async def issue_ticket(self, person: PersonId, organization: OrganizationId) -> str:
        """Return a ticket that is good once, for 60 s, and as long as the person is in the team.

        Raises `NotAMember` when they are not.
        """
        ticket = new_ticket()
        await self.provisioner.tables.tickets.put(token_digest(ticket), organization, person)
        return ticket

    async def enter(self, token: str) -> SignInResult:
        """Sign in whoever shows a token that was given out; raise `NotSignedIn` if it is not good."""
        if not re.fullmatch(TOKEN_PATTERN, token):
            raise NotSignedIn("This link does not sign in; please open Messaging in Equa again.")
        if self.kind == "pat":
            return await self._recognize(token)
        return await self._redeem(token)

    async def _redeem(self, ticket: str) -> SignInResult:
        """Use a ticket up."""
        holder = await self.provisioner.tables.tickets.take(token_digest(ticket))
        if holder is None:
            raise NotSignedIn("This link has been used or is too old; please open Messaging in Equa again.")
        token = opened(self.provisioner.keys, holder.person, holder.sealed)
        if token is None:
            raise NotSignedIn("Please open Messaging in Equa again.")
        session = Session(token, holder.user_id, holder.team_name)
        return SignInResult(holder.person, session, _town_square(session.team_name))

    async def _recognize(self, token: str) -> SignInResult:
        """Look a personal access token up among those that we have stored, by its digest.

        Mattermost is never asked about one that is not ours.
        """
        owner = await self.provisioner.tables.accounts.owner_of(token_digest(token))
        if owner is None:
            raise NotSignedIn("This link is not good any more; please open Messaging in Equa again.")
        return SignInResult(owner.person, SignIn(token, owner.user_id), "/")


def new_ticket() -> str:
    """Return a ticket that is not stored yet."""
    # One random number instead of one for each character, which takes twenty times as long.
    number = secrets.randbelow(len(_ALPHABET) ** _LENGTH)
    characters = []
    for _ in range(_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return "".join(characters)


def _town_square(team_name: str) -> str:
    """Return the path of the team's default channel; a malformed name must not lead to another host."""
    return f"/{team_name}/channels/{TOWN_SQUARE}" if re.fullmatch("[a-z0-9-]+", team_name) else "/"
