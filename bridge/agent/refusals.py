"""What to make of an agent's no: worth another try, or not. Pure: no I/O is imported here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import AgentFailed, AgentUnavailable

Verdict = AgentUnavailable | AgentFailed

TOKEN_RETRY = 30.0
"""Seconds between two tries with a token that was refused: only the operator can help."""

_SAID_LIMIT = 300
_NOT_STREAMED = "append-only response stream"
"""The gateway, when its model began anew behind text already sent (measured with openclaw 2026.9)."""
_RACE = re.compile(r"internal error|Session changed before writer admission\b.*", re.DOTALL)
"""The gateway, when a session's two first messages meet (measured with openclaw 2026.9); the second was not
begun, so that asking again is right."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WORTH_A_RETRY = re.compile(r"rate_limit|overload|server_error|api_error|timeout|unavailable|internal")


class InternalError(AgentUnavailable):
    """The gateway's own trouble, which two first messages of one session at once also cause."""


class Refusal(Exception):
    """The agent's server said no, or nothing that is an answer."""

    def __init__(self, error: Verdict, said: str = "") -> None:
        super().__init__(error.message)
        self.error = error
        """What the rest of the daemon sees."""
        self.said = said
        """The server's own sentence, for the log."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """In what the kinds of servers differ that speak this protocol."""

    missing: str
    """What the operator can do about a 404."""
    retries_itself: bool = False
    """Its error objects come after it has tried its model for up to 84 s; our tries would multiply that."""
    non_answer: re.Pattern[str] | None = None
    """A whole text that stands for a failure although it comes as an answer."""


def refused(status: int, body: bytes, dialect: Dialect, *, retry_after: float | None = None) -> Refusal:
    """Tell what an HTTP status other than 200 means."""
    error = error_object(body)
    said = _sentence(error)
    if said is None:
        said = body[:_SAID_LIMIT].decode("utf-8", "replace")
    return Refusal(_by_status(status, error, dialect, retry_after), _short(said))


def reported(error: Any, dialect: Dialect) -> Refusal:
    """Tell what an error object means that came with status 200, alone or behind a piece of an answer."""
    said = _sentence(error) or ""
    return Refusal(_by_object(error, said, dialect), _short(said))


def error_object(body: bytes) -> Any:
    """Return the `error` of a JSON body; None when there is none."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return payload.get("error") if isinstance(payload, dict) else None


def _by_status(status: int, error: Any, dialect: Dialect, wait: float | None) -> Verdict:
    verdict: Verdict
    match status:
        case 401 | 403:
            verdict = AgentUnavailable(
                f"The agent refused AGENT_TOKEN (HTTP {status}): set the token that its server expects.",
                retry_after=wait or TOKEN_RETRY,
            )
        case 404:
            verdict = AgentFailed(f"AGENT_URL answered HTTP 404: {dialect.missing}.")
        # The same status without an error object comes from a proxy in front: there the gateway is only away.
        case 408 | 502 if error is not None and dialect.retries_itself:
            verdict = AgentFailed(f"The agent has given up on its model (HTTP {status}).")
        case 500 if dialect.retries_itself and _RACE.fullmatch(_sentence(error) or ""):
            verdict = InternalError("The agent reported an internal error (HTTP 500).", retry_after=wait)
        case 408 | 425 | 429:
            verdict = AgentUnavailable(
                f"The agent asked to try again later (HTTP {status}).", retry_after=wait
            )
        case _ if status >= 500:
            verdict = AgentUnavailable(f"The agent is not well (HTTP {status}).", retry_after=wait)
        case _ if 300 <= status < 400:
            verdict = AgentFailed(f"AGENT_URL redirects (HTTP {status}): set it to where it leads.")
        case _:
            verdict = AgentFailed(f"The agent refused the request (HTTP {status}); the log has its reason.")
    return verdict


def _by_object(error: Any, said: str, dialect: Dialect) -> Verdict:
    kind = _kind(error)
    if not dialect.retries_itself:
        unavailable = _WORTH_A_RETRY.search(kind) is not None
        return (AgentUnavailable if unavailable else AgentFailed)(
            f"The agent broke off its answer with an error ({kind})."
        )
    if _RACE.fullmatch(said):
        return InternalError("The agent broke off its answer with an internal error.")
    if kind == "rate_limited":
        return AgentUnavailable("The agent asked to try again later (rate_limited).")
    if _NOT_STREAMED in said:
        return AgentUnavailable("The agent could not stream the answer that it had.")
    return AgentFailed(f"The agent broke off its answer with an error ({kind}); the log has its reason.")


def _kind(error: Any) -> str:
    """Return the error's type or code when it is a plain name, so that it can stand in a sentence."""
    if isinstance(error, Mapping):
        for name in (error.get("type"), error.get("code")):
            if isinstance(name, str) and _NAME.fullmatch(name):
                return name
    return "no type"


def _sentence(error: Any) -> str | None:
    if isinstance(error, Mapping):
        error = error.get("message")
    return error if isinstance(error, str) else None


def _short(said: str) -> str:
    return " ".join(said[: 2 * _SAID_LIMIT].split())[:_SAID_LIMIT]
