"""What the statements of the job table take and return, as columns and rows."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from asyncpg import Record

from bridge.db.statements import JOB
from bridge.models.chat import Position
from bridge.models.jobs import Entry, Job, JobId
from bridge.models.usage import Used

_JOB_COLUMNS = JOB.split(", ")
_Written = TypeVar("_Written", "SavedAnswer", "EndedJob")


class SavedAnswer(NamedTuple):
    """An answer that is going to be posted."""

    job: JobId
    answer: str
    failure: str | None
    question: str | None
    """The words that it answers."""
    used: Used | None
    is_findable: bool
    """Whether an attempt that knows nothing of it finds it in the thread once it is posted."""


class EndedJob(NamedTuple):
    """A job that has come to its end."""

    job: JobId
    value: object
    """Its result, or why it was given up."""
    used: Used | None
    is_answered: bool = False
    """Whether it does not end if its answer is not stored any more."""


def claimed(rows: Iterable[Record], held_at: float) -> list[Job]:
    """Return the jobs of those rows that were claimed, by a statement that was sent at that moment."""
    return [
        Job(**{column: row[column] for column in _JOB_COLUMNS}, held_at=held_at)
        for row in rows
        if row["state"] == "running"
    ]


def is_one_question(entries: Sequence[Entry]) -> bool:
    """Return whether the agent is going to be asked one thing, and nothing else is stored with it."""
    return len(entries) == 1 and entries[0].kind == "mention" and entries[0].refused is None


def in_order(jobs: Iterable[_Written]) -> list[_Written]:
    """Return them in the one order in which everybody locks jobs."""
    return sorted(jobs, key=lambda each: each.job)


def entry_columns(entries: Sequence[Entry]) -> tuple[list[Any], ...]:
    return (
        [entry.kind for entry in entries],
        [entry.lane for entry in entries],
        [entry.organization_id for entry in entries],
        [entry.dedupe for entry in entries],
        [dict(entry.payload) for entry in entries],
        [entry.refused for entry in entries],
    )


def position_columns(positions: Sequence[Position]) -> tuple[list[Any], ...]:
    ordered = sorted(positions, key=lambda position: position.channel_id)
    return (
        [position.channel_id for position in ordered],
        [position.post_id for position in ordered],
        [position.create_at for position in ordered],
        [position.begin_at for position in ordered],
    )
