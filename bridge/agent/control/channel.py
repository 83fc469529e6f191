"""The side channel to a gateway, which survives every loss of its connection."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any

import structlog
from yarl import URL

from bridge.agent.control.connection import Connection, NotOpened, dial, lost
from bridge.agent.control.device import DeviceKey
from bridge.agent.control.frames import TOO_LARGE, Event, Response
from bridge.agent.control.handshake import Accepted, Identity, Refused, connect_params, verdict
from bridge.agent.control.own_keys import OwnKeys
from bridge.agent.control.pending import PendingReader, approval_outcome, question_outcome
from bridge.agent.control.timing import Timing
from bridge.agent.endpoint import Endpoint
from bridge.agent.waiting import Waiting
from bridge.errors import AgentFailed, AgentUnavailable, BridgeError, QuestionRefused
from bridge.models.approvals import (
    AgentQuestionId,
    Answers,
    ApprovalId,
    ApprovalKind,
    ControlEvent,
    ControlState,
    Decision,
    Resolution,
)
from bridge.models.conversations import Conversation
from bridge.models.proxies import NO_PROXIES, Proxies

log = structlog.get_logger(__name__)

DeviceSource = Callable[[], Awaitable[DeviceKey | None]]
"""Gives the device key of the installation; None where it cannot be sealed."""

_LISTS = {"exec": "exec.approval.list", "plugin": "plugin.approval.list", "question": "question.list"}
_CAPACITY = 10_000
"""Events that nobody has taken yet."""


@dataclass(slots=True, eq=False)
class GatewayControl:
    """`bridge.ports.AgentControl` of an equabot-gateway, or of the openclaw gateway that it is a fork of."""

    url: str
    """AGENT_URL."""
    identity: Identity
    """Without a device; one is added where it is needed."""
    keys: OwnKeys
    waiting: Waiting = field(default_factory=Waiting)
    devices: DeviceSource | None = None
    changed: Callable[[ControlState], None] = lambda _state: None
    """Called with every new state."""
    timing: Timing = field(default_factory=Timing)
    proxies: Proxies = NO_PROXIES
    refused: Refused | None = field(default=None, init=False)
    """Why the last try has failed, with the device if the gateway wants one; None while it is on."""
    _state: ControlState = field(default=ControlState(is_on=False, reason="it is connecting"), init=False)
    _reader: PendingReader = field(init=False)
    _connection: Connection | None = field(default=None, init=False)
    _queue: asyncio.Queue[ControlEvent] = field(default_factory=lambda: asyncio.Queue(_CAPACITY), init=False)
    _delays: Iterator[float] = field(init=False)
    _established: float = field(default=math.inf, init=False)
    _uses_device: bool = field(init=False)

    def __post_init__(self) -> None:
        self._reader = PendingReader(self.keys, self.waiting)
        self._delays = self.timing.delays()
        self._uses_device = not is_loopback(self.url)

    @property
    def state(self) -> ControlState:
        return self._state

    async def events(self) -> AsyncGenerator[ControlEvent, None]:
        """Give events without end; connects while they are asked for."""
        runner = asyncio.create_task(self._run(), name="gateway control")
        try:
            while True:
                taking = asyncio.create_task(self._queue.get())
                try:
                    await asyncio.wait({taking, runner}, return_when=asyncio.FIRST_COMPLETED)
                    if runner.done():
                        runner.result()
                finally:
                    taking.cancel()
                yield await taking
        finally:
            runner.cancel()
            await asyncio.wait({runner})

    async def resolve_approval(self, id_: ApprovalId, kind: ApprovalKind, decision: Decision) -> Resolution:
        response = await self._call("approval.resolve", {"id": id_, "kind": kind, "decision": decision})
        if response.ok:
            payload = response.payload if isinstance(response.payload, dict) else {}
            self.waiting.end(id_)
            return Resolution(payload.get("applied") is True, approval_outcome(payload))
        if _reason(response) == "APPROVAL_NOT_FOUND":
            self.waiting.end(id_)
            return Resolution(applied=False, outcome="withdrawn")
        raise _failed(response)

    async def resolve_question(self, id_: AgentQuestionId, answers: Answers) -> Resolution:
        given = {key: list(values) for key, values in answers.items()}
        return await self._end_question({"id": id_, "answers": {"answers": given}})

    async def cancel_question(self, id_: AgentQuestionId) -> Resolution:
        return await self._end_question({"id": id_, "cancel": True})

    def is_waiting(self, conversation: Conversation) -> bool:
        return self.waiting.is_waiting(conversation.key)

    async def abort(self, conversation: Conversation) -> None:
        response = await self._call("sessions.abort", {"key": self.keys.stored(conversation)})
        if not response.ok and _code(response) not in ("NOT_FOUND", "INVALID_REQUEST"):
            raise _failed(response)

    async def _end_question(self, params: Mapping[str, Any]) -> Resolution:
        response = await self._call("question.resolve", params)
        if response.ok:
            self.waiting.end(params["id"])
            return Resolution(applied=True, outcome=question_outcome(response.payload))
        match _reason(response):
            case "QUESTION_NOT_FOUND" | "QUESTION_ALREADY_TERMINAL":
                self.waiting.end(params["id"])
                return Resolution(applied=False, outcome="withdrawn")
            case "QUESTION_INVALID_ANSWER":
                raise QuestionRefused("The agent does not accept this answer to its question.")
        raise _failed(response)

    async def _call(self, method: str, params: Mapping[str, Any]) -> Response:
        if self._connection is None or not self._state.is_on:
            raise lost()
        return await self._connection.call(method, params)

    async def _run(self) -> None:
        while True:
            refused = await self._live()
            await asyncio.sleep(self._after(refused))

    async def _live(self) -> Refused:
        """Open a connection, keep it as long as it lasts, and return why there is none any more."""
        self._established = math.inf
        try:
            identity = await self._identity()
            async with dial(
                str(Endpoint.of(self.url).control), self.timing, self.proxies.of(self.url)
            ) as websocket:
                connection = self._connection = Connection(websocket, self.timing, self._take)
                reading = asyncio.create_task(connection.read(), name="read gateway control")
                keeping = asyncio.create_task(self._keep(connection, identity), name="keep gateway control")
                try:
                    await asyncio.wait({reading, keeping}, return_when=asyncio.FIRST_COMPLETED)
                    if keeping.done():
                        return keeping.result()
                    reading.result()
                finally:
                    await _cancelled(reading, keeping)
        except NotOpened as error:
            return error.refused
        except BridgeError as error:
            return Refused(error.message.rstrip(".").lower(), lasts=False)
        finally:
            self._connection = None
        return Refused("the gateway has closed the connection", lasts=False)

    async def _identity(self) -> Identity:
        if not self._uses_device:
            return self.identity
        device = await self.devices() if self.devices else None
        if device is None:
            raise NotOpened(
                Refused("the gateway is on another host and there are no TOKEN_KEYS for a device")
            )
        return replace(self.identity, device=device)

    async def _keep(self, connection: Connection, identity: Identity) -> Refused:
        """Begin, then look again and again at all that waits."""
        challenge = await connection.challenged()
        self._reader.set_clock(challenge.get("ts"))
        params = connect_params(identity, challenge)
        answer = verdict(await connection.call("connect", params), identity)
        if isinstance(answer, Refused):
            return answer
        while True:
            if refused := await self._look(connection, answer):
                return refused
            await asyncio.sleep(self.timing.look_every)

    async def _look(self, connection: Connection, accepted: Accepted) -> Refused | None:
        at, known = time.time(), self.waiting.ids
        lists = {}
        for name, method in _LISTS.items():
            response = await connection.call(method, {})
            if _code(response) == TOO_LARGE:
                log.warning("control_list_too_large", what=name)
                continue
            if not response.ok and "unknown method" not in str(response.error.get("message")):
                return Refused(f"the gateway refuses {method} ({_code(response)})")
            lists[name] = _records(response.payload)
        if not self._state.is_on:
            self._established = time.monotonic()
            self.refused = None
            log.info("control_connected", gateway=accepted.version)
            self._become(ControlState(is_on=True))
        # Of what an unreadable list holds nothing has ended: events go on telling it.
        if len(lists) == len(_LISTS):
            self._queue_up(self._reader.snapshot(lists, at, known))
        return None

    def _take(self, event: Event) -> None:
        if found := self._reader.event(event):
            self._queue_up(found)

    def _queue_up(self, event: ControlEvent) -> None:
        """Hand an event on; what nobody takes is found again by the next look."""
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(event)

    def _after(self, refused: Refused) -> float:
        """Set the state after a connection's end; return the seconds to wait before the next."""
        self._become(ControlState(is_on=False, reason=refused.reason))
        if time.monotonic() - self._established >= self.timing.healthy:
            self._delays = self.timing.delays()
        if refused.wants_device and not self._uses_device:
            self._uses_device = True
            return 0
        self.refused = refused
        pause = self.timing.setup_delay if refused.lasts else next(self._delays)
        return max(pause, min(refused.retry_after, self.timing.longest_wait))

    def _become(self, state: ControlState) -> None:
        if state != self._state:
            self._state = state
            log.info("control", on=state.is_on, reason=state.reason)
            self.changed(state)


def is_loopback(url: str) -> bool:
    """Return whether an address leads to this host, where a gateway wants no device."""
    host = URL(url).host or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _records(payload: object) -> list[object]:
    """Return the records of a list; questions stand in an object."""
    if isinstance(payload, dict):
        payload = payload.get("questions")
    return payload if isinstance(payload, list) else []


def _reason(response: Response) -> str:
    details = response.error.get("details")
    return str(details.get("reason")) if isinstance(details, dict) else ""


def _code(response: Response) -> str:
    return str(response.error.get("code"))[:40]


def _failed(response: Response) -> BridgeError:
    """Return what a refusal means that nothing else has explained."""
    if response.error.get("retryable") is True or _code(response) == "UNAVAILABLE":
        return AgentUnavailable("The gateway cannot do it at the moment.")
    return AgentFailed(f"The gateway refused a call of its side channel ({_code(response)}).")


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        _ = task.cancelled() or task.exception()
