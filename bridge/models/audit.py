"""What the audit of an organization holds. Pure: no I/O is imported here."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NewType, get_args

from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId, PersonId

AuditId = NewType("AuditId", int)

AuditKind = Literal[
    "approval_decided",
    "approval_refused",
    "approval_ended",
    "agent_question_ended",
    "answer_stopped",
    "question_refused",
    "budget_warned",
    "budget_hit",
    "settings_changed",
]
"""What happened; the names are stored and must not change.

`approval_decided` has the outcome `approved` or `denied`; `approval_refused` is the attempt of somebody who
may not decide; `approval_ended` is one that nobody decided here (`expired`, `withdrawn`, `elsewhere`).
`agent_question_ended` is a question that the agent had asked; `question_refused` has the reason as its
outcome.
"""

AUDIT_KINDS: Sequence[AuditKind] = get_args(AuditKind)

AuditRole = Literal["admin", "member", "asker", "none"]
"""`asker` did it as the one who had asked, whatever else they are; `none` belongs to another organization."""

Via = Literal["button", "reaction", "page", "thread", "api", "cli", "bridge"]
"""By which way it was done; what nobody did comes from the `bridge`."""

Detail = str | int | bool | Sequence[str] | None

NO_DETAILS: Mapping[str, Detail] = MappingProxyType({})

_LONGEST = 64
_NOT_IN_CODE = re.compile(r"[^A-Za-z0-9_.:,/@+-]")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as far as it is known."""

    person_id: PersonId | None = None
    user_id: UserId | None = None
    role: AuditRole | None = None
    """None: nobody looked it up."""


NOBODY = Actor()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that happened in an organization; no text that people or agents wrote."""

    organization_id: OrganizationId
    kind: AuditKind
    outcome: str
    """A code, such as `approved`."""
    via: Via
    actor: Actor = NOBODY
    subject: str = ""
    """What it was done to: `post:<id>`, `approval:<id>`."""
    details: Mapping[str, Detail] = field(default_factory=lambda: NO_DETAILS)
    """Codes and numbers, such as the name of a tool; texts are cut and lose their spaces."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry as it is stored."""

    id: AuditId
    at: datetime
    entry: AuditEntry
    username: str | None = None
    """Of the Mattermost account that the person has now."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows are wanted; None is all of them."""

    since: datetime | None = None
    until: datetime | None = None
    """Rows of this moment are not wanted."""
    kinds: Collection[AuditKind] | None = None


EVERYTHING = AuditFilter()


@dataclass(frozen=True, slots=True)
class AuditCursor:
    """The last row that was read; the rows after it are older."""

    at: datetime
    id: AuditId


COLUMNS = (
    "at",
    "kind",
    "outcome",
    "username",
    "personId",
    "userId",
    "role",
    "via",
    "subject",
    "details",
)


def shown(row: AuditRow) -> dict[str, Any]:
    """Return a row as JSON values, by its names in the API."""
    entry, actor = row.entry, row.entry.actor
    return {
        "id": row.id,
        "at": row.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "kind": entry.kind,
        "outcome": entry.outcome,
        "username": row.username,
        "personId": str(actor.person_id) if actor.person_id else None,
        "userId": actor.user_id,
        "role": actor.role,
        "via": entry.via,
        "subject": entry.subject,
        # PostgreSQL orders keys by their length; by name what was stands before what is.
        "details": dict(sorted(entry.details.items())),
    }


def cells(row: AuditRow) -> Iterator[str]:
    """Yield the cells of a row for a table with these `COLUMNS`."""
    values = shown(row)
    for column in COLUMNS:
        value = values[column]
        yield json.dumps(value) if column == "details" else value or ""


def code(text: str) -> str:
    """Return a text as a code: 64 characters at most, none of them that a name of a tool or an id has not."""
    return _NOT_IN_CODE.sub("_", text)[:_LONGEST]


def coded(details: Mapping[str, Detail]) -> dict[str, Detail]:
    """Return the details with every text as a code."""
    return {name: _coded(value) for name, value in details.items()}


def _coded(value: Detail) -> Detail:
    if isinstance(value, str):
        return code(value)
    return [code(each) for each in value] if isinstance(value, Sequence) else value
