"""The doctor's checks of the teams: their default channels, and who is in them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bridge.errors import TokenRefused
from bridge.mattermost.rest.server_admin import ChannelRecord, RestOperator
from bridge.models.chat import User, UserId
from bridge.ops.doctor.checks import Check
from bridge.ops.doctor.context import ABOVE_AND_BELOW, ADMIN, NOT_RUNNING, Context, secret
from bridge.ops.doctor.stored import MappedTeam, StoreChecks
from bridge.ops.findings import Finding

SECONDS = 60.0
"""For how long further teams are looked at; each costs about eight requests."""

_PAGE = 100
_LAST_PAGE = 30.0
"""Seconds that the teams of one page may take."""
_AT_ONCE = 8
_NAMED = 5
"""Faults that a finding names; the others are counted."""


Look = Callable[[Sequence[MappedTeam]], Awaitable[Sequence[Finding]]]


def checks(context: Context) -> list[Check]:
    token = context.settings.mattermost_admin_bot_token
    if not context.url or not token:
        return []
    notice_token = secret(context.settings.mattermost_notice_token)
    teams = TeamChecks(context.operator(token), context.settings.agent_channel, notice_token)
    return [
        _of_teams("default channels", teams.channels, context),
        _of_teams("other accounts", teams.accounts, context),
    ]


def _of_teams(subject: str, look: Look, context: Context) -> Check:
    async def look_at_all() -> Sequence[Finding]:
        if context.dsn is None:
            return [Finding(subject, "absent", NOT_RUNNING)]
        return await look(await StoreChecks(context.dsn).teams())

    return Check(subject, look_at_all, ABOVE_AND_BELOW, token=ADMIN, deadline=SECONDS + _LAST_PAGE)


@dataclass(frozen=True, slots=True)
class TeamChecks:
    operator: RestOperator
    """With the administrator's token."""
    agent_channel: str
    notice_token: str = field(default="", repr=False)

    async def channels(self, teams: Sequence[MappedTeam]) -> Sequence[Finding]:
        """Check that each default channel is the stored one, open, active, under its name, and ours."""
        subject = "default channels"
        looked_at, faults = await _of_each(teams, self._channel_faults)
        if faults:
            return [Finding(subject, "bad", _listed(faults), _repair(teams, faults))]
        return [Finding(subject, "good", f"as they should be in {_counted(looked_at, teams)}")]

    async def accounts(self, teams: Sequence[MappedTeam]) -> Sequence[Finding]:
        """Check that `@equ` + Enter in the agent's channel can only mean the bot."""
        subject = "other accounts"
        admin, notices = await self.operator.me(), await self._notice_account()

        async def faults_of(team: MappedTeam) -> Sequence[str]:
            return await self._account_faults(team, admin, notices)

        looked_at, faults = await _of_each(teams, faults_of)
        if faults:
            return [Finding(subject, "warning", _listed(faults), _repair(teams, faults))]
        return [Finding(subject, "good", f"none in #{self.agent_channel} of {_counted(looked_at, teams)}")]

    async def _channel_faults(self, team: MappedTeam) -> Sequence[str]:
        records = {name: await self.operator.channel(stored) for name, stored in team.channels.items()}
        named = [fault for name, found in records.items() if (fault := channel_fault(name, found))]
        owned = await self._owned(records)
        return [*named, *owned]

    async def _owned(self, records: dict[str, ChannelRecord | None]) -> list[str]:
        """Return the channels whose creator is a person that may still rename and archive them."""
        owners = [
            (name, record.id, record.creator)
            for name, record in records.items()
            if record and record.creator and not record.delete_at
        ]
        users = {user.id: user for user in await self._users({creator for _, _, creator in owners})}
        return [
            f"#{name} is run by @{users[creator].username}, who may rename or archive it"
            for name, channel, creator in owners
            if creator in users
            and _is_person(users[creator])
            and await self.operator.runs_channel(channel, creator)
        ]

    async def _users(self, ids: Iterable[UserId]) -> Sequence[User]:
        wanted = list(ids)
        return await self.operator.users(wanted) if wanted else ()

    async def _account_faults(self, team: MappedTeam, admin: User, notices: User | None) -> Sequence[str]:
        ours = {user.id: user for user in (admin, notices) if user}
        channel = team.channels.get(self.agent_channel)
        inside = await self.operator.channel_members(channel, list(ours)) if channel else frozenset()
        faults = [f"@{ours[each].username} is in #{self.agent_channel}" for each in ours if each in inside]
        if await self.operator.team_members(team.id, [admin.id]):
            faults.append(f"@{admin.username} is a member of the team")
        return faults

    async def _notice_account(self) -> User | None:
        with suppress(TokenRefused):  # a finding of its own
            return await self.operator.holder(self.notice_token) if self.notice_token else None
        return None


def channel_fault(name: str, found: ChannelRecord | None) -> str:
    """Return what is wrong with the channel that is stored under this name; empty if nothing is."""
    if found is None:
        return f"#{name} is gone"
    if found.delete_at:
        return f"#{name} is archived"
    if found.type != "O":
        return f"#{name} is private"
    if found.name != name:
        return f"#{name} is called #{found.name}"
    return ""


def _is_person(user: User) -> bool:
    return not user.is_bot and not user.delete_at and "system_admin" not in user.roles.split()


Faults = dict[MappedTeam, Sequence[str]]


async def _of_each(
    teams: Sequence[MappedTeam], look: Callable[[MappedTeam], Awaitable[Sequence[str]]]
) -> tuple[int, Faults]:
    """Return how many teams there was time for, and the faults of those that have any."""
    ends, faults, looked_at = time.monotonic() + SECONDS, Faults(), 0
    while looked_at < len(teams) and (looked_at == 0 or time.monotonic() < ends):
        page = teams[looked_at : looked_at + _PAGE]
        faults |= await _of_page(page, look)
        looked_at += len(page)
    return looked_at, faults


async def _of_page(
    teams: Sequence[MappedTeam], look: Callable[[MappedTeam], Awaitable[Sequence[str]]]
) -> Faults:
    """Return the faults of some teams, several at once."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(team: MappedTeam) -> Sequence[str]:
        async with limit:
            return await look(team)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(team)) for team in teams]
    return {team: task.result() for team, task in zip(teams, tasks, strict=True) if task.result()}


def _listed(faults: Faults) -> str:
    lines = [f"{fault} ({team.name})" for team, each in faults.items() for fault in each]
    more = f", and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    return f"{', '.join(lines[:_NAMED])}{more}"


def _repair(teams: Sequence[MappedTeam], faults: Faults) -> str:
    first = next(team for team in teams if team in faults)
    others = ", and so on for each" if len(faults) > 1 else ""
    return f"run `equabot-bridge sync {first.organization_id}`{others}; see its log for what it cannot repair"


def _counted(looked_at: int, teams: Sequence[MappedTeam]) -> str:
    if looked_at < len(teams):
        return f"the first {looked_at} of {len(teams)} mapped teams"
    return "1 mapped team" if len(teams) == 1 else f"{len(teams)} mapped teams"
