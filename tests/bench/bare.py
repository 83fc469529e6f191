"""The lower bounds: the least code that does the same, without keeping anything.

`python -m tests.bench.bare agent|reply|answer|grow MATTERMOST_URL TOKEN AGENT_URL AGENT_TOKEN [NAME]`: a bot
that sends each mention of NAME to the agent, replies to it at once, posts the agent's answer, or shows that
answer while it comes in.
`… frames WS_URL` counts frames, `… channels MATTERMOST_URL TOKEN` reads the list of channels, and
`… catch_up MATTERMOST_URL TOKEN AGENT_URL AGENT_TOKEN SINCE [NAME]` answers what was asked since a moment.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
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


async def answer(url: str, token: str, agent_url: str, agent_token: str, name: str = "equabot") -> None:
    """Ask the agent about each mention and post its answer once it is whole."""
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:

        async def ask_and_post(post: dict[str, Any]) -> None:
            asked = pieces(session, f"{agent_url}/v1/chat/completions", agent_token, post["id"])
            text = "".join([piece async for piece in asked])
            body = {"channel_id": post["channel_id"], "root_id": post["id"], "message": text}
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(f"{url}/api/v4/posts", json=body, headers=headers) as response:
                await response.read()

        async for post in mentions(url, token, name):
            group.create_task(ask_and_post(post))


async def grow(url: str, token: str, agent_url: str, agent_token: str) -> None:
    """Show the answer to each mention while it comes in."""
    unlimited = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=unlimited) as session, asyncio.TaskGroup() as group:
        writer = Writer(session, f"{url}/api/v4/posts", token)
        async for post in mentions(url, token):
            text = pieces(session, f"{agent_url}/v1/chat/completions", agent_token, post["id"])
            group.create_task(writer.show(post, text))


async def pieces(session: aiohttp.ClientSession, url: str, token: str, key: str) -> AsyncIterator[str]:
    body = {"model": "equabot", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"Authorization": f"Bearer {token}", "x-equabot-session-key": key}
    async with session.post(url, json=body, headers=headers) as response:
        async for line in response.content:
            if line.startswith(b"data: {") and (choices := json.loads(line[6:])["choices"]):
                yield choices[0]["delta"].get("content") or ""


@dataclass
class Writer:
    """Posts the beginning of an answer, and edits it every two seconds."""

    session: aiohttp.ClientSession
    url: str
    token: str

    async def show(self, question: dict[str, Any], coming: AsyncIterator[str]) -> None:
        place = {"channel_id": question["channel_id"], "root_id": question["id"]}
        text, path, due = "", "", time.monotonic() + 1.5
        async for piece in coming:
            text += piece
            if time.monotonic() >= due and path:
                await self._send("PUT", path, {"message": text})
            elif time.monotonic() >= due:
                shown = await self._send("POST", "", {**place, "message": text})
                path = f"/{shown['id']}/patch"
            due = due if time.monotonic() < due else time.monotonic() + 2
        await self._send("PUT", path, {"message": text})

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as response:
            return dict(await response.json())


async def channels(url: str, token: str) -> None:
    """Print how many seconds the list of the bot's channels takes, and the MiB that this process had."""
    began = time.perf_counter()
    await listed(url, token)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - began, most)


async def listed(url: str, token: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{url}/api/v4/users/me/channels") as response,
    ):
        return list(await response.json())


async def catch_up(url: str, token: str, agent_url: str, agent_token: str, *since: str) -> None:
    """Answer what was asked since a moment in the channels of agents; print the seconds."""
    began, limit = time.perf_counter(), asyncio.Semaphore(32)
    moment, name = (*since, "equabot")[:2]
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {agent_token}"}) as agent_session,
        asyncio.TaskGroup() as group,
    ):

        async def answer(post: dict[str, Any]) -> None:
            asked = {"model": "equabot", "messages": [{"role": "user", "content": post["message"]}]}
            key = {"x-equabot-session-key": post["id"]}
            async with agent_session.post(
                f"{agent_url}/v1/chat/completions", json=asked, headers=key
            ) as response:
                text = (await response.json())["choices"][0]["message"]["content"]
            body = {"channel_id": post["channel_id"], "root_id": post["id"], "message": text}
            async with session.post(f"{url}/api/v4/posts", json=body) as response:
                await response.read()

        async def read(channel_id: str) -> None:
            path = f"{url}/api/v4/channels/{channel_id}/posts"
            async with limit, session.get(path, params={"per_page": 60}) as response:
                posts = (await response.json())["posts"].values()
            for post in posts:
                if post["create_at"] > int(moment) and f"@{name}" in post["message"]:
                    group.create_task(answer(post))

        for channel in await listed(url, token):
            if channel["name"] == "agent" and channel["last_post_at"] > int(moment):
                group.create_task(read(channel["id"]))
    print(time.perf_counter() - began)


async def mentions(url: str, token: str, name: str = "equabot") -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    socket = f"ws{url.removeprefix('http')}/api/v4/websocket"
    async with connect(socket, additional_headers=headers, max_size=None, proxy=None) as connection:
        print("ready", flush=True)
        async for frame in connection:
            event = json.loads(frame)
            if event.get("event") == "posted" and f"@{name}" in event["data"]["post"]:
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
