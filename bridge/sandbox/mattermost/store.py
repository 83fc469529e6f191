"""The store of a sandbox, with shortcuts that set up a scene without HTTP."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from bridge.sandbox.mattermost import (
    bots,
    channel_members,
    channels,
    direct_channels,
    files,
    posts,
    reactions,
    sessions,
    team_members,
    teams,
    users,
)
from bridge.sandbox.mattermost.records import AccessToken, Channel, File, Post, Team, User
from bridge.sandbox.mattermost.roles import create_default_roles
from bridge.sandbox.mattermost.settings import Settings
from bridge.sandbox.mattermost.state import State

PASSWORD = "Sandbox-1234"  # noqa: S105 - of accounts that exist in memory only
"""The password of every account made by `Store.create_user` unless another is values."""


class Store(State):
    """What survives a restart, with one administrator (`admin`, `admin_token`) in it.

    The shortcuts obey the same rules as the API, raise its `ApiError`s and send the same events, but need no
    permission.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings, seed=seed, clock=clock)
        create_default_roles(self)
        self.admin = self.create_user("admin")
        self.admin_token = self.create_token(self.admin).token

    def create_user(self, username: str, **fields: Any) -> User:
        """Create a person; the e-mail is `<username>@example.test` unless values."""
        values = {"username": username, "email": f"{username}@example.test", "password": PASSWORD, **fields}
        user = users.create_user(self, values)
        if "roles" in fields:
            user.roles = fields["roles"]
        return user

    def create_bot(self, username: str, display_name: str = "", *, roles: str = "system_user") -> User:
        """Create a bot that the administrator owns."""
        user = bots.create_bot(self, self.admin, {"username": username, "display_name": display_name})
        user.roles = roles
        return user

    def create_token(self, user: User, description: str = "sandbox") -> AccessToken:
        """Create a personal access token; the secret is its `token`."""
        return sessions.create_token(self, user, description)

    def create_team(self, name: str, display_name: str = "", *, members: Iterable[User] = ()) -> Team:
        """Create a team for invited people, with its default channels."""
        team = teams.create_team(self, {"name": name, "display_name": display_name or name, "type": "I"})
        for user in members:
            self.join(team, user)
        return team

    def create_channel(
        self,
        team: Team,
        name: str,
        display_name: str = "",
        *,
        private: bool = False,
        members: Iterable[User] = (),
    ) -> Channel:
        """Create a channel of a team."""
        fields = {
            "team_id": team.id,
            "name": name,
            "display_name": display_name or name,
            "type": "P" if private else "O",
        }
        channel = channels.create_channel(self, "", fields)
        for user in members:
            self.join(channel, user)
        return channel

    def channel(self, team: Team, name: str) -> Channel:
        """Return the team's channel of that name, e.g. `town-square`."""
        return channels.find_channel_by_name(self, team.id, name, include_deleted=True)

    def join(self, target: Team | Channel, user: User) -> None:
        """Put a user into a team or a channel."""
        if isinstance(target, Team):
            team_members.add_member(self, target, user)
        else:
            channel_members.add_member(self, target, user)

    def leave(self, target: Team | Channel, user: User) -> None:
        """Take a user out of a team or a channel."""
        if isinstance(target, Team):
            team_members.remove_member(self, target, user, self.admin)
        else:
            channel_members.remove_member(self, target, user, self.admin)

    def direct(self, one: User, other: User) -> Channel:
        """Return the direct channel of two users."""
        return direct_channels.direct_channel(self, one, [one.id, other.id])

    def group(self, creator: User, *others: User) -> Channel:
        """Return the group channel of three to eight users."""
        return direct_channels.group_channel(self, creator, [user.id for user in others])

    def post_as(self, user: User, channel: Channel, message: str, root_id: str = "", **fields: Any) -> Post:
        """Post as the user, who need not be a member; `fields` may hold `props`, `file_ids`, `create_at`."""
        draft = {"message": message, "root_id": root_id, **fields}
        posts.check_draft(self, channel, draft)
        return posts.create_post(self, user, channel, draft)

    def upload_as(self, user: User, channel: Channel, name: str, data: bytes) -> File:
        """Upload a file, to be attached to a post of the user."""
        return files.create_file(self, user, channel, name, data)

    def react(self, user: User, post: Post, emoji: str) -> None:
        """Put a user's reaction below a post."""
        reactions.add(self, user, post.id, emoji)

    def reactions_to(self, post: Post) -> list[tuple[str, str]]:
        """Return the reactions below a post: who, and with what."""
        return list(self.reactions[post.id])

    def thread(self, root_id: str) -> list[Post]:
        """Return a thread, root first, without deleted posts; empty if there is no such root."""
        root = self.posts.get(root_id)
        return [] if root is None else [p for p in (root, *self.replies.get(root_id, ())) if not p.delete_at]

    def posts_in(self, channel: Channel) -> list[Post]:
        """Return what people and bots posted in a channel, oldest first, without system and deleted posts."""
        found = self.channel_posts[channel.id]
        return [post for post in found if not post.delete_at and not post.type.startswith("system_")]
