"""Joining and leaving an organization's team."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bridge.errors import NotAMember
from bridge.models.accounts import Account
from bridge.models.chat import Channel, Team, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.ports import MattermostAdmin
from provisioning.tables import Tables
from provisioning.tokens import revoke_tokens

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProvisionedTeam:
    """An organization's team with its default channels."""

    organization: OrganizationId
    team: Team
    channels: tuple[Channel, ...]
    repairs: tuple[str, ...] = ()
    """The repairs that were needed, by the names of their log events."""


async def ensure_membership(
    admin: MattermostAdmin,
    tables: Tables,
    provisioned: ProvisionedTeam,
    account: Account,
    *,
    verdict_age: timedelta,
) -> None:
    """Put the person into the team and, when they enter it, into its open default channels.

    A channel that they leave later stays left. Raises `MattermostFull`, and `NotAMember` when they have left
    the organization since Equa said, `verdict_age` ago at most, that they are in it.
    """
    organization, person, user = provisioned.organization, account.person_id, account.user_id
    if await tables.memberships.state(organization, person) == "joined" and await admin.is_in_team(
        provisioned.team.id, user
    ):
        return
    if not await tables.memberships.join(organization, person, verdict_age=verdict_age):
        raise _has_left()
    await admin.add_to_team(provisioned.team.id, user)
    await _enter(admin, provisioned.team, provisioned.channels, user)
    if not await tables.memberships.joined(organization, person):
        await admin.remove_from_team(provisioned.team.id, user)
        raise _has_left()
    log.info("member_joined", organization=str(organization), person=str(person))


async def leave(
    admin: MattermostAdmin, tables: Tables, organization: OrganizationId, person: PersonId
) -> None:
    """Take a person out of an organization's team; after their last organization they are signed out.

    Their tickets for the organization are void before anything else is done.
    """
    await tables.memberships.leave(organization, person)
    account = await tables.accounts.find(person)
    mapping = await tables.teams.find(organization)
    if account is not None and mapping is not None:
        await admin.remove_from_team(mapping.team_id, account.user_id)
    if account is not None and not await tables.memberships.has_any(person):
        await revoke_tokens(admin, tables, account)
        if account.auth_ready:
            # After the states above nothing leads to a new session any more.
            await tables.sign_ins.end(person)
            await admin.revoke_sessions(account.user_id)
    await tables.memberships.left(organization, person)
    log.info("member_left", organization=str(organization), person=str(person))


async def _enter(admin: MattermostAdmin, team: Team, channels: Iterable[Channel], user: UserId) -> None:
    """Put somebody into the open channels that Mattermost has not put them into by itself.

    It does that with `ExperimentalDefaultChannels` (`JoinDefaultChannels` in server/channels/app/channel.go).
    """
    inside = {channel.id for channel in await admin.channels_of(user, team.id)}
    for channel in channels:
        if channel.type == "O" and channel.id not in inside:
            await admin.add_to_channel(channel.id, user)


def _has_left() -> NotAMember:
    return NotAMember("You have just left this organization.")
