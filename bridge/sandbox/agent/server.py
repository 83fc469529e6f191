"""`POST /v1/chat/completions` as an openclaw gateway of 2026-09 answers it on the wire.

* It sends the role at once, then pieces of text, an empty delta with the finish_reason, and `[DONE]`.
* It keeps the conversation of each session key, in lower case, and answers the messages of a key in turn.
* It stops when its client disconnects, or when somebody stops its session over the websocket; the question
  stays in the conversation. It notices the former only if the application runs with
  `handler_cancellation=True`.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hmac import compare_digest
from uuid import UUID

from aiohttp import web

from bridge.sandbox.agent import replies, requests
from bridge.sandbox.agent.control import Control, unless_stopped
from bridge.sandbox.agent.faults import DISABLED, UNAUTHORIZED, Cut, Fault, Silence, Status
from bridge.sandbox.agent.knowledge import Organization, answer
from bridge.sandbox.agent.requests import Call
from bridge.sandbox.agent.stream import PIECES, Stream, completion, new_run_id
from bridge.sandbox.agent.tools import Run, used

BODY_LIMIT = 20 << 20
CALLS_KEPT = 20_000
"""The number of newest calls that are kept."""

NOBODY = "I do not know which organization this is about, so there is nothing that I can say."


class SandboxAgent:
    """The agents of the organizations in a directory, behind one token."""

    def __init__(
        self, directory: Mapping[UUID, Organization], *, token: str, product: str = "equabot"
    ) -> None:
        self.directory = directory
        self.enabled = True
        self.may_answer = asyncio.Event()
        """Clear it to hold back all answers."""
        self.may_answer.set()
        self.may_end = asyncio.Event()
        """Clear it to hold back the last piece of all answers."""
        self.may_end.set()
        self.latency = 0.0
        """Seconds of silence before every answer."""
        self.piece_delay = 0.0
        """Seconds between two pieces of an answer."""
        self.most_pieces = PIECES
        self.fault_for: Callable[[Call], Fault | None] = lambda _: None
        """Returns the fault of a call when none is left from `fail`."""
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.in_progress = 0
        self.cancelled = 0
        """The number of answers that were given up because the client disconnected."""
        self.control = Control(token)
        """The websocket beside."""
        self._product = product
        self._token = token.encode()
        self._faults: deque[Fault] = deque()
        self._said: defaultdict[str, list[str]] = defaultdict(list)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed = asyncio.Event()

    def fail(self, fault: Fault, times: int = 1) -> None:
        """Queue a fault for the next calls, behind the faults that are queued already."""
        self._faults.extend([fault] * times)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition of the calls holds, such as `lambda: agent.in_progress == 2`."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer a call."""
        refusal = self._refusal(request)
        if refusal is not None:
            return replies.plain(refusal)
        body = requests.decode(await request.read())
        if body is None:
            return replies.plain(requests.bad_request("The body is not a JSON object."))
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(headers, body, self._product)
        refusal = requests.invalid(call, {"main", "default", *map(str, self.directory)})
        if refusal is not None:
            return replies.plain(refusal)
        with self._counted(call):
            return await self._reply(request, call)

    async def models(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return replies.plain(refusal)
        model = {"id": self._product, "object": "model", "created": 0, "owned_by": self._product}
        return web.json_response({"object": "list", "data": [model]})

    def _refusal(self, request: web.Request) -> Status | None:
        if not self.enabled:
            return DISABLED
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return None if compare_digest(token.encode(), self._token) else UNAUTHORIZED

    @contextmanager
    def _counted(self, call: Call) -> Iterator[None]:
        self.calls.append(call)
        self.in_progress += 1
        self._changed.set()
        try:
            yield
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_progress -= 1
            self._changed.set()

    async def _reply(self, request: web.Request, call: Call) -> web.StreamResponse:
        fault = self._faults.popleft() if self._faults else self.fault_for(call)
        match fault:
            case Status():
                return replies.plain(fault)
            case Cut(after=None):
                return _cut(request)
            case Silence(seconds=seconds, at_once=False):
                await asyncio.sleep(seconds)
        if call.body.get("stream") is not True:
            text, finish_reason = replies.said(await self._answer(call, new_run_id()), fault)
            return web.json_response(completion(call.model, text, finish_reason))
        stream = Stream(request, call.model)
        try:
            await stream.begin()
            if not await unless_stopped(self.control, _stored_key(call), self._write(stream, call, fault)):
                await stream.error("agent run aborted", "api_error")
                await stream.end()
        except ConnectionResetError:
            _cut(request)
        return stream.response

    async def _write(self, stream: Stream, call: Call, fault: replies.StreamFault | None) -> None:
        text = await self._answer(call, stream.run_id)
        self.control.broadcast("chat", {"runId": stream.run_id, "state": "final", "message": text})
        pace = replies.Pace(self.may_end, self.most_pieces, self.piece_delay)
        await replies.write(stream, text, fault, pace, with_usage=call.wants_usage)

    async def _answer(self, call: Call, run_id: str) -> str:
        """Return the answer to a call, after the earlier calls of its conversation."""
        key = call.session_key
        async with self._locks[key] if key else asyncio.Lock():
            remembered = self._said[key] if key else []
            earlier = [*remembered, *call.said[:-1]]
            remembered.append(call.text)
            await self.may_answer.wait()
            await asyncio.sleep(self.latency)
            organization = self.directory.get(call.organization_id) if call.organization_id else None
            if organization is None:
                return NOBODY
            done = await used(self.control, Run(run_id, _stored_key(call)), organization, call.text)
            return answer(organization, call.text, earlier) if done is None else done


def create_app(agent: SandboxAgent) -> web.Application:
    """Return the gateway as an application."""
    app = web.Application(client_max_size=BODY_LIMIT)
    app.router.add_post("/v1/chat/completions", agent.complete)
    app.router.add_get("/v1/models", agent.models)
    app.router.add_get("/", agent.control.serve)
    app.router.add_get("/healthz", _live)
    app.router.add_get("/readyz", _ready)
    return app


def _stored_key(call: Call) -> str:
    return f"agent:{call.agent_id}:{call.session_key}".lower()


async def _live(_: web.Request) -> web.Response:
    return web.json_response({"ok": True, "status": "live"})


async def _ready(_: web.Request) -> web.Response:
    return web.json_response({"ready": True, "failing": []})


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
