"""A question to an agent, and its history. Pure: no I/O is imported here."""

from dataclasses import dataclass
from typing import Literal

from bridge.models.chat import ChannelId, PostId
from bridge.models.equa import OrganizationId, PersonId

AgentKind = Literal["gateway", "openai"]
"""What stands behind `AGENT_URL`: an equabot-gateway, or any OpenAI-compatible server."""


FilesForAgent = Literal["all", "documents", "none"]
"""Which of the files that people attach an agent gets."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to an agent."""

    organization_id: OrganizationId
    person_id: PersonId
    channel_id: ChannelId
    thread: PostId | Literal[""]
    """Empty for a direct message outside of a thread."""
    post_id: PostId
    """The post that asks; its id is in every log line about the question."""
    text: str
    history: tuple["Message", ...] = ()
    """Earlier posts of the conversation, oldest first; empty for an agent that remembers."""
    images: tuple[str, ...] = ()
    """Pictures as data URLs."""
    unread: tuple[str, ...] = ()
    """The names of files that the agent does not get, and why; for `why`."""
    generation: int = 0
    """How often the conversation was begun anew."""
    is_direct: bool = False
    """Whether it is a direct message: all of those of one person and organization are one conversation."""


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier post of a conversation."""

    role: Literal["user", "assistant"]
    text: str
    images: tuple[str, ...] = ()
    """Pictures as data URLs."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens an answer took, with all that the agent did for it; None is unknown."""

    prompt: int | None = None
    completion: int | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """The agent begins to answer, or begins anew: what it said before does not count."""

    run_id: str
    """The server's own name of the run; empty if it gives none."""
    model: str = ""
    """What answers, as far as the server has said it by then."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text that is added to the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer."""

    text: str
    """The whole answer; it counts, whatever the pieces were."""
    usage: Usage | None = None
    """None if the server did not report it."""
    model: str = ""
    """What has answered: as the server calls it, else as it was asked for."""


AnswerEvent = Began | Delta | Done
