"""Who is online: only the user himself is told of his status.

Rules: server/channels/app/platform/status.go (`SetStatusOnline`, `SetStatusOffline`, `BroadcastStatus`).
"""

from typing import Literal

from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.state import State

Status = Literal["online", "offline"]


class Presence:
    """The status of everybody who was ever connected or posted; the rest are offline."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._online: set[str] = set()

    def status(self, user_id: str) -> Status:
        return "online" if user_id in self._online else "offline"

    def come(self, user_id: str) -> None:
        """Note that somebody is online and tell him, unless he was."""
        if user_id not in self._online:
            self._online.add(user_id)
            self._tell(user_id)

    def leave(self, user_id: str) -> None:
        """Note that somebody is offline and tell him, unless he was; his closed connections collect it."""
        if user_id in self._online:
            self._online.discard(user_id)
            self._tell(user_id)

    def _tell(self, user_id: str) -> None:
        data = {"status": self.status(user_id), "user_id": user_id}
        self._state.publish(Event("status_change", data, Broadcast(user_id=user_id)))
