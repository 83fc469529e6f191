"""The conversations in which the agent waits for people, so that its silence there does not count."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf

from cachetools import LRUCache

_LONGEST = 3600.0
"""Seconds; no gateway lets a question wait for longer, and no other server makes us wait for more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, by its id, and until when at most; moments are of the running loop's clock."""

    _until: dict[str, tuple[str, float]] = field(default_factory=dict)
    _ended: LRUCache[str, float] = field(default_factory=lambda: LRUCache(10_000))
    """When the last thing of a conversation has ended that waited."""

    def begin(self, id_: str, conversation: str, seconds: float) -> None:
        """Note that something of a conversation's key waits; a repeat does not make it longer."""
        now = _now()
        self._until.setdefault(id_, (conversation, now + min(max(seconds, 0), _LONGEST)))

    def end(self, id_: str) -> None:
        """Note that it does not wait any more."""
        conversation, until = self._until.pop(id_, ("", inf))
        if conversation:
            moment = min(_now(), until)
            self._ended[conversation] = max(self._ended.get(conversation, -inf), moment)

    @property
    def ids(self) -> frozenset[str]:
        """What waits."""
        return frozenset(self._until)

    def keep(self, listed: Collection[str], of: frozenset[str]) -> None:
        """Note that of what waited, when a list of it was asked for, only what is listed does still."""
        for id_ in of.difference(listed):
            self.end(id_)

    def is_waiting(self, conversation: str) -> bool:
        """Return whether the agent waits for somebody in the conversation."""
        now = _now()
        return any(key == conversation and until > now for key, until in self._until.values())

    def last(self, conversation: str) -> float:
        """Return the last moment at which the conversation waited for people; long ago if it never did."""
        now = _now()
        moments = (min(until, now) for key, until in self._until.values() if key == conversation)
        return max((*moments, self._ended.get(conversation, -inf)))


def _now() -> float:
    return asyncio.get_running_loop().time()
