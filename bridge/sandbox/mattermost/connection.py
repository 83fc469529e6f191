"""One websocket connection as the server remembers it, with or without an open socket.

Sizes and rules: server/channels/app/platform/web_conn.go.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from bridge.sandbox.mattermost.events import Event, with_seq
from bridge.sandbox.mattermost.sessions import find_session
from bridge.sandbox.mattermost.state import State

SEND_QUEUE = 256
SLOW = SEND_QUEUE // 2
DEAD_QUEUE = 128
_DROPPED_WHEN_SLOW = frozenset(("typing", "status_change", "multiple_channels_viewed"))
UNSET = "<>"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What waits to be written: an event, which takes a `seq`, or a reply, which takes none."""

    text: str
    is_event: bool
    lost: bool = False
    """Whether the event takes its `seq` but never reaches the wire, as a fault wants it."""


class Connection:
    """Queues, sequence and credentials; a resumed connection inherits them from an inactive one."""

    def __init__(self, state: State, connection_id: str, user_id: str, token: str) -> None:
        self._state = state
        self.id = connection_id
        self.user_id = user_id
        self.token = token
        self.active = True
        self.last_activity = state.now()
        self.reused = False
        self.seq = 0
        self.queue: deque[Outgoing] = deque()
        self.dead: deque[tuple[int, str]] = deque(maxlen=DEAD_QUEUE)
        self.closing = False
        """Removed from the hub with a full queue: what is queued is written, then the socket is closed."""
        self.wake = asyncio.Event()
        self.places: dict[str, str] = {}
        """What the client announced with `presence`: channel, thread and thread view."""
        self.unheard: frozenset[str] = frozenset()
        """Channels that were archived when the server last looked up what the user may hear."""

    def look_up(self) -> None:
        """Look up what the user may hear, as the server does for a new connection and a changed membership.

        Restoring a channel is no reason for it to look (`Add` and `InvalidateCMCacheForUser` in
        server/channels/app/platform/web_hub.go).
        """
        mine = self._state.channels_of_user.get(self.user_id, {})
        self.unheard = frozenset(i for i in mine if self._state.channels[i].delete_at)

    @property
    def authenticated(self) -> bool:
        """Whether the token is still good; once it was not, it stays so for this connection."""
        if self.token and find_session(self._state, self.token) is None:
            self.token = ""
        return bool(self.token)

    def wants(self, event: Event) -> bool:
        """Tell whether an event that concerns this user is to be queued (`ShouldSendEvent`)."""
        if not self.authenticated or self.user_id in event.broadcast.omit_users:
            return False
        if event.broadcast.channel_id in self.unheard and not event.broadcast.user_id:
            return False
        if event.name not in _DROPPED_WHEN_SLOW:
            return True
        return len(self.queue) < SLOW and not (event.name == "typing" and self._elsewhere(event))

    def _elsewhere(self, event: Event) -> bool:
        channel = event.broadcast.channel_id
        places = [self.places.get(name, UNSET) for name in ("channel", "thread", "thread_view")]
        return UNSET not in places and channel not in places

    def put(self, outgoing: Outgoing) -> bool:
        """Queue something; false when the queue is full."""
        if len(self.queue) >= SEND_QUEUE:
            return False
        self.queue.append(outgoing)
        self.wake.set()
        return True

    def close(self) -> None:
        """Let the writer close the socket after what is queued."""
        self.closing = True
        self.wake.set()

    def take(self) -> str | None:
        """Return the next frame to write and remember it if it is an event; none for a lost one."""
        outgoing = self.queue.popleft()
        if not outgoing.is_event:
            return outgoing.text
        frame = self.number(outgoing.text)
        return None if outgoing.lost else frame

    def number(self, frame_start: str) -> str:
        """Give an event its `seq` and remember it for a resume."""
        frame = with_seq(frame_start, self.seq)
        self.dead.append((self.seq, frame))
        self.seq += 1
        return frame

    def replay(self, wanted: int) -> list[str] | None:
        """Return the frames to write again from `wanted` on, or none when some are lost."""
        if wanted == 0:
            self.seq = 0
            return []
        frames = [frame for seq, frame in self.dead if seq >= wanted]
        last = self.dead[-1][0] if self.dead else wanted - 1
        lost = self.dead[0][0] > wanted if frames else last != wanted - 1
        if lost:
            return None
        self.seq = wanted + len(frames)
        return frames

    def start_over(self, connection_id: str) -> None:
        """Become a fresh connection after a loss; what is queued unsent still follows."""
        self.id = connection_id
        self.dead.clear()
        self.seq = 0
