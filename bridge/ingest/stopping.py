"""Stop an answer: its asker at once, an administrator of the organization once Equa has said so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from bridge.db.stops import Stops
from bridge.ingest.best_effort import BestEffort, LaterAttempts
from bridge.models.chat import Posted, PostId, UserId
from bridge.models.equa import OrganizationId
from bridge.outage import retry_until_available

IsAdmin = Callable[[OrganizationId, UserId], Awaitable[bool]]
"""Whether an account belongs to an administrator of the organization."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """By a reaction to a question or answer, or by a word in its conversation."""

    stops: Stops
    is_admin: IsAdmin | None = None
    """None where nobody can be asked; then only askers stop answers."""
    beside: BestEffort = field(default_factory=BestEffort)
    later: LaterAttempts = field(default_factory=LaterAttempts)

    async def by_reaction(self, post: PostId, by: UserId) -> None:
        """Stop the job whose question or answer the post is, however long the database is away."""
        attempt = partial(self._by_reaction, post, by)
        if not await attempt():
            self.later.make(attempt)

    async def by_word(self, said: Posted) -> None:
        """Stop what the author of a post has asked before in its conversation, or else what others have."""
        as_admin = partial(self.stops.before, said, as_admin=True)
        if not await self.stops.before(said):
            await self._as_admin(partial(self.stops.organization_of, said), said.post.user_id, as_admin)

    async def _by_reaction(self, post: PostId, by: UserId) -> bool:
        """Return whether the post is known as a question or answer that can be stopped."""
        if await retry_until_available("stop", partial(self.stops.of_post, post, by)):
            return True
        as_admin = partial(self.stops.of_post, post, by, as_admin=True)
        return await self._as_admin(partial(self.stops.organization, post), by, as_admin)

    async def _as_admin(
        self,
        whose: Callable[[], Awaitable[OrganizationId | None]],
        by: UserId,
        stop: Callable[[], Awaitable[int]],
    ) -> bool:
        """Stop it for an administrator; return whether there is something to stop."""
        organization = await retry_until_available("whose", whose)
        if organization and self.is_admin:
            self.beside.do(_stop_if(self.is_admin(organization, by), stop))
        return organization is not None


async def _stop_if(allowed: Awaitable[bool], stop: Callable[[], Awaitable[int]]) -> None:
    if await allowed:
        await stop()
