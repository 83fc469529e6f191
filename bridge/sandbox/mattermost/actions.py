"""What a client may ask over the websocket.

Rules: server/channels/app/platform/websocket_router.go, server/channels/wsapi/.
"""

from typing import Any

from bridge.sandbox.mattermost.connection import Connection, Outgoing
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.hub import Hub, reply_error, reply_ok
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.roles import allowed_in_channel
from bridge.sandbox.mattermost.sessions import MAX_TOKEN_CHARACTERS, find_session
from bridge.sandbox.mattermost.state import State


class Actions:
    """Answers the actions of one connection."""

    def __init__(self, state: State, hub: Hub, connection: Connection) -> None:
        self._state = state
        self._hub = hub
        self._connection = connection

    def serve(self, request: dict[str, Any]) -> bool:
        """Answer one action; false when the socket is to be closed."""
        seq = request.get("seq")
        number = seq if isinstance(seq, int) else 0
        action = request.get("action") or ""
        data = request.get("data") or {}
        if action == "authentication_challenge" and number > 0:
            return self._challenge(number, data)
        try:
            answer = reply_ok(number, self._answer(action, number, data))
        except ApiError as error:
            answer = reply_error(number, error.to_json())
        self._send(answer)
        return True

    def _send(self, answer: Outgoing) -> None:
        if self._hub.knows(self._connection):
            self._hub.send(self._connection, answer)

    def _answer(self, action: str, seq: int, data: dict[str, Any]) -> dict[str, object] | None:
        if not action:
            raise ApiError("api.web_socket_router.no_action.app_error", 400)
        if seq <= 0:
            raise ApiError("api.web_socket_router.bad_seq.app_error", 400)
        if action == "presence":
            self._presence(data)
            return None
        if not self._connection.authenticated:
            raise ApiError("api.web_socket_router.not_authenticated.app_error", 401)
        match action:
            case "ping":
                return self._ping()
            case "user_typing":
                self._typing(data)
                return None
            case _:
                raise ApiError("api.web_socket_router.bad_action.app_error", 500)

    def _challenge(self, seq: int, data: dict[str, Any]) -> bool:
        if self._connection.token:
            return True
        token = data.get("token")
        session = find_session(self._state, token[:MAX_TOKEN_CHARACTERS]) if isinstance(token, str) else None
        if session is None:
            return False
        self._connection.token = session.token
        self._connection.user_id = session.user_id
        self._hub.register(self._connection)
        self._send(reply_ok(seq))
        self._hub.presence.come(session.user_id)
        return True

    def _ping(self) -> dict[str, object]:
        version = self._state.settings.version
        return {"node_id": "", "server_time": self._state.now(), "text": "pong", "version": version}

    def _presence(self, data: dict[str, Any]) -> None:
        if isinstance(data.get("channel_id"), str):
            self._connection.places["channel"] = data["channel_id"]
        if isinstance(data.get("thread_channel_id"), str):
            place = "thread_view" if data.get("is_thread_view") is True else "thread"
            self._connection.places[place] = data["thread_channel_id"]

    def _typing(self, data: dict[str, Any]) -> None:
        channel_id = str(data.get("channel_id"))
        if not is_id(channel_id):
            raise ApiError("api.websocket_handler.invalid_param.app_error", 400)
        user_id = self._connection.user_id
        if not allowed_in_channel(self._state, user_id, channel_id, "create_post"):
            raise ApiError("api.context.permissions.app_error", 403)
        publish_typing(self._state, user_id, channel_id, str(data.get("parent_id") or ""))


def publish_typing(state: State, user_id: str, channel_id: str, parent_id: str) -> None:
    """Tell the other members of a channel that somebody is typing."""
    data = {"parent_id": parent_id, "user_id": user_id}
    state.publish(Event("typing", data, Broadcast(channel_id=channel_id, omit_users=frozenset((user_id,)))))
