"""What a system administrator does over REST: `bridge.ports.MattermostAdmin`.

The catalogue of routes is mattermostdriver's; a route is written out here where that lacks it or its
parameters.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mattermostdriver.endpoints.channels import Channels
from mattermostdriver.endpoints.teams import Teams
from mattermostdriver.endpoints.users import Users

from bridge.errors import MattermostFull, MattermostRefused
from bridge.mattermost.rest.accounts import account_body, parse_notify_props
from bridge.mattermost.rest.objects import (
    TEAM_MARK,
    is_current_member,
    parse_named_channel,
    parse_team,
    parse_token,
    parse_user_with_mark,
)
from bridge.mattermost.rest.paths import segment
from bridge.mattermost.rest.refusals import Limit, explained, is_absence
from bridge.mattermost.rest.transport import Observe, Reply, Transport, client_session
from bridge.mattermost.wire import identifier, parse_list, parse_user
from bridge.models.chat import AccessToken, Channel, ChannelId, NewUser, Team, TeamId, TokenId, User, UserId

T = TypeVar("T")

PAGE = 200
"""Tokens that the server gives at most in one answer (`PerPageMaximum` in server/channels/web/params.go)."""

_RESEND_FOR = 15.0
"""Seconds. What is created here has a name or a place of its own, so that a second one is refused."""


@asynccontextmanager
async def connect(url: str, token: str, observe: Observe) -> AsyncIterator["RestAdmin"]:
    """Give the interface as the token's account, a system administrator, with a session of its own."""
    async with client_session() as session:
        yield RestAdmin(Transport(session, url, token, observe))


