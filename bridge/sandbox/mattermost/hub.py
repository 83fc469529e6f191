"""The hub: who is connected, who receives what, and which closed connections may be resumed.

Rules: server/channels/app/platform/web_hub.go.
"""

import json
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from bridge.sandbox.mattermost.connection import Connection, Outgoing
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.faults import Faults
from bridge.sandbox.mattermost.presence import Presence
from bridge.sandbox.mattermost.shuffle import Shuffle
from bridge.sandbox.mattermost.state import State

REAP_INTERVAL = 300
"""Seconds between two looks for inactive connections, and the age at which they are dropped."""

_OF_MEMBERS = frozenset(
    ("user_added", "user_removed", "added_to_team", "leave_team", "channel_member_updated")
)
"""Events before which the server looks up again what the user that they are about may hear."""


class Hub:
    """Lives as long as one run of the server: a restart forgets every connection."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        self.presence = Presence(state)
        self._by_user: dict[str, list[Connection]] = defaultdict(list)
        self._shuffle = Shuffle(faults, self._deliver)

    def publish(self, event: Event) -> None:
        """Deliver an event to everybody it concerns; faults may repeat or postpone it."""
        if event.name in _OF_MEMBERS:
            for connection in self._by_user.get(event.broadcast.user_id or event.data.get("user_id", ""), ()):
                connection.look_up()
        for each in self._shuffle.arrange(event):
            self._deliver(each)

    def _deliver(self, event: Event) -> None:
        frame: str | None = None
        for connection in self._concerned(event.broadcast):
            if not connection.wants(event):
                continue
            if connection.user_id in event.mentions:
                text = event.encode_for_mentioned(connection.user_id)
            else:
                text = frame = frame or event.encode_for_others()
            lost = self._faults.happens(self._faults.drop_events)
            self.send(connection, Outgoing(text, is_event=True, lost=lost))

    def _concerned(self, broadcast: Broadcast) -> list[Connection]:
        if broadcast.connection_id:
            return [each for each in self._all() if each.id == broadcast.connection_id]
        if broadcast.user_id:
            return list(self._by_user.get(broadcast.user_id, ()))
        if broadcast.channel_id:
            return self._of_users(self._state.channel_members.get(broadcast.channel_id, {}))
        if broadcast.team_id:
            members = self._state.team_members.get(broadcast.team_id, {})
            return [each for each in self._of_users(members) if members[each.user_id].delete_at == 0]
        return list(self._all())

    def _all(self) -> Iterator[Connection]:
        return (connection for connections in self._by_user.values() for connection in connections)

    def _of_users(self, members: Mapping[str, object]) -> list[Connection]:
        if len(self._by_user) < len(members):
            known: Iterable[str] = (user_id for user_id in self._by_user if user_id in members)
        else:
            known = (user_id for user_id in members if user_id in self._by_user)
        return [each for user_id in known for each in self._by_user[user_id]]

    def send(self, connection: Connection, outgoing: Outgoing) -> None:
        """Queue something for one connection; one that cannot take it is closed and never resumed."""
        if not connection.put(outgoing):
            self.remove(connection)
            connection.close()

    def register(self, connection: Connection) -> None:
        """Add a connection; a fresh one is greeted."""
        connection.active = True
        connection.look_up()
        self._by_user[connection.user_id].append(connection)
        if connection.authenticated and not connection.reused:
            self.send(connection, Outgoing(self.hello(connection), is_event=True))

    def hello(self, connection: Connection) -> str:
        """Return the greeting without its end."""
        data = {
            "connection_id": connection.id,
            "server_hostname": socket.gethostname(),
            "server_version": self._state.settings.version_id,
        }
        return Event("hello", data, Broadcast(user_id=connection.user_id)).encode_for_others()

    def unregister(self, connection: Connection) -> None:
        """Note that the socket is gone; the connection collects events until it is resumed or reaped."""
        connection.active = False
        if not self.open_sockets(connection.user_id):
            self.presence.leave(connection.user_id)

    def open_sockets(self, user_id: str) -> int:
        """Return how many sockets of a user are open as far as the server has noticed."""
        return sum(each.active for each in self._by_user.get(user_id, ()))

    def knows(self, connection: Connection) -> bool:
        return connection in self._by_user.get(connection.user_id, ())

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        mine = self._by_user.get(connection.user_id)
        if mine is not None and connection in mine:
            mine.remove(connection)
            if not mine:
                del self._by_user[connection.user_id]

    def take_over(self, user_id: str, connection_id: str) -> Connection | None:
        """Take an inactive connection of the user out of the hub, to resume it."""
        for connection in self._by_user.get(user_id, ()):
            if connection.id == connection_id and not connection.active:
                self.remove(connection)
                return connection
        return None

    def note_activity(self, user_id: str, token: str) -> None:
        """Refresh the connections of a token that was used for posting or looking at users."""
        for connection in self._by_user.get(user_id, ()):
            if connection.active and connection.token == token:
                connection.last_activity = self._state.now()

    def release_expired(self) -> None:
        """Drop the inactive connections whose last activity is five minutes old."""
        oldest = self._state.now() - REAP_INTERVAL * 1000
        for connection in list(self._all()):
            if not connection.active and connection.last_activity < oldest:
                self.remove(connection)


def reply_ok(seq: int, data: dict[str, object] | None = None) -> Outgoing:
    """Return the answer to an action."""
    body: dict[str, object] = {"status": "OK", "seq_reply": seq}
    if data is not None:
        body["data"] = data
    return Outgoing(json.dumps(body), is_event=False)


def reply_error(seq: int, error: dict[str, object]) -> Outgoing:
    """Return the refusal of an action."""
    return Outgoing(json.dumps({"status": "FAIL", "seq_reply": seq, "error": error}), is_event=False)
