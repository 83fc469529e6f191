"""Decide what a server's error means for the question. Pure: no I/O is imported here.

Three things can be said to the person: ask again later, ask something else, ask your administrator; and
whether the daemon itself tries again is part of the same decision.
"""

import re
from dataclasses import dataclass

from bridge.agent.error_reports import ErrorReport, error_in_body
from bridge.agent.error_words import Cause, cause
from bridge.errors import (
    AgentFailed,
    AgentMisconfigured,
    AgentUnavailable,
    QuestionRefused,
    ThreadTooLong,
)

Verdict = AgentUnavailable | AgentFailed

LONGEST_WAIT = 300.0
"""Seconds; we come back after these at the latest, so that a server which asks for more has said no."""

_SAID_LIMIT = 300
_NOT_STREAMED = "append-only response stream"
"""The gateway, when its model began anew after text was sent (measured with openclaw 2026.9)."""
_INTERNAL = "internal error"
_NOT_BEGUN = "Session changed before writer admission"
"""The gateway, when a session's two first messages meet (measured with openclaw 2026.9). Only the second of
these sentences says for certain that the message was not begun."""

_WORTH_A_RETRY = re.compile(
    r"rate_limit|overload|server_error|api_error|timeout|unavailable|internal|exhausted|busy|too_many|capacity"
)


class InternalError(AgentUnavailable):
    """The gateway's own trouble, which two first messages of one session at once also cause."""


class NotBegun(InternalError):
    """The gateway did not begin with the question, because another one came first."""


class NotStreamed(AgentUnavailable):
    """The gateway has an answer that it cannot stream."""


class Refusal(Exception):
    """The agent's server refused, or sent something that is no answer."""

    def __init__(self, error: Verdict, report: ErrorReport | str = "", *, status: int = 200) -> None:
        super().__init__(error.message)
        self.error = error
        """The error that the rest of the daemon sees."""
        self.status = status
        """The HTTP status."""
        self.report = ErrorReport(sentence=report) if isinstance(report, str) else report
        """The server's own words, for the log."""

    @property
    def said(self) -> str:
        """The server's own words on one short line."""
        said = self.report.sentence or " ".join(self.report.kinds)
        return " ".join(said[: 2 * _SAID_LIMIT].split())[:_SAID_LIMIT]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The differences between the kinds of servers that speak this protocol."""

    missing: str
    """What the operator can do about a 404."""
    remembers: bool = False
    """It keeps the conversation, with what its tools have done, so that a repeat does not begin anew."""
    retries_itself: bool = False
    """Its error objects come after it has tried its model for up to 84 s; our tries would multiply that."""
    non_answer: re.Pattern[str] | None = None
    """A whole text that reports a failure although it comes as an answer."""
    failed_piece: re.Pattern[str] | None = None
    """A piece of text that reports a failure when it carries the finish reason."""


def refused(status: int, body: bytes, dialect: Dialect, *, retry_after: float | None = None) -> Refusal:
    """Return the refusal that an HTTP status other than 200 stands for."""
    report = error_in_body(body)
    final = _final(cause(report, status), f" (HTTP {status})")
    verdict = final or _by_status(status, report, dialect, retry_after)
    return Refusal(verdict, report, status=status)


def reported(report: ErrorReport, dialect: Dialect) -> Refusal:
    """Return the refusal that an error with status 200 stands for, alone or after a piece of an answer."""
    found = cause(report, report.status)
    if found == "access":
        # The server has taken our token: it is its model's provider that refuses another one.
        return Refusal(
            AgentMisconfigured("The agent's model refused its key: see the agent's server."), report
        )
    by_report = _by_report_of_gateway if dialect.retries_itself else _by_report
    return Refusal(_final(found, "") or by_report(report, found), report)


def _final(found: Cause | None, shown: str) -> AgentFailed | None:
    """Return the error of a cause that no other try removes; `shown` is the status, for the message."""
    match found:
        case "quota":
            return AgentMisconfigured(f"The agent's plan has no quota left{shown}: see its model's provider.")
        case "too_long":
            return ThreadTooLong(f"The question and its thread are too long for the agent's model{shown}.")
        case "policy":
            return QuestionRefused(f"The model's content policy refused the question{shown}.")
        case "access":
            return AgentMisconfigured(
                f"The agent refused AGENT_TOKEN{shown}: set the token that its server expects."
            )
        case "model":
            return AgentMisconfigured(f"The agent's server does not know AGENT_MODEL or AGENT_ID{shown}.")
        case _:
            return None


def _by_status(status: int, report: ErrorReport, dialect: Dialect, wait: float | None) -> Verdict:
    match status:
        # The same status without an error object comes from a proxy in front: there the gateway is only away.
        case 408 | 502 if report.kinds and dialect.retries_itself:
            return AgentFailed(f"The agent has given up on its model (HTTP {status}).")
        case 500 if dialect.retries_itself and (error := _internal(report, wait)):
            return error
        case 408 | 425 | 429:
            return _later(f"The agent asked to try again later (HTTP {status}).", wait)
        case _ if status >= 500 and status not in (501, 505):
            return _later(f"The agent is not well (HTTP {status}).", wait)
        case _:
            return AgentMisconfigured(_misconfigured(status, dialect))


def _misconfigured(status: int, dialect: Dialect) -> str:
    if status == 404:
        return f"AGENT_URL answered HTTP 404: {dialect.missing}."
    if status == 407:
        return "The proxy of HTTP_PROXY wants another login (HTTP 407)."
    if 300 <= status < 400:
        return f"AGENT_URL redirects (HTTP {status}): set it to the new address."
    return f"The agent refused the request (HTTP {status}); the log has its reason."


def _by_report(report: ErrorReport, found: Cause | None) -> Verdict:
    sentence = f"The agent broke off its answer with an error ({report.name})."
    if report.status is None:
        worth = found == "rate" or _WORTH_A_RETRY.search(" ".join(report.kinds))
        return AgentUnavailable(sentence) if worth else AgentFailed(sentence)
    if report.status >= 500 or report.status in (408, 425, 429):
        return AgentUnavailable(sentence)
    return AgentMisconfigured(sentence)


def _by_report_of_gateway(report: ErrorReport, found: Cause | None) -> Verdict:
    if error := _internal(report):
        return error
    if found == "rate":
        return AgentUnavailable(f"The agent asked to try again later ({report.name}).")
    if _NOT_STREAMED in report.sentence:
        return NotStreamed("The agent could not stream the answer that it had.")
    sentence = f"The agent broke off its answer with an error ({report.name}); the log has its reason."
    if report.status is not None and report.status < 500 and report.status != 408:
        return AgentMisconfigured(sentence)
    return AgentFailed(sentence)


def _internal(report: ErrorReport, wait: float | None = None) -> InternalError | None:
    """Return the error of a gateway's own trouble; None if the report is of something else."""
    if report.sentence.startswith(_NOT_BEGUN):
        return NotBegun("The agent did not begin with the question.", retry_after=wait)
    if report.sentence == _INTERNAL:
        return InternalError("The agent broke off with an internal error.", retry_after=wait)
    return None


def _later(sentence: str, wait: float | None) -> Verdict:
    if wait is not None and wait > LONGEST_WAIT:
        return AgentFailed(f"{sentence[:-1]}, in {wait:.0f} s, which is too long for a person to wait.")
    return AgentUnavailable(sentence, retry_after=wait)
