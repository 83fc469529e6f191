"""Faults of the sandbox's agent. Pure: no I/O is imported here.

Each fault was seen on the wire of a real gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Silence:
    """Some seconds of silence, then the answer; with `at_once` the role is sent before the silence."""

    seconds: float
    at_once: bool = True


@dataclass(frozen=True, slots=True)
class ErrorObject:
    """An error object in a stream that began with status 200, behind a piece of the answer or alone."""

    message: str = "upstream provider error"
    type: str = "api_error"
    after: str = ""


@dataclass(frozen=True, slots=True)
class ErrorChunk:
    """A failure as gateways before 2026 report it: a piece of text with a finish_reason."""

    message: str = "Error: the run failed"
    after: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """A stream without text."""

    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An answer and `[DONE]` without a finish_reason."""


@dataclass(frozen=True, slots=True)
class Says:
    """The given text as the answer."""

    text: str
    finish_reason: str = "stop"
    pause: float = 0.0
    """Seconds more between two pieces."""


@dataclass(frozen=True, slots=True)
class Binary:
    """Bytes in the stream that are neither JSON nor UTF-8."""

    data: bytes = b"data: \x00\xff\xfe\x80\n\n"


@dataclass(frozen=True, slots=True)
class Cut:
    """A reset connection after a piece of the answer, or before the first byte if it is None."""

    after: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP status other than 200."""

    status: int
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Fault = Silence | ErrorObject | ErrorChunk | Empty | Unfinished | Says | Binary | Cut | Status

DISABLED = Status(404, "Not Found", "text/plain")
"""The endpoint is switched off, which is its default."""

STARTING = Status(503, "Plugin runtime is starting", "text/plain", {"Retry-After": "1"})

UNAUTHORIZED = Status(401, '{"error":{"message":"Unauthorized","type":"unauthorized"}}')

INTERNAL_ERROR = Status(500, '{"error":{"message":"internal error","type":"api_error"}}')

PROVIDER_FAILED = Status(502, '{"error":{"message":"upstream provider error","type":"api_error"}}')


def too_many(retry_after: str) -> Status:
    """Return a 429 whose `Retry-After` is a number of seconds or an HTTP date."""
    body = '{"error":{"message":"Too many requests","type":"rate_limited"}}'
    return Status(429, body, headers={"Retry-After": retry_after})


def huge(characters: int) -> Says:
    """Return an answer of that many characters."""
    return Says("All work and no play. " * (characters // 22) + "." * (characters % 22))
