"""Stop an answer: its asker at once, an administrator of the organization once Equa has said so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from bridge.db.stops import Stops
from bridge.ingest.best_effort import BestEffort
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

    async def by_reaction(self, post: PostId, by: UserId) -> None:
        """Stop the job whose question or answer the post is, however long the database is away."""
        as_admin = partial(self.stops.of_post, post, by, as_admin=True)
        if not await retry_until_available("stop", partial(self.stops.of_post, post, by)):
            await self._as_admin(partial(self.stops.organization, post), by, as_admin)

    async def by_word(self, said: Posted) -> None:
        """Stop what the author of a post has asked before in its conversation, or else what others have."""
        as_admin = partial(self.stops.before, said, as_admin=True)
        if not await self.stops.before(said):
            await self._as_admin(partial(self.stops.organization_of, said), said.post.user_id, as_admin)

    async def _as_admin(
        self,
        whose: Callable[[], Awaitable[OrganizationId | None]],
        by: UserId,
        stop: Callable[[], Awaitable[int]],
    ) -> None:
        organization = await retry_until_available("whose", whose)
        if organization and self.is_admin:
            self.beside.do(_stop_if(self.is_admin(organization, by), stop))


async def _stop_if(allowed: Awaitable[bool], stop: Callable[[], Awaitable[int]]) -> None:
    if await allowed:
        await stop()
