"""A thread as a conversation that every server takes. Pure: no I/O is imported here.

Servers of Gemma and Mistral answer 400 unless a person begins and the roles alternate.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from bridge.models.agent import Message


def conversation(history: Sequence[Message], question: str) -> list[Message]:
    """Return the messages of a request: neighbours of one role joined, and none of the agent's in front."""
    joined = [
        Message(role, "\n\n".join(message.text for message in messages))
        for role, messages in groupby([*history, Message("user", question)], key=lambda message: message.role)
    ]
    return joined[1:] if joined[0].role == "assistant" else joined


def newer_half(history: Sequence[Message]) -> Sequence[Message]:
    """Return the newer half of a history by its characters, at least one message less than all of it."""
    half = _characters(history) / 2
    kept = list(history[1:])
    while kept and _characters(kept) > half:
        del kept[0]
    return kept


def _characters(messages: Iterable[Message]) -> int:
    return sum(len(message.text) for message in messages)
