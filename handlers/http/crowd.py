"""How many people came, and from how many addresses: if from one, a proxy hides the browsers' own."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from cachetools import LRUCache

MOST = 1_000
"""How many people, and addresses, are counted: the ones seen last."""


@dataclass(frozen=True, slots=True)
class Crowd:
    _people: LRUCache[Hashable, None] = field(default_factory=lambda: LRUCache(MOST))
    _addresses: LRUCache[Hashable, None] = field(default_factory=lambda: LRUCache(MOST))

    def note(self, person: Hashable, address: str | None) -> tuple[int, int]:
        """Return how many different people and addresses were seen; requests without an address have one."""
        self._people[person] = None
        self._addresses[address] = None
        return len(self._people), len(self._addresses)
