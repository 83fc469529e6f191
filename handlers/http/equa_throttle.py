"""How much of Equa strangers and people may take, whatever their cookies look like."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import unquote

from cachetools import LRUCache

from bridge.errors import NotSignedIn, TooManyRequests
from bridge.models.equa import Person, PersonId
from handlers.http.limits import RateLimiter, WaitQueue

_REMEMBERED = 20_000

_SHORTEST_SECRET = 16
"""Characters. A shorter value, such as a flag, may be in many people's cookies."""


@dataclass(frozen=True, slots=True)
class EquaThrottle:
    """Lets each person ask now and then, and each address bring only so many sessions that are nobody's.

    A person is counted, not the text of their cookies, which they can vary at will. A session that was a
    person's a moment ago asks at once, whatever else comes. Others are strangers until Equa names them, and
    each address has few places among those. Behind a proxy that does not pass addresses on, all would have
    one address: there nobody is refused for what others bring.
    """

    people: RateLimiter = field(default_factory=lambda: RateLimiter(burst=30, per_second=1))
    strangers: RateLimiter = field(default_factory=lambda: RateLimiter(burst=200, per_second=10))
    queue: WaitQueue = field(default_factory=lambda: WaitQueue(at_once=20, longest=1000, of_one=5))
    _holders: LRUCache[bytes, PersonId | None] = field(
        default_factory=lambda: LRUCache(_REMEMBERED), repr=False
    )
    """By the digest of a session's secret; None for a value that several people's cookies have."""

    async def identified(
        self, session: str, address: str | None, ask: Callable[[], Awaitable[Person]]
    ) -> Person:
        """Return the person that `ask` finds; raise `TooManyRequests` if Equa is not to be asked now."""
        secrets = tuple(_secrets(session))
        if self._holder(secrets) is not None:
            return await self._asked(secrets, ask)
        async with self._among_strangers(address):
            return await self._asked(secrets, ask)

    async def _asked(self, secrets: Sequence[bytes], ask: Callable[[], Awaitable[Person]]) -> Person:
        # Looked up again: it may have become known while a place was waited for.
        holder = self._holder(secrets)
        if holder is not None:
            self.people.use(holder)
        try:
            person = await ask()
        except NotSignedIn:
            self._forget(secrets)
            raise
        if person.id != holder:
            if holder is not None:
                self.people.give_back(holder)
            self.people.use(person.id)
        self._remember(secrets, person.id)
        return person

    @asynccontextmanager
    async def _among_strangers(self, address: str | None) -> AsyncIterator[None]:
        """Hold a place among the strangers; what turns out to be nobody's counts against the address."""
        if address is None:
            async with self.queue.passed():
                yield
            return
        self.strangers.require(address)
        async with self.queue.passed(address):
            self.strangers.use(address)
            try:
                yield
            except (NotSignedIn, TooManyRequests):
                raise
            except BaseException:
                self.strangers.give_back(address)
                raise
            self.strangers.give_back(address)

    def _holder(self, secrets: Sequence[bytes]) -> PersonId | None:
        """Return the person that one of the secrets is known to belong to."""
        return next(filter(None, map(self._holders.get, secrets)), None)

    def _remember(self, secrets: Sequence[bytes], person: PersonId) -> None:
        # Once one is known, others that are varied beside it take no memory.
        if self._holder(secrets) == person:
            return
        for secret in secrets:
            self._holders[secret] = person if self._holders.get(secret, person) == person else None

    def _forget(self, secrets: Sequence[bytes]) -> None:
        for secret in secrets:
            self._holders.pop(secret, None)


def _secrets(session: str) -> Iterator[bytes]:
    """Yield the digest of each value that may be a session's secret, however it is quoted or encoded."""
    for pair in session.split("; "):
        value = unquote(pair.partition("=")[2].strip().strip('"'), errors="surrogateescape")
        if len(value) >= _SHORTEST_SECRET:
            yield sha256(value.encode(errors="surrogateescape")).digest()
