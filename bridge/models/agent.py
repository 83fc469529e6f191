"""A question to an agent, and its history. Pure: no I/O is imported here."""

from dataclasses import dataclass
from typing import Literal

from bridge.models.chat import ChannelId, PostId
from bridge.models.equa import OrganizationId, PersonId

AgentKind = Literal["gateway", "openai"]
"""What stands behind `AGENT_URL`: an equabot-gateway, or any OpenAI-compatible server."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to an agent."""

    organization_id: OrganizationId
    person_id: PersonId
    channel_id: ChannelId
    thread: PostId
    post_id: PostId
    """The post that asks; its id is in every log line about the question."""
    text: str
    history: tuple["Message", ...] = ()
    """Earlier posts of the thread, oldest first; empty for an agent that remembers."""


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier post of a conversation."""

    role: Literal["user", "assistant"]
    text: str
