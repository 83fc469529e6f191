"""What a Mattermost server writes, as its Go encoder writes it."""

import json
from typing import Any

ALICE, BOT = "a" * 26, "b" * 26
TEAM, CHANNEL = "t" * 26, "c" * 26
POST = "p" * 26


def go_json(value: Any) -> str:
    """Sorted keys, no spaces, `<`, `>` and `&` escaped, other characters as they are: encoding/json."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def post_json(**changes: Any) -> dict[str, Any]:
    """A post as `POST /posts` answers it."""
    return {
        "id": POST,
        "create_at": 1_700_000_000_000,
        "update_at": 1_700_000_000_000,
        "edit_at": 0,
        "delete_at": 0,
        "is_pinned": False,
        "user_id": ALICE,
        "channel_id": CHANNEL,
        "root_id": "",
        "original_id": "",
        "message": "hello",
        "type": "",
        "props": {"disable_group_highlight": True},
        "hashtags": "",
        "file_ids": None,
        "pending_post_id": "",
        "remote_id": "",
        "reply_count": 0,
        "last_reply_at": 0,
        "participants": None,
        "metadata": {},
        **changes,
    }


def posted_data(channel_name: str = "agent", sender: str = "alice", **post: Any) -> dict[str, Any]:
    """The data of a `posted` event."""
    return {
        "channel_display_name": channel_name.title(),
        "channel_name": channel_name,
        "channel_type": "O",
        "post": go_json(post_json(**post)),
        "sender_name": f"@{sender}",
        "set_online": True,
        "team_id": TEAM,
    }


def event(name: str, data: Any, seq: int, *, precomputed: bool = True, **broadcast: str) -> str:
    """An event as it stands on the wire; both forms occur (websocket_message.go)."""
    to = {"omit_users": None, "user_id": "", "channel_id": CHANNEL, "team_id": "", "connection_id": ""}
    parts = (go_json(name), go_json(data), go_json({**to, **broadcast}), seq)
    if precomputed:
        return '{{"event": {}, "data": {}, "broadcast": {}, "seq": {}}}'.format(*parts)
    return '{{"event":{},"data":{},"broadcast":{},"seq":{}}}\n'.format(*parts)


def posted(seq: int, channel_name: str = "agent", sender: str = "alice", **post: Any) -> str:
    return event("posted", posted_data(channel_name, sender, **post), seq)


def hello(connection_id: str, seq: int = 0) -> str:
    data = {
        "connection_id": connection_id,
        "server_version": "10.4.2.10.4.2.abc.false",
        "server_hostname": "mm-1",
    }
    return event("hello", data, seq, precomputed=False)


def ok(seq_reply: int) -> str:
    return go_json({"status": "OK", "data": {"text": "pong"}, "seq_reply": seq_reply})


def fail(seq_reply: int, error_id: str) -> str:
    error = {"id": error_id, "message": "No.", "detailed_error": "", "status_code": 401}
    return go_json({"status": "FAIL", "error": error, "seq_reply": seq_reply})
