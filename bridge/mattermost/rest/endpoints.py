"""Every call of Mattermost's REST API that the bridge makes, one method a route.

The catalogue of routes is mattermostdriver's; a route is written out where that lacks it or its parameters.
A call returns the decoded answer and raises what `Transport.make_request` raises.
"""

from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mattermostdriver.endpoints.bots import Bots
from mattermostdriver.endpoints.channels import Channels
from mattermostdriver.endpoints.posts import Posts
from mattermostdriver.endpoints.roles import Roles
from mattermostdriver.endpoints.system import System
from mattermostdriver.endpoints.teams import Teams
from mattermostdriver.endpoints.users import Users

from bridge.mattermost.rest.paths import segment
from bridge.mattermost.rest.transport import Transport
from bridge.mattermost.wire import identifier

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UserCalls:
    """`/users`: accounts, their tokens and their preferences."""

    transport: Transport

    async def get(self, user_id: str) -> Any:
        """`GET /users/{id}`."""
        return await Users(self.transport).get_user(identifier(user_id))

    async def me(self) -> Any:
        """`GET /users/me`."""
        return await Users(self.transport).get_user("me")

    async def by_username(self, username: str) -> Any:
        """`GET /users/username/{name}`."""
        return await Users(self.transport).get_user_by_username(segment(username))

    async def by_email(self, email: str) -> Any:
        """`GET /users/email/{address}`."""
        return await Users(self.transport).get_user_by_email(segment(email))

    async def by_ids(self, user_ids: Sequence[str]) -> Any:
        """`POST /users/ids`."""
        return await Users(self.transport).get_users_by_ids(list(map(identifier, user_ids)))

    async def page(self, params: Body) -> Any:
        """`GET /users`."""
        return await Users(self.transport).get_users(params)

    async def create(self, body: Body) -> Any:
        """`POST /users`."""
        return await Users(self.transport).create_user(body)

    async def patch(self, user_id: str, body: Body) -> Any:
        """`PUT /users/{id}/patch`."""
        return await Users(self.transport).patch_user(identifier(user_id), body)

    async def verify_email(self, user_id: str) -> Any:
        return await self.transport.post(f"/users/{identifier(user_id)}/email/verify/member")

    async def preferences(self, user_id: str, category: str) -> Any:
        return await self.transport.get(f"/users/{identifier(user_id)}/preferences/{segment(category)}")

    async def set_preferences(self, user_id: str, preferences: Sequence[Body]) -> Any:
        return await self.transport.put(f"/users/{identifier(user_id)}/preferences", preferences)

    async def set_active(self, user_id: str, *, active: bool) -> Any:
        """`PUT /users/{id}/active`."""
        return await Users(self.transport).update_user_active_status(identifier(user_id), {"active": active})

    async def set_auth(self, user_id: str, body: Body) -> Any:
        return await self.transport.put(f"/users/{identifier(user_id)}/auth", body)

    async def revoke_sessions(self, user_id: str) -> Any:
        return await self.transport.post(f"/users/{identifier(user_id)}/sessions/revoke/all")

    async def set_roles(self, user_id: str, roles: str) -> Any:
        """`PUT /users/{id}/roles`."""
        return await Users(self.transport).update_user_role(identifier(user_id), {"roles": roles})

    async def create_token(self, user_id: str, description: str) -> Any:
        """`POST /users/{id}/tokens`."""
        body = {"description": description}
        return await Users(self.transport).create_user_access_token(identifier(user_id), body)

    async def tokens(self, user_id: str, page: int, per_page: int) -> Any:
        params = {"page": page, "per_page": per_page}
        return await self.transport.get(f"/users/{identifier(user_id)}/tokens", params=params)

    async def revoke_token(self, token_id: str) -> Any:
        return await self.transport.post("/users/tokens/revoke", {"token_id": identifier(token_id)})


