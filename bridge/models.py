"""What the daemon speaks about. Pure: no I/O is imported here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, NewType, Self
from uuid import UUID

OrganizationId = NewType("OrganizationId", UUID)
"""An Equa organization."""

PersonId = NewType("PersonId", UUID)
"""An Equa user."""

TeamId = NewType("TeamId", str)
ChannelId = NewType("ChannelId", str)
PostId = NewType("PostId", str)
UserId = NewType("UserId", str)
"""A Mattermost user; like every Mattermost id 26 characters of `[a-z0-9]`."""

TokenId = NewType("TokenId", str)
"""Mattermost's id of a personal access token, which is not its secret."""

JobId = NewType("JobId", int)

SyncId = NewType("SyncId", UUID)
"""A sync of a team that was asked for."""

ChannelType = Literal["O", "P", "D", "G"]
"""Open, private, direct, group."""


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

    @property
    def thread(self) -> PostId:
        """The root of the thread that the post stands in or may open."""
        return PostId(self.root_id or self.id)

    @property
    def lane(self) -> str:
        """The lane of its thread: what is asked in one thread is answered in order."""
        return f"thread:{self.thread}"


@dataclass(frozen=True, slots=True)
class Posted:
    """A post together with where it was posted: what a `posted` event or the catch-up tells."""

    post: Post
    team_id: TeamId | Literal[""]
    channel_name: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A post that is to be created."""

    channel_id: ChannelId
    message: str
    root_id: PostId | Literal[""] = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    pending_post_id: str = ""


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


JobKind = Literal["mention", "invite", "notice", "membership", "sync"]
"""`mention` asks the agent; `invite` tells somebody without a mapping how to get in; `notice` posts what the
platform told; `membership` puts a person into an organization's team or takes them out of it; `sync` makes a
whole team match the organization's roster."""

JobState = Literal["waiting", "running", "done", "dead", "refused"]


@dataclass(frozen=True, slots=True)
class Mention:
    """What the inbox keeps of a post that is to be answered: a job's payload."""

    post_id: PostId
    channel_id: ChannelId
    thread: PostId
    user_id: UserId
    person_id: PersonId | None
    message: str
    create_at: int

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """Read it out of a job's payload."""
        person = payload["person_id"]
        return cls(**{**payload, "person_id": PersonId(UUID(person)) if person else None})

    def payload(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "person_id": str(self.person_id) if self.person_id else None}


@dataclass(frozen=True, slots=True)
class Membership:
    """A person joined or left an organization, as the platform told: the payload of a `membership` job."""

    organization_id: OrganizationId
    person_id: PersonId
    action: Literal["add", "remove"]
    name: str
    email: str = ""
    """Empty where the platform did not tell it."""
    happened: datetime | None = None
    """When it happened, if the platform told."""

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """Read it out of a job's payload."""
        organization, person = payload["organization_id"], payload["person_id"]
        happened = payload.get("happened")
        return cls(
            **{
                **payload,
                "organization_id": OrganizationId(UUID(organization)),
                "person_id": PersonId(UUID(person)),
                "happened": datetime.fromisoformat(happened) if happened else None,
            }
        )

    def payload(self) -> dict[str, Any]:
        """Return it as JSON values."""
        ids = {"organization_id": str(self.organization_id), "person_id": str(self.person_id)}
        return {**asdict(self), **ids, "happened": self.happened.isoformat() if self.happened else None}


MembershipState = Literal["joining", "joined", "leaving", "left"]
"""Of a person in an organization's team, as far as the bridge has put them there."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do, claimed from the inbox by this process for the length of its lease."""

    id: JobId
    kind: JobKind
    lane: str
    """Jobs of one lane run one at a time and in order: a thread, a channel, a person."""
    organization_id: OrganizationId | None
    payload: Mapping[str, Any]
    attempts: int
    """How often it was claimed, this time included."""
    created: datetime
    key: UUID
    """Random and secret: what `pending_post_id` is made of, so that nobody can take it first."""
    answer: str | None = None
    """What is to be posted, stored before the first part is."""
    failure: str | None = None
    """Why the answer is an apology, if it is one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is put into the inbox: a job, or a refusal with its reason so that `why` can tell it."""

    kind: JobKind
    lane: str
    organization_id: OrganizationId | None
    dedupe: str
    """Stored once whatever happens: `post:<post id>`."""
    payload: Mapping[str, Any]
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent is asked."""

    organization_id: OrganizationId
    person_id: PersonId
    channel_id: ChannelId
    thread: PostId
    post_id: PostId
    """The post that asks: the id under which everybody's log has it."""
    text: str
    history: tuple["Turn", ...] = ()
    """Earlier posts of the thread, oldest first; empty for an agent that remembers by itself."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier post of a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in to Equa; what Equa does not tell is an empty text."""

    id: PersonId
    email: str
    email_verified: bool
    username: str
    name: str
    email_of_account: bool = False
    """Whether a roster names the address as their account's own: good enough to write to, not to take an
    account over for."""

    @property
    def has_own_email(self) -> bool:
        """Whether the address is surely theirs, and no slip of whoever has put them on a roster."""
        return self.email_verified or self.email_of_account


@dataclass(frozen=True, slots=True)
class Organization:
    """An Equa organization; `name` is empty where Equa listed it without one."""

    id: OrganizationId
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A line of an organization's roster: a person, a company or a trust, with an account or without."""

    person_id: PersonId | None
    """Whose account; none for companies and for people who are invited but have not registered."""
    email: str
    name: str
    is_individual: bool
    email_of_account: bool = False
    """Whether the address is the account's own; else an administrator of the organization has typed it."""


@dataclass(frozen=True, slots=True)
class Roster:
    """All members of an organization."""

    members: tuple[Member, ...]
    problems: tuple[str, ...] = ()
    """A sentence for each line that could not be read; while there are any, who is missing above need not
    have left."""
