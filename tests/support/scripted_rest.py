"""A REST server that answers what a test tells it to, over real sockets."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Action = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class ScriptedRest:
    """Answers requests in turn with what was put into `script`; the last answer is repeated."""

    url: str = ""
    script: deque[Action] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def answers(self, *actions: Action) -> None:
        self.script.extend(actions)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.asked.append(
            Asked(
                request.method,
                request.raw_path.split("?")[0],
                dict(request.query),
                dict(request.headers),
                json.loads(text) if text else None,
            )
        )
        action = self.script.popleft() if len(self.script) > 1 else self.script[0]
        return await action(request)


def gives(
    body: Any, status: int = 200, *headers: tuple[str, str], media_type: str = "application/json"
) -> Action:
    """Answer with the body: text as it is, anything else as JSON."""

    async def act(_request: web.Request) -> web.StreamResponse:
        response = web.Response(
            status=status, text=body if isinstance(body, str) else json.dumps(body), content_type=media_type
        )
        for name, value in headers:
            response.headers.add(name, value)
        return response

    return act


def refuses(error_id: str, status: int = 400, *headers: tuple[str, str]) -> Action:
    """Answer with an error as Mattermost writes it."""
    return gives(
        {"id": error_id, "message": "No.", "request_id": "req1", "status_code": status}, status, *headers
    )


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def stalls(_request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError("an event that nobody sets")


@asynccontextmanager
async def scripted_rest() -> AsyncIterator[ScriptedRest]:
    """Serve a script on a free port."""
    rest = ScriptedRest()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", rest.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        rest.url = f"http://{host}:{port}"
        yield rest
    finally:
        await runner.cleanup()
