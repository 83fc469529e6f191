"""What the doctor looks at as the bot and as the notice account."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.db.pool import open_pool
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.websocket.socket import Interest, Socket, State
from bridge.models.chat import User
from bridge.ops.findings import Finding
from bridge.ops.stored import mapped_teams

ANEW = "make another token: `equabot-bridge setup --new-token`"

_NAMED = 5
"""How many teams are named before the rest is counted."""


@dataclass(frozen=True, slots=True)
class BotChecks:
    operator: RestOperator
    """With the bot's token."""
    url: str
    token: str = field(repr=False)

    async def account(self) -> Sequence[Finding]:
        return [bot(await self.operator.me())]

    async def websocket(self, subject: str) -> Sequence[Finding]:
        """Wait for the first word of the websocket, by which the server has accepted the token."""
        settled = asyncio.Event()

        def changed(state: State) -> None:
            if state in ("connected", "unauthorised"):
                settled.set()

        async with Socket(self.url, self.token, Interest("", ""), self.operator.me, changed) as socket:
            await settled.wait()
            if socket.state == "connected":
                return [Finding(subject, "good", f"{self.url} says hello")]
        return [Finding(subject, "bad", "Mattermost refuses MATTERMOST_BOT_TOKEN", ANEW)]

    async def places(self, dsn: str, channel: str) -> Sequence[Finding]:
        """Look whether the bot hears every organization: it has to be in the team and in its channel."""
        async with await open_pool(dsn, max_size=1, max_wait=5) as pool:
            teams = await mapped_teams(pool)
        inside = {team.id for team in await self.operator.admin.teams_of_holder(self.token)}
        channels = await RestMattermost(self.operator.transport).my_channels()
        hearing = {each.team_id for each in channels if each.name == channel}
        deaf = [
            f"#{channel} of {team.name}" if team.id in inside else f"the team {team.name}"
            for team in teams
            if team.id not in hearing
        ]
        if not deaf:
            return [Finding("bot's places", "good", f"in #{channel} of {_counted(len(teams))}")]
        more = f" and {len(deaf) - _NAMED} more" if len(deaf) > _NAMED else ""
        first = next(team for team in teams if team.id not in hearing)
        todo = f"run `equabot-bridge sync {first.organization_id}`, and so on for each"
        return [Finding("bot's places", "bad", f"not in {', '.join(deaf[:_NAMED])}{more}", todo)]


def bot(me: User) -> Finding:
    if not me.is_bot:
        todo = "let `equabot-bridge setup` make a bot, and use its token"
        return Finding("bot", "bad", f"@{me.username} is a person's account", todo)
    if "system_admin" in me.roles.split():
        todo = "take the role away: whoever gets hold of its token could do everything"
        return Finding("bot", "warning", f"@{me.username} is a system administrator", todo)
    return Finding("bot", "good", f"@{me.username}")


def notices(me: User) -> Finding:
    if {"system_post_all", "system_admin"} & set(me.roles.split()):
        return Finding("notices", "good", f"@{me.username}")
    told = f"@{me.username} posts only where it is a member: it lacks the role system_post_all"
    return Finding("notices", "warning", told, "run `equabot-bridge setup`")


def _counted(teams: int) -> str:
    return "1 mapped team" if teams == 1 else f"{teams} mapped teams"