@dataclass(frozen=True, slots=True)
class TeamCalls:
    """`/teams`: teams and their members."""

    transport: Transport

    async def get(self, team_id: str) -> Any:
        """`GET /teams/{id}`."""
        return await Teams(self.transport).get_team(identifier(team_id))

    async def by_name(self, name: str) -> Any:
        """`GET /teams/name/{name}`."""
        return await Teams(self.transport).get_team_by_name(segment(name))

    async def mine(self) -> Any:
        """`GET /users/me/teams`."""
        return await Teams(self.transport).get_user_teams("me")

    async def of_user(self, user_id: str) -> Any:
        """`GET /users/{id}/teams`."""
        return await Teams(self.transport).get_user_teams(identifier(user_id))

    async def create(self, body: Body) -> Any:
        """`POST /teams`."""
        return await Teams(self.transport).create_team(body)

    async def renew_invite(self, team_id: str) -> Any:
        return await self.transport.post(f"/teams/{identifier(team_id)}/regenerate_invite_id")

    async def patch(self, team_id: str, body: Body) -> Any:
        """`PUT /teams/{id}/patch`."""
        return await Teams(self.transport).patch_team(identifier(team_id), body)

    async def restore(self, team_id: str) -> Any:
        return await self.transport.post(f"/teams/{identifier(team_id)}/restore")

    async def member(self, team_id: str, user_id: str) -> Any:
        """`GET /teams/{id}/members/{user}`."""
        return await Teams(self.transport).get_team_member(identifier(team_id), identifier(user_id))

    async def members_among(self, team_id: str, user_ids: Sequence[str]) -> Any:
        path = f"/teams/{identifier(team_id)}/members/ids"
        return await self.transport.post(path, list(map(identifier, user_ids)))

    async def add_member(self, team_id: str, user_id: str) -> Any:
        """`POST /teams/{id}/members`."""
        body = {"team_id": team_id, "user_id": identifier(user_id)}
        return await Teams(self.transport).add_user_to_team(identifier(team_id), body)

    async def add_members(self, team_id: str, user_ids: Sequence[str]) -> Any:
        """Add up to 256 accounts; the answer has a line for each (`graceful`)."""
        body = [{"team_id": team_id, "user_id": identifier(user_id)} for user_id in user_ids]
        path = f"/teams/{identifier(team_id)}/members/batch"
        return await self.transport.post(path, body, params={"graceful": "true"})

    async def remove_member(self, team_id: str, user_id: str) -> Any:
        """`DELETE /teams/{id}/members/{user}`."""
        return await Teams(self.transport).remove_user_from_team(identifier(team_id), identifier(user_id))


@dataclass(frozen=True, slots=True)
class ChannelCalls:
    """`/channels`: channels and their members."""

    transport: Transport

    async def get(self, channel_id: str) -> Any:
        """`GET /channels/{id}`."""
        return await Channels(self.transport).get_channel(identifier(channel_id))

    async def by_name(self, team_id: str, name: str, *, archived: bool = False) -> Any:
        path = f"/teams/{identifier(team_id)}/channels/name/{segment(name)}"
        return await self.transport.get(path, params={"include_deleted": "true"} if archived else None)

    async def of_user(self, user_id: str, team_id: str) -> Any:
        """`GET /users/{user}/teams/{team}/channels`."""
        return await Channels(self.transport).get_channels_for_user(identifier(user_id), identifier(team_id))

    async def mine_in(self, team_id: str) -> Any:
        """`GET /users/me/teams/{team}/channels`."""
        return await Channels(self.transport).get_channels_for_user("me", identifier(team_id))

    async def mine(self) -> Any:
        return await self.transport.get("/users/me/channels")

    async def everywhere(self, user_id: str) -> Any:
        """Return the account's channels in all teams."""
        return await self.transport.get(f"/users/{identifier(user_id)}/channels")

    async def create(self, body: Body) -> Any:
        """`POST /channels`."""
        return await Channels(self.transport).create_channel(body)

    async def direct(self, user_id: str, other_id: str) -> Any:
        """Create the direct channel of two accounts, or return it."""
        return await self.transport.post("/channels/direct", [identifier(user_id), identifier(other_id)])

    async def patch(self, channel_id: str, body: Body) -> Any:
        """`PUT /channels/{id}/patch`."""
        return await Channels(self.transport).patch_channel(identifier(channel_id), body)

    async def archive(self, channel_id: str) -> Any:
        """`DELETE /channels/{id}`."""
        return await Channels(self.transport).delete_channel(identifier(channel_id))

    async def restore(self, channel_id: str) -> Any:
        """`POST /channels/{id}/restore`."""
        return await Channels(self.transport).restore_channel(identifier(channel_id))

    async def members_among(self, channel_id: str, user_ids: Sequence[str]) -> Any:
        path = f"/channels/{identifier(channel_id)}/members/ids"
        return await self.transport.post(path, list(map(identifier, user_ids)))

    async def add_member(self, channel_id: str, user_id: str) -> Any:
        """`POST /channels/{id}/members`."""
        return await Channels(self.transport).add_user(
            identifier(channel_id), {"user_id": identifier(user_id)}
        )

    async def add_members(self, channel_id: str, user_ids: Sequence[str]) -> Any:
        path = f"/channels/{identifier(channel_id)}/members"
        return await self.transport.post(path, {"user_ids": list(user_ids)})

    async def set_notifications(self, channel_id: str, user_id: str, body: Body) -> Any:
        """`PUT /channels/{id}/members/{user}/notify_props`; those that are not named stay."""
        path = f"/channels/{identifier(channel_id)}/members/{identifier(user_id)}/notify_props"
        return await self.transport.put(path, body)

    async def remove_member(self, channel_id: str, user_id: str) -> Any:
        """`DELETE /channels/{id}/members/{user}`."""
        return await Channels(self.transport).remove_channel_member(
            identifier(channel_id), identifier(user_id)
        )


