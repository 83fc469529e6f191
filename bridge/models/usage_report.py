"""What an organization's agent has done in a time. Pure: no I/O is imported here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

By = Literal["day", "person", "outcome", "organization"]
"""By what questions are put together."""

LONGEST = 396
"""Days of a report; rows are kept for so long."""


USUAL = 30
"""Days, if no others are asked for."""

_DAY = re.compile("[2-9][0-9]{3}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Days:
    """The first and the last day of a report, in UTC."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def all(self) -> Sequence[date]:
        return [self.first + timedelta(days=number) for number in range(len(self))]


def read_day(text: str) -> date:
    """Return a day from 2000 on, of the form 2026-11-27; raise `ValueError` for anything else."""
    if not _DAY.fullmatch(text):
        raise ValueError
    return date.fromisoformat(text)


def days_between(first: date | None, last: date | None, today: date) -> Days:
    """Return the days that are asked for, both included; raise `ValueError` if they are too many or none."""
    until = last or today
    days = Days(first or until - timedelta(days=USUAL - 1), until)
    if not 0 < (days.last - days.first).days + 1 <= LONGEST:
        raise ValueError
    return days


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What some questions have come to. Sums are of what is known."""

    questions: int = 0
    answered: int = 0
    failed: int = 0
    stopped: int = 0
    refused: int = 0
    no_reply: int = 0
    unfinished: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unknown_tokens: int = 0
    """Questions of which not all tokens are known."""
    cost: Decimal | None = None
    """None where no price is known."""
    unknown_cost: int = 0
    """Questions of which not all of the cost is known."""
    first_text: float | None = None
    """The median of the seconds from a question to the first piece of its answer; None without one."""
    last_text: float | None = None
    """Likewise to its last one."""
    up: int = 0
    """People who rate an answer well, likewise badly."""
    down: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of a day, of a person, of an outcome or of an organization."""

    key: str
    """A date, an id of Equa's, or the outcome; `others` are the people behind those who ask the most."""
    figures: Figures
    name: str | None = None
    """Of a person or an organization, as far as the bridge knows it."""
    username: str | None = None
    """Of the person's Mattermost account."""


@dataclass(frozen=True, slots=True)
class Report:
    """A line for each, and what all of them come to."""

    lines: Sequence[Line]
    total: Figures
