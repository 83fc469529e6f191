"""The doctor's checks that use the tokens of the bot and of the notice account."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from aiohttp import ClientSession

from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.websocket.socket import Interest, Socket, State
from bridge.models.chat import User, UserId
from bridge.models.proxies import NO_PROXIES, Proxies
from bridge.ops.doctor.checks import Check, absent
from bridge.ops.doctor.context import ABOVE, ABOVE_AND_BELOW, BOT, NOT_RUNNING, NOTICE, Context, secret
from bridge.ops.doctor.stored import StoreChecks
from bridge.ops.doctor.web import fetch
from bridge.ops.findings import Finding

RENEWAL = "make another token: `equabot-bridge setup --new-token`"

_NAMED = 5
"""Teams that a finding names; the others are counted."""


def checks(context: Context) -> list[Check]:
    """Return the checks of the bot, and of the notice account."""
    if not context.url:
        return []
    token = context.settings.mattermost_bot_token
    if not token:
        return [absent("bot", f"without {BOT} nobody is answered", required=False), _notices(context)]
    operator, proxies = context.operator(token), context.settings.proxies
    inner = BotChecks(context.session, operator, context.url, secret(token), proxies)
    channels = partial(inner.channels, context.dsn, context.settings.agent_channel)
    return [
        Check("bot", inner.account, ABOVE, token=BOT, if_refused=RENEWAL),
        _notices(context),
        Check("websocket", partial(inner.websocket, "websocket"), ABOVE, token=BOT),
        *_outer_websocket(context, replace(inner, url=context.public_url)),
        Check("bot's channels", channels, ABOVE_AND_BELOW, token=BOT),
    ]


def _outer_websocket(context: Context, outer: "BotChecks") -> list[Check]:
    if context.public_url == context.url:
        return []
    subject = "public websocket"
    todo = "see MATTERMOST_PUBLIC_URL and DNS; the proxy there has to pass websockets on: see deploy/proxy"
    return [Check(subject, partial(outer.websocket, subject), todo)]


def _notices(context: Context) -> Check:
    token = context.settings.mattermost_notice_token
    if not token:
        return absent("notices", f"without {NOTICE} the bot posts them", required=False)
    operator = context.operator(token)

    async def look() -> Sequence[Finding]:
        return [notices(await operator.me())]

    return Check("notices", look, ABOVE, token=NOTICE, if_refused=RENEWAL)


@dataclass(frozen=True, slots=True)
class BotChecks:
    session: ClientSession
    operator: RestOperator
    """With the bot's token."""
    url: str
    token: str = field(repr=False)
    proxies: Proxies = NO_PROXIES

    async def account(self) -> Sequence[Finding]:
        return [bot(await self.operator.me())]

    async def websocket(self, subject: str) -> Sequence[Finding]:
        """Connect and wait until the server accepts or refuses the token."""
        await fetch(self.session, f"{self.url}/api/v4/system/ping")  # names a host that does not resolve
        decided = asyncio.Event()

        def changed(state: State) -> None:
            if state in ("connected", "unauthorised"):
                decided.set()

        async with Socket(
            self.url,
            self.token,
            Interest("", UserId("")),
            self.operator.me,
            changed,
            proxies=self.proxies,
        ) as socket:
            await decided.wait()
            if socket.state == "connected":
                return [Finding(subject, "good", f"{self.url} says hello")]
        return [Finding(subject, "bad", "Mattermost refuses MATTERMOST_BOT_TOKEN", RENEWAL)]

    async def channels(self, dsn: str | None, channel: str) -> Sequence[Finding]:
        """Check that the bot is in the team and in the agent's channel of every organization."""
        if dsn is None:
            return [Finding("bot's channels", "absent", NOT_RUNNING)]
        teams = await StoreChecks(dsn).teams()
        inside = {team.id for team in await self.operator.admin.teams_of_holder(self.token)}
        joined = await RestMattermost(self.operator.transport).my_channels()
        hearing = {each.team_id for each in joined if each.name == channel}
        deaf = [
            f"#{channel} of {team.name}" if team.id in inside else f"the team {team.name}"
            for team in teams
            if team.id not in hearing
        ]
        if not deaf:
            return [Finding("bot's channels", "good", f"in #{channel} of {_counted(len(teams))}")]
        more = f" and {len(deaf) - _NAMED} more" if len(deaf) > _NAMED else ""
        first = next(team for team in teams if team.id not in hearing)
        todo = f"run `equabot-bridge sync {first.organization_id}`, and so on for each"
        return [Finding("bot's channels", "bad", f"not in {', '.join(deaf[:_NAMED])}{more}", todo)]


def bot(me: User) -> Finding:
    if not me.is_bot:
        todo = "let `equabot-bridge setup` make a bot, and use its token"
        return Finding("bot", "bad", f"@{me.username} is a person's account", todo)
    if "system_admin" in me.roles.split():
        todo = "take the role away: whoever gets its token can do everything"
        return Finding("bot", "warning", f"@{me.username} is a system administrator", todo)
    return Finding("bot", "good", f"@{me.username}")


def notices(me: User) -> Finding:
    if {"system_post_all", "system_admin"} & set(me.roles.split()):
        return Finding("notices", "good", f"@{me.username}")
    found = f"@{me.username} posts only where it is a member: it lacks the role system_post_all"
    return Finding("notices", "warning", found, "run `equabot-bridge setup`")


def _counted(teams: int) -> str:
    return "1 mapped team" if teams == 1 else f"{teams} mapped teams"
