"""Settings, roles, bots and limits, which only an operator's commands ask for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import MattermostNotConfigured, MattermostRefused
from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.admin import RestAdmin
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.endpoints import ChannelCalls, ServerCalls, TeamCalls, UserCalls
from bridge.mattermost.rest.objects import parse_named_channel, parse_team
from bridge.mattermost.rest.outcomes import found_or_none
from bridge.mattermost.rest.transport import Transport
from bridge.mattermost.wire import parse_list, parse_user
from bridge.models.chat import PAGE_SIZE, Channel, ChannelId, TeamId, User, UserId
from bridge.models.ids import is_mattermost_id

DESCRIPTION = "equabot-bridge"
"""Of the tokens that setup makes."""


@dataclass(frozen=True, slots=True)
class Role:
    id: str
    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many people may be active; 0 is without end."""

    active: int
    warned_from: int
    most: int


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """A channel with its creator, who administers it; town-square has none."""

    id: ChannelId
    name: str
    type: str
    delete_at: int
    creator: UserId | None


@dataclass(frozen=True, slots=True)
class RestOperator:
    """Mattermost as a system administrator sees it, or whoever has its local socket.

    Over the socket there is no account, and bots cannot be created (server/channels/api4/bot_local.go).
    """

    transport: Transport

    @property
    def admin(self) -> RestAdmin:
        return RestAdmin(self.transport)

    def acting(self, token: str) -> "RestOperator":
        """Return the same as another account."""
        return RestOperator(self.transport.acting(token))

    async def me(self) -> User:
        return await RestMattermost(self.transport).me()

    async def holder(self, token: str) -> User:
        """Return the account that holds the token; raise `TokenRefused`."""
        return await RestMattermost(self.transport.acting(token)).me()

    async def config(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the running server's settings, those of its environment included."""
        config = _object(await ServerCalls(self.transport).config(), "configuration")
        return {name: section for name, section in config.items() if isinstance(section, dict)}

    async def patch_config(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """Change settings; what is from the server's environment stays, without an error."""
        await ServerCalls(self.transport).patch_config(settings)

    async def roles(self, names: Sequence[str]) -> dict[str, Role]:
        """Return the roles of these names that exist."""
        listed = parse_list(await ServerCalls(self.transport).roles(names))
        return {role.name: role for role in map(_role, listed)}

    async def set_permissions(self, role: Role, permissions: Sequence[str]) -> None:
        """Replace a role's permissions; raise `MattermostNotConfigured` where that needs a licence."""
        try:
            await ServerCalls(self.transport).patch_role(role.id, permissions)
        except MattermostRefused as error:
            if error.http_status != 501:
                raise
            raise MattermostNotConfigured(
                f"This Mattermost changes the role {role.name} only with a licence; 10.4 does without."
            ) from error

    async def teams_of(self, user: UserId) -> Sequence[TeamId]:
        """Return the teams that the account is in."""
        return [parse_team(each).id for each in parse_list(await TeamCalls(self.transport).of_user(user))]

    async def channels_of(self, user: UserId) -> Sequence[Channel]:
        """Return the channels that the account is in, in all teams; direct ones included."""
        reply = ChannelCalls(self.transport).everywhere(user)
        return list(map(parse_named_channel, await found_or_none(reply, parse_list) or ()))

    async def channel(self, channel_id: ChannelId) -> ChannelRecord | None:
        return await found_or_none(ChannelCalls(self.transport).get(channel_id), _channel)

    async def channel_members(self, channel_id: ChannelId, users: Sequence[UserId]) -> frozenset[UserId]:
        """Return those of the accounts that are in the channel; none are if the channel is gone."""
        reply = ChannelCalls(self.transport).members_among(channel_id, users)
        return _accounts(await found_or_none(reply, parse_list) or ())

    async def runs_channel(self, channel_id: ChannelId, user: UserId) -> bool:
        """Return whether the account is a member that administers the channel."""
        reply = ChannelCalls(self.transport).members_among(channel_id, [user])
        members = await found_or_none(reply, parse_list) or ()
        return any(isinstance(each, dict) and each.get("scheme_admin") is True for each in members)

    async def team_members(self, team_id: TeamId, users: Sequence[UserId]) -> frozenset[UserId]:
        """Return those of the accounts that are in the team; none are if the team is gone."""
        reply = TeamCalls(self.transport).members_among(team_id, users)
        members = await found_or_none(reply, parse_list) or ()
        return _accounts(each for each in members if not (isinstance(each, dict) and each.get("delete_at")))

    async def users(self, ids: Sequence[UserId]) -> Sequence[User]:
        return list(map(parse_user, parse_list(await UserCalls(self.transport).by_ids(ids))))

    async def create_bot(self, username: str, display_name: str, description: str) -> UserId:
        """Create a bot, unless there is one; raise `MattermostNotConfigured` where that is switched off.

        With `RestrictDirectMessage` a server creates it and then refuses, because it may not greet its owner
        (measured on 11.6).
        """
        body = {"username": username, "display_name": display_name, "description": description}
        try:
            bot = _object(await ServerCalls(self.transport).create_bot(body), "bot")
        except MattermostRefused as error:
            if error.error_id == "api.bot.create_disabled":
                raise MattermostNotConfigured(
                    "Mattermost creates no bots: it lacks MM_SERVICESETTINGS_ENABLEBOTACCOUNTCREATION=true."
                ) from error
            made = await self.admin.user_by_username(username)
            if made is None or not made.is_bot:
                raise
            return made.id
        if not is_mattermost_id(created := bot.get("user_id")):
            raise MalformedError("Mattermost sent a bot that cannot be read.")
        return UserId(created)

    async def display_name(self, bot: UserId) -> str:
        """Return how a bot is shown, empty if just by its username."""
        found = await ServerCalls(self.transport).bot(bot)
        return _text(_object(found, "bot"), "display_name")

    async def show_as(self, bot: UserId, display_name: str) -> None:
        await ServerCalls(self.transport).patch_bot(bot, {"display_name": display_name})

    async def enable_bot(self, bot: UserId) -> None:
        await ServerCalls(self.transport).enable_bot(bot)

    async def set_roles(self, user: UserId, roles: str) -> None:
        """Replace an account's roles, names separated by spaces."""
        await UserCalls(self.transport).set_roles(user, roles)

    async def create_person(self, username: str, email: str, password: str) -> User:
        """Create an account; the first of a server becomes its administrator by itself."""
        body = {"username": username, "email": email, "password": password, "email_verified": True}
        await UserCalls(self.transport).create(body)
        created = await self.admin.user_by_username(username)
        if created is None:
            raise MalformedError("Mattermost does not find the account that it has just created.")
        return created

    async def own_tokens(self, user: UserId) -> int:
        """Return how many active tokens made by setup the account has."""
        reply = UserCalls(self.transport).tokens(user, 0, PAGE_SIZE)
        return sum(
            token.get("is_active") is True and token.get("description") == DESCRIPTION
            for token in parse_list(await reply)
        )

    async def create_token(self, user: UserId) -> str:
        return (await self.admin.create_token(user, DESCRIPTION)).secret

    async def limits(self) -> Limits | None:
        """Return the limits of a server without a licence; None from an older one."""
        try:
            found = _object(await ServerCalls(self.transport).limits(), "limits")
        except MattermostRefused as error:
            if error.http_status != 404:
                raise
            return None
        soft, hard = found.get("maxUsersLimit"), found.get("maxUsersHardLimit")
        active = found.get("activeUserCount")
        match active, soft, hard:
            case int(), int(), int():
                return Limits(active, soft, hard)
        raise MalformedError("Mattermost sent limits that cannot be read.")


def _channel(obj: object) -> ChannelRecord:
    match obj:
        case {"id": str(channel_id), "name": str(name), "type": str(kind), "delete_at": int(delete_at)}:
            creator = str(obj.get("creator_id", "")) if isinstance(obj, dict) else ""
            creator_id = UserId(creator) if is_mattermost_id(creator) else None
            return ChannelRecord(ChannelId(channel_id), name, kind, delete_at, creator_id)
    raise MalformedError("Mattermost sent a channel that cannot be read.")


def _accounts(members: Iterable[object]) -> frozenset[UserId]:
    return frozenset(UserId(str(each["user_id"])) for each in members if isinstance(each, dict))


def _role(obj: object) -> Role:
    match obj:
        case {"id": str(role_id), "name": str(name), "permissions": list(permissions)}:
            return Role(role_id, name, tuple(map(str, permissions)))
    raise MalformedError("Mattermost sent a role that cannot be read.")


def _object(obj: object, what: str) -> dict[str, Any]:
    if not isinstance(obj, dict):
        raise MalformedError(f"Mattermost sent a {what} that is no JSON object.")
    return obj


def _text(obj: Mapping[str, Any], key: str) -> str:
    value = obj.get(key, "")
    return value if isinstance(value, str) else ""
