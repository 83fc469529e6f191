"""What one run of the server holds besides the store; all of it is gone after a restart."""

from collections import OrderedDict
from dataclasses import dataclass, field

from aiohttp import web

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.faults import Faults
from bridge.sandbox.mattermost.hub import Hub
from bridge.sandbox.mattermost.ratelimit import RateLimiter
from bridge.sandbox.mattermost.state import State

PENDING_MS = 30_000
PENDING_SIZE = 25_000


class PendingPosts:
    """Which `pending_post_id` became which post, for 30 s.

    Rules: server/channels/app/post.go (`deduplicateCreatePost`).
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._seen: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def claim(self, pending_post_id: str) -> str:
        """Return the post that this id became, or claim it and return ""; raise while it is claimed."""
        if not pending_post_id:
            return ""
        until, post_id = self._seen.get(pending_post_id, (0, ""))
        if until <= self._state.now():
            self._remember(pending_post_id, "")
            return ""
        if not post_id:
            raise ApiError("api.post.deduplicate_create_post.pending", 500)
        return post_id

    def finish(self, pending_post_id: str, post_id: str) -> None:
        """Note what the id became."""
        if pending_post_id:
            self._remember(pending_post_id, post_id)

    def free(self, pending_post_id: str) -> None:
        """Give an id back because creating the post failed."""
        self._seen.pop(pending_post_id, None)

    def _remember(self, pending_post_id: str, post_id: str) -> None:
        self._seen[pending_post_id] = (self._state.now() + PENDING_MS, post_id)
        self._seen.move_to_end(pending_post_id)
        if len(self._seen) > PENDING_SIZE:
            self._seen.popitem(last=False)


@dataclass(slots=True)
class Timing:
    """Seconds that a real server has compiled in; tests make them shorter."""

    auth_check: float = 5.0
    """How long an anonymous websocket lives."""
    ping_interval: float = 60.0
    pong_wait: float = 100.0
    write_wait: float = 30.0
    reap_interval: float = 300.0


@dataclass(slots=True)
class Runtime:
    """The parts that handlers need."""

    state: State
    hub: Hub
    faults: Faults
    pending: PendingPosts
    limiter: RateLimiter
    timing: Timing = field(default_factory=Timing)


RUNTIME: web.AppKey[Runtime] = web.AppKey("runtime", Runtime)
