"""What an agent is asked. Pure: no I/O is imported here."""

from dataclasses import dataclass
from typing import Literal

from bridge.models.chat import ChannelId, PostId
from bridge.models.equa import OrganizationId, PersonId


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
