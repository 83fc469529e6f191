"""The lower bounds: the least code that does the same, without keeping anything.

`python -m tests.bench.bare agent|reply MATTERMOST_URL TOKEN AGENT_URL AGENT_TOKEN`: a bot that sends each
mention to the agent, or replies to it at once; `… frames WS_URL` counts frames.
"""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp
from websockets.asyncio.client import connect


async def agent(url: str, token: str, agent_url: str, agent_token: str) -> None:
    """Send the text of each mention to the agent and drop the answer."""
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:

        async def ask(post: dict[str, Any]) -> None:
            body = {
                "model": "equabot",
                "stream": True,
                "messages": [{"role": "user", "content": post["message"]}],
            }
            headers = {"Authorization": f"Bearer {agent_token}", "x-equabot-session-key": post["id"]}
            async with session.post(
                f"{agent_url}/v1/chat/completions", json=body, headers=headers
            ) as response:
                await response.read()

        async for post in mentions(url, token):
            group.create_task(ask(post))


async def reply(url: str, token: str, _agent_url: str, _agent_token: str) -> None:
    """Reply to each mention at once."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as group:

        async def post_reply(post: dict[str, Any]) -> None:
            body = {"channel_id": post["channel_id"], "root_id": post["id"], "message": "Hello!"}
            async with session.post(f"{url}/api/v4/posts", json=body) as response:
                await response.read()

        async for post in mentions(url, token):
            group.create_task(post_reply(post))


async def mentions(url: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    socket = f"ws{url.removeprefix('http')}/api/v4/websocket"
    async with connect(socket, additional_headers=headers, max_size=None, proxy=None) as connection:
        print("ready", flush=True)
        async for frame in connection:
            event = json.loads(frame)
            if event.get("event") == "posted" and "@equabot" in event["data"]["post"]:
                yield json.loads(event["data"]["post"])


async def frames(url: str) -> None:
    """Print how many frames a second a receive loop of one line takes, until the server ends it."""
    async with connect(url, max_size=None, proxy=None, compression=None) as connection:
        await connection.recv()
        started, count = time.perf_counter(), 0
        async for _ in connection:
            count += 1
        print(count / (time.perf_counter() - started))


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
