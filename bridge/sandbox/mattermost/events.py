"""Events as Mattermost sends them over the websocket. Pure.

Shapes: server/public/model/websocket_message.go. An event is encoded once and shared by all its receivers;
only `seq`, the last key, belongs to a connection.
"""

import json
from dataclasses import dataclass, field
from typing import Any

COMPACT = (",", ":")


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The audience of an event; all empty means everybody."""

    user_id: str = ""
    channel_id: str = ""
    team_id: str = ""
    connection_id: str = ""
    omit_users: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        return {
            "omit_users": dict.fromkeys(sorted(self.omit_users), True) or None,
            "user_id": self.user_id,
            "channel_id": self.channel_id,
            "team_id": self.team_id,
            "connection_id": self.connection_id,
            "omit_connection_id": "",
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `mentions` holds the users who alone get themselves named in `data.mentions`."""

    name: str
    data: dict[str, Any]
    broadcast: Broadcast = field(default_factory=Broadcast)
    mentions: frozenset[str] = frozenset()
    thread: str = ""
    """Root of the thread that a post event belongs to; never sent, faults order by it."""

    def encode_for_others(self) -> str:
        """Return the frame without its end, for receivers who are not mentioned."""
        return _frame_start(self.name, self.data, self.broadcast)

    def encode_for_mentioned(self, user_id: str) -> str:
        """Return the frame without its end, naming the receiver and nobody else as mentioned."""
        data = {**self.data, "mentions": json.dumps([user_id])}
        return _frame_start(self.name, data, self.broadcast)


def _frame_start(name: str, data: dict[str, Any], broadcast: Broadcast) -> str:
    body = json.dumps(
        {"event": name, "data": data, "broadcast": broadcast.to_json()},
        ensure_ascii=False,
        separators=COMPACT,
    )
    return body[:-1]


def with_seq(frame_start: str, seq: int) -> str:
    """Return a whole frame."""
    return f'{frame_start},"seq":{seq}}}'
