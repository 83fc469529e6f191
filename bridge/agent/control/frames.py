"""Recognize the frames of a gateway's websocket. Pure: no I/O is imported here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST_DECODED = 2 << 20
"""Bytes of a frame that is decoded, which takes some 20 ms; larger ones of interest are malformed."""

CHALLENGE = "connect.challenge"

EVENTS = frozenset(
    {
        CHALLENGE,
        "exec.approval.requested",
        "exec.approval.resolved",
        "plugin.approval.requested",
        "plugin.approval.resolved",
        "question.requested",
        "question.resolved",
    }
)

TOO_LARGE = "TOO_LARGE"
"""The code of an answer that is not decoded; no gateway gives it."""
_TOO_LARGE = {"code": TOO_LARGE, "message": "the answer is too large"}

_RESPONSE = re.compile(rb'\s*\{\s*"type"\s*:\s*"res"\s*,\s*"id"\s*:\s*"([0-9]{1,18})"').match
_EVENT = re.compile(rb'\s*\{\s*"type"\s*:\s*"event"\s*,\s*"event"\s*:\s*"([A-Za-z0-9._:-]{1,80})"').match


@dataclass(frozen=True, slots=True)
class Event:
    """An event of interest."""

    name: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a call."""

    id: str
    ok: bool
    payload: Any = None
    error: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that cannot be used; the reason quotes nothing of it."""

    reason: str


def read_frame(raw: bytes) -> Event | Response | Malformed | None:
    """Read a frame; None for one that does not matter. Never raises.

    The gateway writes an event's name in front of its payload, so that most frames need no decoding.
    """
    head = _EVENT(raw)
    if head and head[1].decode() not in EVENTS:
        return None
    if len(raw) > LARGEST_DECODED:
        return _too_large(raw)
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError):
        return Malformed("it is not JSON")
    return _read(frame) if isinstance(frame, dict) else Malformed("it is no object")


def _too_large(raw: bytes) -> Response | Malformed:
    """Return a refusal in place of an answer, so that whoever has called does not wait for it in vain."""
    head = _RESPONSE(raw)
    return Response(head[1].decode(), ok=False, error=_TOO_LARGE) if head else Malformed("it is too large")


def _read(frame: Mapping[str, Any]) -> Event | Response | Malformed | None:
    match frame:
        case {"type": "event", "event": str(name)}:
            payload = frame.get("payload")
            if name not in EVENTS:
                return None
            return Event(name, payload) if isinstance(payload, dict) else Malformed("it has no payload")
        case {"type": "res", "id": str(id_)}:
            error = frame.get("error")
            ok = frame.get("ok") is True
            return Response(id_, ok, frame.get("payload"), error if isinstance(error, dict) else {})
        case _:
            return Malformed("it is neither an event nor a response")
