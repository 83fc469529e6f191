"""Everything a Mattermost keeps in its database, with the indices that keep every request fast.

It outlives the server: a restart is a new `Server` on the same state.
"""

import random
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from bridge.sandbox.mattermost.events import Event
from bridge.sandbox.mattermost.ids import new_id
from bridge.sandbox.mattermost.records import (
    AccessToken,
    Channel,
    ChannelMember,
    File,
    Post,
    Role,
    Session,
    Team,
    TeamMember,
    User,
)
from bridge.sandbox.mattermost.settings import Settings

Listener = Callable[[Event], None]


class ChannelPosts:
    """The posts of one channel, deleted ones included, in order of `create_at`."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._posts: list[Post] = []

    def add(self, post: Post) -> None:
        at = bisect_right(self._times, post.create_at)
        self._times.insert(at, post.create_at)
        self._posts.insert(at, post)

    def newer_than(self, create_at: int) -> Iterator[Post]:
        """Yield what was created after that moment, oldest first."""
        return islice(self._posts, bisect_right(self._times, create_at), None)

    def older_than(self, create_at: int) -> Iterator[Post]:
        """Yield what was created before that moment, newest first."""
        at = bisect_right(self._times, create_at - 1)
        return (self._posts[index] for index in range(at - 1, -1, -1))

    def newest_first(self) -> Iterator[Post]:
        return reversed(self._posts)

    def __iter__(self) -> Iterator[Post]:
        return iter(self._posts)


class State:
    """The tables by id, and indices by whatever a route asks for."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or Settings()
        self.random = random.Random(seed)
        self._clock = clock
        self.listeners: list[Listener] = []

        self.users: dict[str, User] = {}
        self.user_by_name: dict[str, User] = {}
        self.user_by_email: dict[str, User] = {}
        self.user_by_auth_data: dict[str, User] = {}
        self.preferences: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
        self.teams: dict[str, Team] = {}
        self.team_by_name: dict[str, Team] = {}
        self.team_members: dict[str, dict[str, TeamMember]] = defaultdict(dict)
        self.teams_of_user: dict[str, dict[str, TeamMember]] = defaultdict(dict)
        self.channels: dict[str, Channel] = {}
        self.channel_by_name: dict[tuple[str, str], Channel] = {}
        self.channels_of_team: dict[str, dict[str, Channel]] = defaultdict(dict)
        self.channel_members: dict[str, dict[str, ChannelMember]] = defaultdict(dict)
        self.channels_of_user: dict[str, dict[str, ChannelMember]] = defaultdict(dict)
        self.posts: dict[str, Post] = {}
        self.reactions: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
        """By post, and by account and name."""
        self.files: dict[str, File] = {}
        self.channel_posts: dict[str, ChannelPosts] = defaultdict(ChannelPosts)
        self.replies: dict[str, list[Post]] = defaultdict(list)
        self.roles: dict[str, Role] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.token_by_secret: dict[str, AccessToken] = {}
        self.tokens_of_user: dict[str, dict[str, AccessToken]] = defaultdict(dict)
        self.sessions: dict[str, Session] = {}
        self.session_by_token: dict[str, Session] = {}
        self.sessions_of_user: dict[str, dict[str, Session]] = defaultdict(dict)
        self.desktop_tokens: dict[str, tuple[str, int]] = {}
        """The user who has signed in for the desktop app, and until when that is good."""
        self.oauth_states: dict[str, str] = {}
        """Of sign-ins by a provider: the token in their state, and what must come with it."""

    def now(self) -> int:
        """Return the time in milliseconds."""
        return int(self._clock() * 1000)

    def new_id(self) -> str:
        return new_id(self.random)

    def publish(self, event: Event) -> None:
        """Hand an event to whoever listens, which is the hub of a running server."""
        for listener in self.listeners:
            listener(event)

    def member_of_team(self, team_id: str, user_id: str) -> bool:
        member = self.team_members[team_id].get(user_id) if team_id in self.team_members else None
        return member is not None and member.delete_at == 0

    def member_of_channel(self, channel_id: str, user_id: str) -> bool:
        return channel_id in self.channel_members and user_id in self.channel_members[channel_id]