@dataclass(frozen=True, slots=True)
class RestAdmin:
    transport: Transport

    async def user(self, user_id: UserId) -> User | None:
        return await _found(Users(self.transport).get_user(identifier(user_id)), parse_user_with_mark)

    async def user_by_username(self, username: str) -> User | None:
        reply = Users(self.transport).get_user_by_username(segment(username))
        return await _found(reply, parse_user_with_mark)

    async def user_by_email(self, email: str) -> User | None:
        return await _found(Users(self.transport).get_user_by_email(segment(email)), parse_user_with_mark)

    async def create_user(self, account: NewUser) -> User:
        with _explaining("users"):
            return parse_user_with_mark(await Users(self._repeatable).create_user(account_body(account)))

    async def set_email(self, user_id: UserId, email: str, *, notify: bool = False) -> bool:
        """Give an account another e-mail address; all of it may be repeated.

        With RequireEmailVerification the answer has the old one (`UpdateUser` in
        server/channels/app/user.go). Before 11.x a new one counts as not verified until it is said to be.
        """
        users, user = Users(self.transport), identifier(user_id)
        with _explaining("users"):
            reply = await users.patch_user(user, {"email": email})
        if parse_user(reply).email.lower() != email.lower():
            return False
        await self._repeatable.post(f"/users/{user}/email/verify/member")
        if notify:
            props = {**parse_notify_props(reply), "email": "true"}
            await users.patch_user(user, {"notify_props": props})
        return True

    async def activate_user(self, user_id: UserId) -> None:
        with _explaining("users"):
            await Users(self.transport).update_user_active_status(identifier(user_id), {"active": True})

    async def team(self, team_id: TeamId) -> Team | None:
        return await _found(Teams(self.transport).get_team(identifier(team_id)), parse_team)

    async def team_by_name(self, name: str) -> Team | None:
        return await _found(Teams(self.transport).get_team_by_name(segment(name)), parse_team)

    async def create_team(self, name: str, display_name: str, mark: str) -> Team:
        body = {"name": name, "display_name": display_name, "type": "I", TEAM_MARK: mark}
        with _explaining("teams"):
            return parse_team(await Teams(self._repeatable).create_team(body))

    async def restore_team(self, team_id: TeamId) -> None:
        await self._repeatable.post(f"/teams/{identifier(team_id)}/restore")

    async def is_in_team(self, team_id: TeamId, user_id: UserId) -> bool:
        reply = Teams(self.transport).get_team_member(identifier(team_id), identifier(user_id))
        return await _found(reply, is_current_member) or False

    async def add_to_team(self, team_id: TeamId, user_id: UserId) -> None:
        body = {"team_id": team_id, "user_id": identifier(user_id)}
        with _explaining("team members"):
            await Teams(self._repeatable).add_user_to_team(identifier(team_id), body)

    async def remove_from_team(self, team_id: TeamId, user_id: UserId) -> None:
        with _unless_absent():
            await Teams(self.transport).remove_user_from_team(identifier(team_id), identifier(user_id))

    async def channels_of(self, user_id: UserId, team_id: TeamId) -> Sequence[Channel]:
        """Return the channels of the team that the account is a member of, without archived ones.

        The server adds direct channels, and answers 404 where there is nothing (`GetChannels` in
        server/channels/store/sqlstore/channel_store.go).
        """
        reply = Channels(self.transport).get_channels_for_user(identifier(user_id), identifier(team_id))
        found = map(parse_named_channel, await _found(reply, parse_list) or ())
        return [channel for channel in found if channel.team_id == team_id and not channel.delete_at]

    async def channel(self, channel_id: ChannelId) -> Channel | None:
        return await _found(Channels(self.transport).get_channel(identifier(channel_id)), parse_named_channel)

    async def channel_by_name(self, team_id: TeamId, name: str) -> Channel | None:
        path = f"/teams/{identifier(team_id)}/channels/name/{segment(name)}"
        reply = self.transport.get(path, params={"include_deleted": "true"})
        return await _found(reply, parse_named_channel)

    async def create_channel(self, team_id: TeamId, name: str, display_name: str) -> Channel:
        body = {"team_id": identifier(team_id), "name": name, "display_name": display_name, "type": "O"}
        with _explaining("channels"):
            return parse_named_channel(await Channels(self._repeatable).create_channel(body))

    async def restore_channel(self, channel_id: ChannelId) -> None:
        with _unless_absent():
            await Channels(self._repeatable).restore_channel(identifier(channel_id))

    async def rename_channel(
        self, channel_id: ChannelId, *, name: str | None = None, display_name: str | None = None
    ) -> None:
        names = {"name": name, "display_name": display_name}
        changed = {key: value for key, value in names.items() if value is not None}
        with _explaining("channels"):
            await Channels(self.transport).patch_channel(identifier(channel_id), changed)

    async def add_to_channel(self, channel_id: ChannelId, user_id: UserId) -> None:
        await Channels(self._repeatable).add_user(identifier(channel_id), {"user_id": identifier(user_id)})

    async def create_token(self, user_id: UserId, description: str) -> AccessToken:
        reply = Users(self.transport).create_user_access_token
        with _explaining("tokens"):
            return parse_token(await reply(identifier(user_id), {"description": description}))

    async def tokens(self, user_id: UserId) -> Sequence[AccessToken]:
        """Return the account's personal access tokens, without their secrets; none for an unknown one."""
        found: list[AccessToken] = []
        for page in itertools.count():
            reply = self.transport.get(
                f"/users/{identifier(user_id)}/tokens", params={"page": page, "per_page": PAGE}
            )
            listed = await _found(reply, parse_list) or []
            found += map(parse_token, listed)
            if len(listed) < PAGE:
                break
        return found

    async def revoke_token(self, token_id: TokenId) -> None:
        with _unless_absent():
            await self._repeatable.post("/users/tokens/revoke", {"token_id": identifier(token_id)})

    async def teams_of_holder(self, token: str) -> Sequence[Team]:
        reply = Teams(self.transport.acting(token)).get_user_teams("me")
        return [parse_team(team) for team in parse_list(await reply)]

    @property
    def _repeatable(self) -> Transport:
        return self.transport.with_policy(replace(self.transport.retry_policy, resend_for=_RESEND_FOR))


async def _found(reply: Reply, parse: Callable[[Any], T]) -> T | None:
    """Return what was found, None where the server says that there is none."""
    try:
        return parse(await reply)
    except MattermostRefused as error:
        if is_absence(error):
            return None
        raise


@contextmanager
def _unless_absent() -> Iterator[None]:
    """Let pass that what is asked for or to be undone is not there."""
    try:
        yield
    except MattermostRefused as error:
        if not is_absence(error):
            raise


@contextmanager
def _explaining(limit: Limit) -> Iterator[None]:
    """Turn a refusal into the error that says what it means; `limit` is what may be full."""
    try:
        yield
    except (MattermostRefused, MattermostFull) as error:
        meaning = explained(error, limit)
        if meaning is error:
            raise
        raise meaning from error
