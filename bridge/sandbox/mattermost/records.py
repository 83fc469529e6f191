"""What a Mattermost remembers: one dataclass a table, times in milliseconds since 1970. Pure."""

from dataclasses import dataclass, field
from typing import Any, Literal

ChannelType = Literal["O", "P", "D", "G"]
TeamType = Literal["O", "I"]


@dataclass(slots=True)
class Bot:
    """The bot half of an account; `user` holds the other."""

    user_id: str
    owner_id: str
    create_at: int
    update_at: int
    display_name: str = ""
    description: str = ""
    delete_at: int = 0


@dataclass(slots=True)
class User:
    id: str
    username: str
    email: str
    create_at: int
    update_at: int
    roles: str = "system_user"
    password: str = ""
    nickname: str = ""
    first_name: str = ""
    last_name: str = ""
    position: str = ""
    locale: str = "en"
    email_verified: bool = False
    auth_service: str = ""
    auth_data: str = ""
    props: dict[str, str] = field(default_factory=dict)
    notify_props: dict[str, str] = field(default_factory=dict)
    delete_at: int = 0
    bot: Bot | None = None
    failed_logins: int = 0


@dataclass(slots=True)
class Team:
    id: str
    name: str
    display_name: str
    type: TeamType
    create_at: int
    update_at: int
    email: str = ""
    description: str = ""
    company_name: str = ""
    allowed_domains: str = ""
    invite_id: str = ""
    allow_open_invite: bool = False
    delete_at: int = 0


@dataclass(slots=True)
class TeamMember:
    team_id: str
    user_id: str
    create_at: int
    admin: bool = False
    delete_at: int = 0


@dataclass(slots=True)
class Channel:
    id: str
    team_id: str
    name: str
    display_name: str
    type: ChannelType
    creator_id: str
    create_at: int
    update_at: int
    header: str = ""
    purpose: str = ""
    last_post_at: int = 0
    total_msg_count: int = 0
    delete_at: int = 0


@dataclass(slots=True)
class ChannelMember:
    channel_id: str
    user_id: str
    create_at: int
    admin: bool = False


@dataclass(slots=True)
class File:
    """An uploaded file; `post_id` is empty until it is attached to a post."""

    id: str
    user_id: str
    channel_id: str
    name: str
    mime_type: str
    data: bytes = field(repr=False)
    create_at: int
    update_at: int
    post_id: str = ""
    delete_at: int = 0


@dataclass(slots=True)
class Post:
    id: str
    channel_id: str
    user_id: str
    message: str
    create_at: int
    update_at: int
    root_id: str = ""
    type: str = ""
    props: dict[str, Any] = field(default_factory=dict)
    original_id: str = ""
    is_pinned: bool = False
    edit_at: int = 0
    delete_at: int = 0
    reply_count: int = 0
    files: list[File] = field(default_factory=list)


@dataclass(slots=True)
class AccessToken:
    """A personal access token; `token` is the secret and is shown only when it is created."""

    id: str
    token: str
    user_id: str
    description: str
    is_active: bool = True


@dataclass(slots=True)
class Session:
    """What a token stands for; `csrf` is empty for a session made from a personal access token."""

    id: str
    token: str
    user_id: str
    create_at: int
    expires_at: int = 0
    csrf: str = ""
    access_token_id: str = ""


@dataclass(slots=True)
class Role:
    id: str
    name: str
    permissions: list[str]
    create_at: int
    update_at: int
    scheme_managed: bool = True
