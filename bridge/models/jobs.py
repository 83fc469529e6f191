"""The inbox's jobs and what they carry. Pure: no I/O is imported here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any, Literal, NewType, Self
from uuid import UUID

from bridge.models.chat import ChannelId, FileId, PostId, UserId
from bridge.models.conversation_starts import NO_START, ConversationStart
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.usage import Meter

JobId = NewType("JobId", int)

SyncId = NewType("SyncId", UUID)
"""A sync of a team that was asked for."""

JobKind = Literal[
    "mention",
    "repeat",
    "invite",
    "direct",
    "welcome",
    "hint",
    "notice_hint",
    "notice",
    "agent_message",
    "membership",
    "sync",
    "repair",
    "approval",
    "approval_decision",
    "approval_ended",
    "approval_reminder",
    "approval_reaction",
    "budget_warning",
    "agent_question",
    "agent_question_end",
    "agent_answer",
]
"""`mention` asks the agent, `repeat` once more; `invite` says to somebody without a mapping how to get in.

`direct` answers what somebody writes to the bot alone; `welcome` posts into the `#agent` of a new team.
`hint` and `notice_hint` say why the bot, or the notice account, does not answer; `notice` posts what
the platform reported, `agent_message` what the agent says by itself; `membership` puts a person into an
organization's team or takes them out of it; `sync` makes a team match the roster; `repair` puts its channels
and the bots in them right. `approval` asks in a thread about a tool call, `approval_decision` sends the
decision to the gateway, `approval_ended` shows in the post what has come of it, and `approval_reminder`
reminds the organization's administrators; `approval_reaction` decides about one for whoever has reacted.
`budget_warning` tells the administrators that most of the month's budget is used.
`agent_question` posts what the agent asks a person, `agent_answer` hands the person's answer to the agent,
and `agent_question_end` shows in the post what has come of it.
"""

Hint = Literal["elsewhere", "limit", "stopped", "group", "notices", "notices_here"]
"""A sentence to the author of a post that is not answered.

`notices` is said by the notice account, `notices_here` by the bot in `#agent`, where that account is not.
"""

RepairCause = Literal["bot_removed", "out_of_team", "renamed", "archived", "converted", "not_heard"]
"""What somebody did to a default channel or to the bot in it."""

ASKING: tuple[JobKind, ...] = ("mention", "direct", "repeat")
"""The kinds that ask the agent."""

NEED_TEAM: tuple[JobKind, ...] = ("notice", "agent_message", "membership")
"""The kinds that wait until their organization has a team."""

JobState = Literal["waiting", "running", "done", "dead", "refused"]


@dataclass(frozen=True, slots=True)
class Mention:
    """What the inbox keeps of a post that is to be answered: a job's payload."""

    post_id: PostId
    channel_id: ChannelId
    thread: PostId | Literal[""]
    """Empty for a direct message outside of a thread, which is answered the same way."""
    user_id: UserId
    person_id: PersonId | None
    message: str
    create_at: int
    repeats: PostId | Literal[""] = ""
    """The answer that the person wants once more."""
    has_files: bool = False
    conversation: ConversationStart = NO_START
    """Known when it is the question's turn, and not stored with it; so is the footer."""
    footer: str = ""
    """A line below the answer."""

    @property
    def is_direct(self) -> bool:
        """Whether it is a direct message whose organization is known."""
        return self.conversation.organization_id is not None

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """Read it out of a job's payload."""
        person = payload["person_id"]
        return cls(**{**payload, "person_id": PersonId(UUID(person)) if person else None})

    def payload(self) -> dict[str, Any]:
        """Return it as JSON values; a process of the version before reads no `repeats` and no `has_files`."""
        stored: dict[str, Any] = {
            "post_id": self.post_id,
            "channel_id": self.channel_id,
            "thread": self.thread,
            "user_id": self.user_id,
            "person_id": str(self.person_id) if self.person_id else None,
            "message": self.message,
            "create_at": self.create_at,
        }
        if self.repeats:
            stored["repeats"] = self.repeats
        if self.has_files:
            stored["has_files"] = True
        return stored


@dataclass(frozen=True, slots=True)
class HintPost:
    """A sentence to the author of a post: the payload of a `hint` or a `notice_hint` job."""

    hint: Hint
    post_id: PostId
    channel_id: ChannelId
    thread: PostId | Literal[""]

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """Read it out of a job's payload."""
        return cls(**payload)

    def payload(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What the agent says by itself, in a channel or in a conversation: the payload of `agent_message`."""

    channel: str | None
    """The name of a channel of the organization's team."""
    conversation: str | None
    """The key of a conversation of the organization."""
    text: str
    """Markdown, as it came."""
    file_id: FileId | None = None
    """A file that the bot has uploaded for it."""

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """Read it out of a job's payload."""
        return cls(**payload)

    def payload(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Membership:
    """A person joined or left an organization, says the platform: the payload of a `membership` job."""

    organization_id: OrganizationId
    person_id: PersonId
    action: Literal["add", "remove"]
    name: str
    email: str = ""
    """Empty if the platform did not send it."""
    happened: datetime | None = None
    """When it happened, if the platform said so."""

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


@dataclass(frozen=True, slots=True)
class AskLimit:
    """How many questions one person may ask."""

    at_once: int
    an_hour: int


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
    run_at: datetime
    """Since when it could be claimed."""
    key: UUID
    """Random and secret: what `pending_post_id` is made of, so that nobody can take it first."""
    answer: str | None = None
    """What is to be posted, stored before the first part is."""
    failure: str | None = None
    """Why the answer is an apology, if it is one."""
    held_at: float = field(default=-inf, compare=False)
    """A moment at which the lease was certainly ours, by `bridge.clock.boot_time`."""
    meter: Meter = field(default_factory=Meter, compare=False)
    """What it has used in this attempt."""

    @property
    def age(self) -> float:
        """Seconds since it was stored."""
        return max(0.0, (datetime.now(UTC) - self.created).total_seconds())

    @property
    def asks(self) -> bool:
        """Whether it is a question to the agent."""
        return self.kind in ASKING


@dataclass(frozen=True, slots=True)
class Entry:
    """What is put into the inbox: a job, or a refusal with its reason so that `why` can explain it."""

    kind: JobKind
    lane: str
    organization_id: OrganizationId | None
    dedupe: str
    """Stored once whatever happens: `post:<post id>`."""
    payload: Mapping[str, Any]
    refused: str | None = None


def message_entry(organization: OrganizationId, message: OutgoingMessage, dedupe: str) -> Entry:
    """Return the job that posts a message of the agent; messages to one place keep their order."""
    lane = f"message:{organization}:{message.channel or message.conversation}"
    return Entry("agent_message", lane, organization, dedupe, message.payload())
