"""Read approvals and questions out of a gateway's records. Pure: no I/O is imported here."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.models.approvals import (
    AgentQuestion,
    AgentQuestionId,
    Approval,
    ApprovalId,
    ApprovalKind,
    Choice,
    Decision,
    Inquiry,
    Severity,
)
from bridge.models.conversations import Conversation
from bridge.text.revealed import revealed, revealed_command
from bridge.text.storable import as_it_came, storable

_ID = re.compile(r"[A-Za-z0-9:._-]{1,200}")
_LATEST = 4_102_444_800_000
"""Milliseconds: the year 2100."""
_LINE = 200
_TEXT = 4_000
"""Characters that are kept of a line and of a text; a gateway allows 80 and 512 to plugins."""
_MOST_INQUIRIES = 10
_MOST_CHOICES = 20

_OFFERED: tuple[Decision, ...] = ("allow-once", "deny")


class MalformedRecord(ValueError):
    """A record is not of the expected form; the message names the field."""


def approval(kind: ApprovalKind, record: Mapping[str, Any], conversation: Conversation) -> Approval:
    """Read a pending approval; raise `MalformedRecord`."""
    request = _mapping(record, "request")
    title, description, tool = (
        ("Run a command", request.get("command"), "exec")
        if kind == "exec"
        else (request.get("title"), request.get("description"), request.get("toolName"))
    )
    created, expires = _times(record)
    shown = revealed(_text(description)) if kind == "plugin" else _command(description)
    return Approval(
        ApprovalId(record_id(record)),
        kind,
        conversation,
        _line(request.get("runId")),
        revealed(_line(title)) or "Use a tool",
        shown,
        revealed(_line(tool)),
        _severity(request.get("severity")),
        _decisions(request.get("allowedDecisions")),
        created,
        expires,
        _beyond(description),
    )


def question(record: Mapping[str, Any], conversation: Conversation) -> AgentQuestion:
    """Read a pending question; raise `MalformedRecord`."""
    inquiries = _sequence(record, "questions")
    if not 0 < len(inquiries) <= _MOST_INQUIRIES:
        raise MalformedRecord("questions")
    created, expires = _times(record)
    return AgentQuestion(
        AgentQuestionId(record_id(record)),
        conversation,
        _line(record.get("runId")),
        tuple(map(_inquiry, inquiries)),
        created,
        expires,
    )


def record_id(record: Mapping[str, Any]) -> str:
    """Return a record's id; raise `MalformedRecord`."""
    found = record.get("id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise MalformedRecord("id")
    return found


def session_key(record: Mapping[str, Any]) -> object:
    """Return the key of a record's conversation: of an approval it stands in its request."""
    request = record.get("request")
    return request.get("sessionKey") if isinstance(request, dict) else record.get("sessionKey")


def _inquiry(record: object) -> Inquiry:
    if not isinstance(record, dict):
        raise MalformedRecord("questions")
    id_, text = record.get("questionId"), _text(record.get("question"))
    # Like a choice's label, it goes back as it came.
    if not isinstance(id_, str) or not 0 < len(id_) <= _LINE or id_ != storable(id_):
        raise MalformedRecord("questionId")
    choices = tuple(_choice(option) for option in _sequence(record, "options", default=()))
    if len(choices) > _MOST_CHOICES:
        raise MalformedRecord("options")
    return Inquiry(
        id_,
        _line(record.get("header")),
        text,
        choices,
        several=record.get("multiSelect") is True,
        is_open=not choices or record.get("isOther") is True,
        is_secret=record.get("isSecret") is True,
        beyond=_beyond(record.get("question")),
    )


def _choice(record: object) -> Choice:
    label = record.get("label") if isinstance(record, dict) else None
    # It goes back as it came, so it cannot be cut.
    if not isinstance(label, str) or not 0 < len(label) <= _TEXT or label != storable(label):
        raise MalformedRecord("label")
    assert isinstance(record, dict)
    return Choice(label, _line(record.get("description")))


def _decisions(allowed: object) -> tuple[Decision, ...]:
    """Return what people can be offered; a denial is always accepted."""
    if not isinstance(allowed, list):
        return _OFFERED
    return tuple(each for each in _OFFERED if each == "deny" or each in allowed)


def _severity(value: object) -> Severity:
    match value:
        case "info" | "critical":
            return value
        case _:
            return "warning"


def _times(record: Mapping[str, Any]) -> tuple[int, int]:
    created, expires = (_time(record, name) for name in ("createdAtMs", "expiresAtMs"))
    if expires < created:
        raise MalformedRecord("expiresAtMs")
    return created, expires


def _time(record: Mapping[str, Any], name: str) -> int:
    found = record.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < _LATEST:
        raise MalformedRecord(name)
    return int(found)


def _mapping(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    if not isinstance(found, dict):
        raise MalformedRecord(name)
    return found


def _sequence(record: Mapping[str, Any], name: str, default: tuple[()] | None = None) -> Sequence[Any]:
    found = record.get(name)
    if found is None and default is not None:
        return default
    if not isinstance(found, list):
        raise MalformedRecord(name)
    return found


def _line(value: object) -> str:
    """Return a text on one line, cut where it is too long, which shows; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    line = " ".join(storable(value[:_TEXT]).split())
    return f"{line[: _LINE - 1]}…" if len(line) > _LINE or len(value) > _TEXT else line


def _text(value: object) -> str:
    return storable(value[:_TEXT]).strip() if isinstance(value, str) else ""


def _command(value: object) -> str:
    """Return a command with a sign for each character that nobody sees, or that cannot be stored."""
    return revealed_command(as_it_came(value[:_TEXT]).strip()) if isinstance(value, str) else ""


def _beyond(value: object) -> int:
    """Return how many characters of a text are not kept."""
    return max(0, len(value) - _TEXT) if isinstance(value, str) else 0
