"""Mattermost's posts, channels, teams and accounts. Pure: no I/O is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NewType

PAGE_SIZE = 200
"""Most objects in one answer of Mattermost (`PerPageMaximum` in server/channels/web/params.go)."""

TeamId = NewType("TeamId", str)

ChannelId = NewType("ChannelId", str)

PostId = NewType("PostId", str)

UserId = NewType("UserId", str)
"""A Mattermost user; like every Mattermost id 26 characters of `[a-z0-9]`."""

GITLAB = "gitlab"
"""Mattermost's name of the sign-in that the bridge is the provider of."""

FileId = NewType("FileId", str)

TokenId = NewType("TokenId", str)
"""Mattermost's id of a personal access token, which is not its secret."""

ChannelType = Literal["O", "P", "D", "G"]
"""Open, private, direct, group."""

ChannelProblem = Literal["private", "renamed"]
"""Of a default channel: somebody made it private, or another channel has its name."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post as Mattermost shows it; `create_at` is in milliseconds since 1970."""

    id: PostId
    channel_id: ChannelId
    user_id: UserId
    root_id: PostId | Literal[""]
    message: str
    create_at: int
    type: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    pending_post_id: str = ""
    file_ids: tuple[FileId, ...] = ()

    @property
    def thread(self) -> PostId:
        """The root of the thread that the post stands in or may open."""
        return PostId(self.root_id or self.id)

    @property
    def lane(self) -> str:
        """The lane of its thread: what is asked in one thread is answered in order."""
        return f"thread:{self.thread}"


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction below a post; `create_at` is in milliseconds since 1970."""

    user_id: UserId
    emoji: str
    create_at: int


@dataclass(frozen=True, slots=True)
class Posted:
    """A post together with where it was posted: what a `posted` event or the catch-up delivers."""

    post: Post
    team_id: TeamId | Literal[""]
    channel_name: str
    mentioned: bool = False
    """Mattermost says that the post mentions the receiving account, by name or with everybody."""

    @property
    def thread(self) -> PostId | Literal[""]:
        """The thread to answer in; none for a direct message outside of a thread."""
        return self.post.thread if self.team_id else self.post.root_id

    @property
    def lane(self) -> str:
        """The lane of what is asked: its thread, or a whole direct channel, which is one conversation."""
        return self.post.lane if self.team_id else f"direct:{self.post.channel_id}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A post that is to be created."""

    channel_id: ChannelId
    message: str
    root_id: PostId | Literal[""] = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    pending_post_id: str = ""
    file_ids: tuple[FileId, ...] = ()
    """Uploaded by the same account, and in no other post yet."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as Mattermost describes it."""

    id: FileId
    post_id: PostId | Literal[""]
    """Empty until it is attached to a post."""
    name: str
    size: int
    """Bytes."""
    media_type: str


@dataclass(frozen=True, slots=True)
class Channel:
    id: ChannelId
    team_id: TeamId | Literal[""]
    name: str
    type: ChannelType
    last_post_at: int
    """Milliseconds; 0 while nothing was posted."""
    delete_at: int = 0
    display_name: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """A Mattermost account."""

    id: UserId
    username: str
    is_bot: bool = False
    email: str = ""
    roles: str = ""
    delete_at: int = 0
    mark: str = ""
    """What the bridge wrote into the account when it created it; empty in all others."""
    first_name: str = ""
    last_name: str = ""
    nickname: str = ""
    auth_service: str = ""
    """Who knows the person: `gitlab` is the bridge, empty a password; only an administrator sees it."""

    @property
    def full_name(self) -> str:
        """First and last name, or the nickname; empty if the account has neither."""
        return " ".join(f"{self.first_name} {self.last_name}".split()) or self.nickname.strip()

    @property
    def is_privileged(self) -> bool:
        """Whether one of its roles manages others, by the ends of their names in server/public/model/role.go.

        `system_admin`, `system_user_manager`, `system_custom_group_admin`.
        """
        return any(role.endswith(("admin", "manager")) for role in self.roles.split())


@dataclass(frozen=True, slots=True)
class NewUser:
    """A Mattermost account that is to be created, without a password and none to be had."""

    username: str
    email: str
    first_name: str
    last_name: str
    mark: str = field(repr=False)
    email_notifications: bool = True
    nickname: str = ""
    auth_data: int | None = None
    """The number by which the person signs in with Equa; None where nobody can."""


@dataclass(frozen=True, slots=True)
class Preference:
    """A preference of an account."""

    category: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Team:
    id: TeamId
    name: str
    """As it stands in addresses."""
    display_name: str
    delete_at: int = 0
    mark: str = ""
    """What the bridge wrote into the team when it created it; empty in all others."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A personal access token."""

    id: TokenId
    description: str
    secret: str = field(default="", repr=False)
    """Known when it is created and never again."""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a channel was read: every post up to `create_at` (milliseconds) is stored."""

    channel_id: ChannelId
    post_id: PostId | Literal[""]
    create_at: int
    begin_at: int
    """Posts before this moment (milliseconds) are history and never considered."""
