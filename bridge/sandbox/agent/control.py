"""The gateway's websocket: approvals, questions and stop, as an openclaw gateway of 2026-09 has them.

* It challenges, wants exactly protocol 4, a client id that it knows and the token. A connection that is not
  on its host gets no rights unless its device is paired.
* Every connection with the rights hears the chats of all sessions; approvals only one with `operator.admin`
  and a capability for them. If nobody can hear it, an approval is refused at once.
* The first decision counts. What waits ends with its run.
"""

import asyncio
import base64
import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any

from aiohttp import WSMsgType, web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROTOCOL = 4
_CAPS = frozenset({"approvals", "exec-approvals", "plugin-approvals"})
_METHODS = (
    "exec.approval.list",
    "plugin.approval.list",
    "approval.resolve",
    "question.list",
    "question.resolve",
    "sessions.abort",
)


class Refusal(Exception):
    """An error of a response."""

    def __init__(self, error: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.error = {"code": error, "message": message, "details": details}


@dataclass(slots=True)
class Waits:
    """An approval or a question, until it has ended."""

    record: dict[str, Any]
    end: asyncio.Future[dict[str, Any]]
    """How it has ended: `decision` of an approval, `status` and perhaps `answers` of a question."""


@dataclass(slots=True, eq=False)
class _Client:
    socket: web.WebSocketResponse
    scopes: list[str] = field(default_factory=list)
    caps: list[str] = field(default_factory=list)

    @property
    def sees_approvals(self) -> bool:
        return "operator.admin" in self.scopes and not _CAPS.isdisjoint(self.caps)


@dataclass(slots=True, eq=False)
class Control:
    """The websocket side of the gateway."""

    token: str = field(repr=False)
    client_ids: frozenset[str] = frozenset({"gateway-client", "cli"})
    on_host: bool = True
    """Whether connections seem to come from the gateway's own host, where the token is enough."""
    paired: set[str] = field(default_factory=set)
    """The ids of paired devices."""
    wanted: dict[str, str] = field(default_factory=dict)
    """Devices that want to be paired, by the id of the request."""
    starting: bool = False
    deaf: bool = False
    """Whether calls stay without a response."""
    ahead: int = 0
    """Seconds by which its clock is ahead."""
    approval_seconds: float = 120.0
    question_seconds: float = 900.0
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """The methods that were called, with their parameters."""
    approvals: dict[str, Waits] = field(default_factory=dict)
    questions: dict[str, Waits] = field(default_factory=dict)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Approvals and questions that have ended."""
    runs: dict[str, set[asyncio.Timeout]] = field(default_factory=dict)
    """What stops the runs of each stored session key."""
    _clients: set["_Client"] = field(default_factory=set)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def connected(self) -> int:
        """How many connections have rights."""
        return sum(bool(client.scopes) for client in self._clients)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, such as `lambda: control.questions`."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def approval(self, key: str, run_id: str, request: Mapping[str, Any]) -> str:
        """Ask for an approval of a plugin's tool; return `allow-once`, `deny` or `no-route`."""
        if not any(client.sees_approvals for client in self._clients):
            return "no-route"
        id_ = f"plugin:{uuid.uuid4()}"
        record = {"approvalKind": "plugin", **self._record(id_, self.approval_seconds)}
        record["request"] = {**request, "agentId": "main", "sessionKey": key, "runId": run_id}
        waits = self.approvals[id_] = Waits(record, asyncio.get_running_loop().create_future())
        self.broadcast("plugin.approval.requested", record)
        try:
            async with asyncio.timeout(self.approval_seconds):
                return str((await asyncio.shield(waits.end))["decision"])
        except TimeoutError:
            self._resolve(id_, "deny", "expired")
            return "deny"
        except asyncio.CancelledError:
            self._resolve(id_, "deny", "cancelled", "approval-scope-closed")
            raise

    async def question(self, key: str, run_id: str, questions: list[dict[str, Any]]) -> Mapping[str, Any]:
        """Ask a person; return `{"status": …}`, with the answers if it was answered."""
        id_ = f"ask_{uuid.uuid4().hex}"
        record = self._record(id_, self.question_seconds)
        record |= {"questions": questions, "agentId": "main", "sessionKey": key, "runId": run_id}
        waits = self.questions[id_] = Waits(
            {**record, "status": "pending"}, asyncio.get_running_loop().create_future()
        )
        self.broadcast("question.requested", waits.record)
        try:
            async with asyncio.timeout(self.question_seconds):
                return await asyncio.shield(waits.end)
        except TimeoutError:
            return self._end_question(id_, {"status": "expired"})
        except asyncio.CancelledError:
            self._end_question(id_, {"status": "cancelled"})
            raise

    def broadcast(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event to every connection that may hear it."""
        frame = json.dumps({"type": "event", "event": event, "payload": payload}, separators=(",", ":"))
        for client in list(self._clients):
            hears = client.sees_approvals if ".approval." in event else bool(client.scopes)
            if hears and not client.socket.closed:
                sending = asyncio.create_task(_sent(client.socket, frame), name="broadcast")
                self._sending.add(sending)
                sending.add_done_callback(self._sending.discard)
        self._changed.set()

    async def say(self, frame: bytes) -> None:
        """Send bytes to every connection as they are."""
        for client in list(self._clients):
            await client.socket.send_frame(frame, WSMsgType.TEXT)

    def cut(self) -> None:
        """Cut every connection, as the end of the gateway does."""
        for client in list(self._clients):
            _cut(client.socket)

    def crash(self) -> None:
        """Cut every connection and forget what waits, as a killed gateway does."""
        self.cut()
        for waits in (*self.approvals.values(), *self.questions.values()):
            waits.end.cancel()
        self.approvals.clear()
        self.questions.clear()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=404, text="Not Found")
        socket = web.WebSocketResponse(max_msg_size=26 << 20)
        await socket.prepare(request)
        client = _Client(socket)
        nonce, ts = str(uuid.uuid4()), self._now()
        challenge = {"nonce": nonce, "ts": ts, "capabilities": []}
        await socket.send_str(
            json.dumps({"type": "event", "event": "connect.challenge", "payload": challenge})
        )
        self._clients.add(client)
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT and not await self._frame(client, message.data, challenge):
                    break
        finally:
            self._clients.discard(client)
            self._changed.set()
        return socket

    async def _frame(self, client: _Client, text: str, challenge: Mapping[str, Any]) -> bool:
        """Answer a frame; False ends the connection."""
        if self.deaf:
            return True
        frame = json.loads(text)
        method, params = frame["method"], frame.get("params", {})
        answer: dict[str, Any] = {"type": "res", "id": frame["id"]}
        try:
            if method == "connect":
                payload = self._hello(client, params, challenge)
            else:
                payload = self._call(client, method, params)
            await client.socket.send_str(json.dumps({**answer, "ok": True, "payload": payload}))
        except Refusal as refusal:
            await client.socket.send_str(json.dumps({**answer, "ok": False, "error": refusal.error}))
            if method == "connect":
                await client.socket.close(code=1008)
        self._changed.set()
        return not client.socket.closed

    def _hello(self, client: _Client, params: Mapping[str, Any], challenge: Mapping[str, Any]) -> Any:
        if self.starting:
            raise Refusal("UNAVAILABLE", "gateway starting", reason="startup-sidecars")
        if not params["minProtocol"] <= PROTOCOL <= params["maxProtocol"]:
            raise Refusal(
                "INVALID_REQUEST", "protocol mismatch", code="PROTOCOL_MISMATCH", expectedProtocol=PROTOCOL
            )
        if params["client"]["id"] not in self.client_ids:
            sentence = "invalid connect params: at /client/id: must be equal to one of the allowed values"
            raise Refusal("INVALID_REQUEST", sentence)
        if not compare_digest(str(params["auth"].get("token")).encode(), self.token.encode()):
            raise Refusal(
                "INVALID_REQUEST", "unauthorized: gateway token mismatch", code="AUTH_TOKEN_MISMATCH"
            )
        client.scopes, client.caps = self._scopes(params, challenge), params["caps"]
        return {
            "type": "hello-ok",
            "protocol": PROTOCOL,
            "server": {"version": "sandbox", "connId": str(uuid.uuid4())},
            "features": {"methods": list(_METHODS), "events": []},
            "snapshot": {},
            "auth": {"method": "token", "role": "operator", "scopes": client.scopes},
            "policy": {"maxPayload": 26 << 20, "tickIntervalMs": 30000},
        }

    def _scopes(self, params: Mapping[str, Any], challenge: Mapping[str, Any]) -> list[str]:
        """Return the rights of a connection; raise `Refusal` for a device that is not paired."""
        device, asked = params.get("device"), list(params["scopes"])
        if device is None:
            return asked if self.on_host else []
        _check_signature(params, device, challenge)
        if device["id"] in self.paired or self.on_host:
            return asked
        request_id = next((key for key, each in self.wanted.items() if each == device["id"]), "")
        request_id = request_id or str(uuid.uuid4())
        self.wanted[request_id] = device["id"]
        raise Refusal("NOT_PAIRED", "pairing required", code="PAIRING_REQUIRED", requestId=request_id)

    def _call(self, client: _Client, method: str, params: Mapping[str, Any]) -> Any:
        if not client.scopes:
            raise Refusal("FORBIDDEN", "missing scope", code="MISSING_SCOPE")
        self.calls.append((method, params))
        match method:
            case "exec.approval.list":
                return []
            case "plugin.approval.list":
                return [waits.record for waits in self.approvals.values()] if client.sees_approvals else []
            case "question.list":
                return {"questions": [waits.record for waits in self.questions.values()]}
            case "approval.resolve":
                return self._decide(params)
            case "question.resolve":
                return self._answer(params)
            case "sessions.abort":
                return self._abort(params["key"])
            case _:
                raise Refusal("INVALID_REQUEST", f"unknown method: {method}")

    def _decide(self, params: Mapping[str, Any]) -> Any:
        id_ = params["id"]
        if ended := self.ended.get(id_):
            return {"applied": False, "approval": ended}
        waits = self.approvals.get(id_)
        if waits is None:
            raise Refusal("INVALID_REQUEST", "approval not found", reason="APPROVAL_NOT_FOUND")
        allowed = waits.record["request"]["allowedDecisions"]
        decision = params["decision"]
        if params.get("kind") != "plugin" or decision not in allowed:
            decision = "deny"
        self._resolve(id_, decision, "denied" if decision == "deny" else "allowed", "gateway-client")
        return {"applied": True, "approval": self.ended[id_]}

    def _resolve(self, id_: str, decision: str, status: str, by: str | None = None) -> None:
        waits = self.approvals.pop(id_, None)
        if waits is None:
            return
        self.ended[id_] = {"id": id_, "status": status, "decision": decision, "resolvedAtMs": self._now()}
        if not waits.end.done():
            waits.end.set_result({"decision": decision})
        event = {"id": id_, "decision": decision, "resolvedBy": by, "ts": self._now()}
        self.broadcast("plugin.approval.resolved", {**event, "request": waits.record["request"]})

    def _answer(self, params: Mapping[str, Any]) -> Any:
        id_ = params["id"]
        if id_ in self.ended:
            raise Refusal("INVALID_REQUEST", "already terminal", reason="QUESTION_ALREADY_TERMINAL")
        waits = self.questions.get(id_)
        if waits is None:
            raise Refusal("INVALID_REQUEST", f"question '{id_}' was not found", reason="QUESTION_NOT_FOUND")
        if params.get("cancel") is True:
            return self._end_question(id_, {"status": "cancelled"})
        answers = params["answers"]["answers"]
        for question in waits.record["questions"]:
            _check_answer(question, answers.get(question["questionId"]))
        return self._end_question(id_, {"status": "answered", "answers": params["answers"]})

    def _end_question(self, id_: str, end: dict[str, Any]) -> dict[str, Any]:
        waits = self.questions.pop(id_, None)
        if waits is not None:
            self.ended[id_] = end
            if not waits.end.done():
                waits.end.set_result(end)
            self.broadcast("question.resolved", {"id": id_, **end})
        return end

    def _abort(self, key: str) -> Any:
        stops = self.runs.get(key, set())
        for stop in stops:
            stop.reschedule(asyncio.get_running_loop().time())
        return {"ok": True, "abortedRunId": None, "status": "aborted" if stops else "no-active-run"}

    def _now(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead * 1000

    def _record(self, id_: str, seconds: float) -> dict[str, Any]:
        return {"id": id_, "createdAtMs": self._now(), "expiresAtMs": self._now() + int(seconds * 1000)}


async def unless_stopped(control: Control, key: str, run: Awaitable[None]) -> bool:
    """Do the run of a stored session key; False if somebody stops it."""
    async with _stoppable() as stop:
        control.runs.setdefault(key, set()).add(stop)
        try:
            await run
        finally:
            control.runs[key].discard(stop)
    return not stop.expired()


@asynccontextmanager
async def _stoppable() -> AsyncIterator[asyncio.Timeout]:
    """Give a timeout that never comes, unless somebody makes it come now."""
    stop = asyncio.timeout(None)
    try:
        async with stop:
            yield stop
    except TimeoutError:
        if not stop.expired():
            raise


def _check_answer(question: Mapping[str, Any], values: Any) -> None:
    """Raise `Refusal` for values that the gateway does not take."""
    labels = [option["label"] for option in question["options"]]
    is_known = question.get("isOther") or not labels or all(value in labels for value in values or ())
    is_one = question.get("multiSelect") or len(values or ()) == 1
    if not values or not all(str(value).strip() for value in values) or not is_known or not is_one:
        raise Refusal("INVALID_REQUEST", "invalid answer", reason="QUESTION_INVALID_ANSWER")


def _check_signature(
    params: Mapping[str, Any], device: Mapping[str, Any], challenge: Mapping[str, Any]
) -> None:
    client = params["client"]
    signed = (
        f"v3|{device['id']}|{client['id']}|{client['mode']}|{params['role']}|{','.join(params['scopes'])}"
        f"|{challenge['ts']}|{params['auth'].get('token', '')}|{challenge['nonce']}|{client['platform']}|"
    )
    key = _decoded(device["publicKey"])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(_decoded(device["signature"]), signed.encode())
    except InvalidSignature:
        raise Refusal("INVALID_REQUEST", "bad signature", code="DEVICE_AUTH_SIGNATURE_INVALID") from None
    if hashlib.sha256(key).hexdigest() != device["id"]:
        raise Refusal("INVALID_REQUEST", "bad device id", code="DEVICE_AUTH_DEVICE_ID_MISMATCH")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def _sent(socket: web.WebSocketResponse, frame: str) -> None:
    with suppress(ConnectionError):
        await socket.send_str(frame)


def _cut(socket: web.WebSocketResponse) -> None:
    transport = socket._req.transport if socket._req else None  # noqa: SLF001 - aiohttp names no other way
    if transport:
        transport.abort()