@dataclass(frozen=True, slots=True)
class PostCalls:
    """`/posts`."""

    transport: Transport

    async def get(self, post_id: str) -> Any:
        """`GET /posts/{id}`."""
        return await Posts(self.transport).get_post(identifier(post_id))

    async def delete(self, post_id: str) -> Any:
        """`DELETE /posts/{id}`."""
        return await Posts(self.transport).delete_post(identifier(post_id))

    async def pin(self, post_id: str) -> Any:
        """`POST /posts/{id}/pin`."""
        return await Posts(self.transport).pin_post_to_channel(identifier(post_id))

    async def page(self, channel_id: str, params: Body) -> Any:
        """`GET /channels/{id}/posts`."""
        return await Posts(self.transport).get_posts_for_channel(identifier(channel_id), params)

    async def thread(self, root_id: str, params: Body) -> Any:
        return await self.transport.get(f"/posts/{identifier(root_id)}/thread", params=params)

    async def create(self, body: Body) -> Any:
        """Create a post without showing its author as online."""
        return await self.transport.post("/posts", body, params={"set_online": "false"})

    async def press(self, post_id: str, action: str) -> Any:
        """Press a button below a post."""
        return await self.transport.post(f"/posts/{identifier(post_id)}/actions/{segment(action)}", {})

    async def patch(self, post_id: str, body: Body) -> Any:
        """`PUT /posts/{id}/patch`."""
        return await Posts(self.transport).patch_post(identifier(post_id), body)


@dataclass(frozen=True, slots=True)
class ReactionCalls:
    """`/reactions`."""

    transport: Transport

    async def add(self, body: Body) -> Any:
        return await self.transport.post("/reactions", body)

    async def of_post(self, post_id: str) -> Any:
        return await self.transport.get(f"/posts/{identifier(post_id)}/reactions")

    async def remove(self, user_id: str, post_id: str, emoji: str) -> Any:
        user, post = identifier(user_id), identifier(post_id)
        return await self.transport.delete(f"/users/{user}/posts/{post}/reactions/{segment(emoji)}")


@dataclass(frozen=True, slots=True)
class FileCalls:
    """`/files`."""

    transport: Transport

    async def of_post(self, post_id: str) -> Any:
        return await self.transport.get(f"/posts/{identifier(post_id)}/files/info")

    async def upload(self, channel_id: str, name: str, body: AsyncIterable[bytes]) -> Any:
        """Upload a file as a bare body: nobody has to know its length beforehand."""
        params = {"channel_id": identifier(channel_id), "filename": name}
        return await self.transport.upload("/files", params, body)

    async def download(self, file_id: str, limit: int) -> bytes | None:
        return await self.transport.download(f"/files/{identifier(file_id)}", limit)


@dataclass(frozen=True, slots=True)
class ServerCalls:
    """The server itself: health, settings, roles, bots and limits."""

    transport: Transport

    async def ping(self) -> Any:
        """`GET /system/ping`."""
        return await System(self.transport).check_system_health()

    async def client_config(self) -> Any:
        """`GET /config/client`."""
        return await System(self.transport).get_client_configuration({"format": "old"})

    async def config(self) -> Any:
        """`GET /config`."""
        return await System(self.transport).get_configuration()

    async def patch_config(self, body: Body) -> Any:
        return await self.transport.put("/config/patch", body)

    async def limits(self) -> Any:
        return await self.transport.get("/limits/server")

    async def roles(self, names: Sequence[str]) -> Any:
        return await self.transport.post("/roles/names", list(names))

    async def patch_role(self, role_id: str, permissions: Sequence[str]) -> Any:
        """`PUT /roles/{id}/patch`."""
        return await Roles(self.transport).patch_role(identifier(role_id), {"permissions": list(permissions)})

    async def create_bot(self, body: Body) -> Any:
        """`POST /bots`."""
        return await Bots(self.transport).create_bot(body)

    async def bot(self, user_id: str) -> Any:
        """`GET /bots/{user}`."""
        return await Bots(self.transport).get_bot(identifier(user_id), {"include_deleted": "true"})

    async def patch_bot(self, user_id: str, body: Body) -> Any:
        """`PUT /bots/{user}`."""
        return await Bots(self.transport).patch_bot(identifier(user_id), body)

    async def enable_bot(self, user_id: str) -> Any:
        """`POST /bots/{user}/enable`."""
        return await Bots(self.transport).enable_bot(identifier(user_id))
