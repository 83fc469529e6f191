"""A thread as a conversation that every server takes. Pure: no I/O is imported here.

Servers of Gemma and Mistral answer 400 unless a person begins and the roles alternate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from bridge.models.agent import Message, Question


def conversation(history: Sequence[Message], question: Message) -> list[Message]:
    """Return the messages of a request: neighbours of one role joined, and none of the agent's in front."""
    by_role = groupby([*history, question], key=lambda message: message.role)
    joined = [_joined(list(messages)) for _, messages in by_role]
    return joined[1:] if joined[0].role == "assistant" else joined


def has_pictures(question: Question) -> bool:
    return bool(question.images) or any(message.images for message in question.history)


def without_pictures(question: Question) -> Question:
    """Return the question for a model that takes no pictures, which is told of them."""
    history = tuple(replace(message, images=()) for message in question.history)
    text = f"{question.text}\n\n[You cannot be shown the attached pictures. Say so if they matter.]"
    return replace(question, text=text, images=(), history=history)


def content(message: Message) -> str | list[dict[str, Any]]:
    """Return a message's content: its text, with pictures a list of parts."""
    if not message.images:
        return message.text
    pictures = ({"type": "image_url", "image_url": {"url": url}} for url in message.images)
    return [{"type": "text", "text": message.text}, *pictures]


def _joined(messages: Sequence[Message]) -> Message:
    images = tuple(url for message in messages for url in message.images)
    return Message(messages[0].role, "\n\n".join(message.text for message in messages), images)


def newer_half(history: Sequence[Message]) -> Sequence[Message]:
    """Return the newer half of a history by its characters, at least one message less than all of it."""
    half = _characters(history) / 2
    kept = list(history[1:])
    while kept and _characters(kept) > half:
        del kept[0]
    return kept


def _characters(messages: Iterable[Message]) -> int:
    return sum(len(message.text) for message in messages)
