"""The provisioner: what a person and an organization need in Mattermost, found, repaired or created.

A returning visit asks Mattermost once: with the person's own token for the teams of its holder, which
proves the token, the account, the membership and the team at once. Whatever that does not prove is put
right step by step, under a lock of the person and inside it one of the organization, in this order only.
Every ten seconds a returning visit of an organization also asks for the channels of the bots there.
"""

import time
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from bridge.db.locks import Locks
from bridge.errors import BridgeError, TokenRefused
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import Organization, OrganizationId, Person, PersonId
from bridge.ports import MattermostAdmin
from bridge.secrets.key_ring import KeyRing
from provisioning import joining
from provisioning.account_auth import ensure_auth
from provisioning.addresses import email_digest
from provisioning.channels import ChannelProvisioner
from provisioning.following import encoded, names_of
from provisioning.joining import ProvisionedTeam, ensure_membership
from provisioning.names import display_name
from provisioning.own_tokens import own_tokens
from provisioning.profiles import ColorScheme, ensure_color_scheme
from provisioning.tables import Tables
from provisioning.team_bots import TeamBots
from provisioning.team_looks import TeamLooks
from provisioning.teams import ensure_team
from provisioning.tokens import ensure_token, opened
from provisioning.tolerance import tolerated
from provisioning.users import ensure_user

log = structlog.get_logger(__name__)

VERDICT_SECONDS = 15.0
"""How old an answer of Equa may be that somebody is a member: 10 s in the cache, and the way here."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """The token and user id that sign a browser in to Mattermost."""

    token: str = field(repr=False)
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Session(SignIn):
    """A person in their organization's team."""

    team_name: str
    ticket: bytes | None = field(default=None, repr=False)
    """The digest of the ticket that was stored for it; None if none was."""


@dataclass(frozen=True, slots=True)
class Provisioner:
    """Lets people in. Every method may be repeated, by several processes at once, after a crash anywhere."""

    admin: MattermostAdmin
    tables: Tables
    locks: Locks
    keys: KeyRing
    team_bots: TeamBots
    looks: TeamLooks = field(default_factory=TeamLooks)
    provider: bool = False
    """Whether the bridge is the provider of Mattermost's GitLab sign-in, so that accounts are made for it."""

    async def open_session(
        self,
        person: Person,
        organization: Organization,
        scheme: ColorScheme | None = None,
        ticket: bytes | None = None,
    ) -> Session:
        """Return the session of a person who is a member of the organization, as Equa just confirmed.

        `scheme` is that of the page, which the chat follows at the first visit. `ticket` is the digest of a
        ticket that is stored if nothing else is to be done. Raises `AccountConflict`,
        `NotAMember`, `MattermostFull`, `MattermostNotConfigured`, `MattermostRefused` and `Unavailable`.
        """
        began = time.monotonic()
        session = await self._returning(person, organization, ticket)
        if session is not None:
            await self._look_after(organization)
            return session
        with own_tokens():
            async with self.locks.acquire(f"person:{person.id}"):
                # Another visit may have done it all meanwhile.
                session = await self._returning(person, organization)
                return session or await self._provision(person, organization, began, scheme)

    async def repair_team(self, team_id: TeamId) -> ProvisionedTeam | None:
        """Put a team right, with its channels and the bridge's accounts; None if it is no organization's."""
        organization = await self.tables.teams.organization_of_team(team_id)
        return await self.ensure_team(Organization(organization, ""), thorough=True) if organization else None

    async def ensure_team(self, organization: Organization, *, thorough: bool = False) -> ProvisionedTeam:
        """Return the organization's team with its channels and bots, repaired or created.

        `thorough` also takes the administrator's account out of it.
        """
        with own_tokens():
            async with self.locks.acquire(f"organization:{organization.id}"):
                team = await ensure_team(self.admin, self.tables, organization)
                channels = await self._channels.ensure(organization.id, team, thorough=thorough)
                self.looks.note(organization.id)
                await self.tables.teams.welcome(organization.id)
                # Events that came before there was a team have waited for it.
                await self.tables.inbox.wake(organization.id)
                return ProvisionedTeam(
                    organization.id, team, tuple(channels.by_name.values()), channels.repairs
                )

    async def renew_invite(self, organization: OrganizationId) -> None:
        """Make the invite ids of the organization's team that somebody knows useless."""
        if team := await self.tables.teams.find(organization):
            await self.admin.renew_invite(team.team_id)

    async def let_sign_in(self, person: PersonId) -> None:
        """Let a person sign in with Equa whose account is from before the bridge was the provider."""
        async with self.locks.acquire(f"person:{person}"):
            account = await self.tables.accounts.find(person)
            user = await self.admin.user(account.user_id) if account else None
            if account and user and not (user.delete_at or user.is_privileged):
                with tolerated("sign_in_not_switched", person=str(person), user=user.id):
                    await ensure_auth(self.admin, self.tables, account, user)

    async def leave(self, person: PersonId, organization: OrganizationId) -> None:
        """Take a person out of an organization's team, and with the last one revoke their token."""
        with own_tokens():
            async with self.locks.acquire(f"person:{person}"):
                await joining.leave(self.admin, self.tables, organization, person)

    async def _look_after(self, organization: Organization) -> None:
        """Repair the channels of a returning visit's team; the visit itself does not depend on that."""
        if not self.looks.is_due(organization.id):
            return
        self.looks.note(organization.id)
        try:
            team = await self.tables.teams.find(organization.id)
            if team and not await self._channels.are_intact(organization.id, team.team_id):
                await self.ensure_team(organization)
        except BridgeError as error:
            log.warning("team_not_repaired", organization=str(organization.id), reason=error.message)

    @property
    def _channels(self) -> ChannelProvisioner:
        return ChannelProvisioner(self.admin, self.tables, self.team_bots)

    async def _returning(
        self, person: Person, organization: Organization, ticket: bytes | None = None
    ) -> Session | None:
        """Return the session of a visit that needs no repair, else None."""
        returning_visit = await self.tables.accounts.returning_visit(
            person.id,
            organization.id,
            email_digest(person),
            name=encoded(names_of(person.name, person.nickname)),
            team_name=display_name(organization.name) or None,
            ticket=ticket,
        )
        if returning_visit is None or (self.provider and not returning_visit.account.auth_ready):
            return None
        token = opened(self.keys, person.id, returning_visit.token.sealed)
        if token is None:
            return None
        try:
            teams = await self.admin.teams_of_holder(token)
        except TokenRefused:
            return None
        names = (team.name for team in teams if team.id == returning_visit.team_id)
        name = next(names, None)
        return Session(token, returning_visit.account.user_id, name, ticket) if name else None

    async def _provision(
        self, person: Person, organization: Organization, began: float, scheme: ColorScheme | None
    ) -> Session:
        account = await ensure_user(self.admin, self.tables, person, provider=self.provider)
        await ensure_color_scheme(self.admin, self.tables, account, scheme)
        team = await self.ensure_team(organization)
        age = timedelta(seconds=VERDICT_SECONDS + time.monotonic() - began)
        await ensure_membership(self.admin, self.tables, team, account, verdict_age=age)
        token = await ensure_token(self.admin, self.tables, self.keys, account)
        return Session(token, account.user_id, team.team.name)
