"""A websocket server that sends as fast as it can: hello, frames of other channels, one mention, the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

ID = "a" * 26


def event(name: str, data: dict[str, object], seq: int) -> str:
    broadcast = {"omit_users": None, "user_id": "", "channel_id": ID, "team_id": "", "connection_id": ""}
    return json.dumps(
        {"event": name, "data": data, "broadcast": broadcast, "seq": seq}, separators=(",", ":")
    )


def posted(channel: str, message: str, seq: int) -> str:
    """Return a `posted` frame as Mattermost sends it."""
    post = {
        "id": ID, "create_at": 1700000000000, "update_at": 1700000000000, "edit_at": 0, "delete_at": 0,
        "is_pinned": False, "user_id": "b" * 26, "channel_id": ID, "root_id": "", "original_id": "",
        "message": message, "type": "", "props": {"disable_group_highlight": True}, "hashtags": "",
        "file_ids": None, "pending_post_id": f"{'b' * 26}:1700000000000", "remote_id": "",
        "reply_count": 0, "last_reply_at": 0, "participants": None, "metadata": {},
    }  # fmt: skip
    data = {
        "channel_display_name": channel, "channel_name": channel, "channel_type": "O",
        "post": json.dumps(post), "sender_name": "@ada", "set_online": True, "team_id": ID,
    }  # fmt: skip
    return event("posted", data, seq)


@asynccontextmanager
async def pumping(frames: int) -> AsyncIterator[str]:
    """Serve `frames` uninteresting frames of about 1.2 kB to each who connects; yields the URL."""
    hello = event("hello", {"server_version": "10.4.0", "connection_id": "c" * 26}, 0)
    text = "Somebody writes something of ordinary length to somebody else in another channel. " * 6
    body = [posted("town-square", text, seq) for seq in range(1, frames + 1)]
    last = posted("agent", "@equabot hello", frames + 1)

    async def pump(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await connection.send(hello)
            await asyncio.sleep(0.2)
            for frame in body:
                await connection.send(frame)
            await connection.send(last)
            await connection.close()

    async with serve(pump, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"
