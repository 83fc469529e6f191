"""What an operator sees of all processes on one database. Pure: no I/O is imported here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a process says of itself."""

    id: UUID
    host: str
    pid: int
    version: str
    started: datetime
    socket: str
    """The websocket's state; empty without a bot."""
    last_frame: datetime | None
    queue: int
    unread: int


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A process as it was seen last; ages in seconds."""

    host: str
    pid: int
    version: str
    up: float
    seen: float
    socket: str
    heard: float | None
    """Since the last frame of the websocket; None if there never was one."""
    queue: int
    unread: int
    jobs: int
    """That it works on."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs of a kind that wait or are worked on; ages in seconds."""

    kind: str
    waiting: int
    oldest_waiting: float | None
    running: int
    oldest_running: float | None


@dataclass(frozen=True, slots=True)
class Slowest:
    """The organization whose answers took longest: half of them took less than `median` seconds."""

    organization_id: UUID
    team: str
    median: float
    answers: int


@dataclass(frozen=True, slots=True)
class LastHour:
    """Questions of the last hour, by what came of them."""

    answered: int
    failed: int
    refused: int
    median: float | None
    """Seconds from a question to its answer; None without an answer."""
    p95: float | None
    slowest: Slowest | None


@dataclass(frozen=True, slots=True)
class Today:
    """Tokens since midnight UTC; unknown runs are in no sum."""

    prompt_tokens: int
    completion_tokens: int
    cost: float
    unreported: int


@dataclass(frozen=True, slots=True)
class Status:
    at: datetime
    postgresql: str
    schema: int
    processes: Sequence[ProcessStatus]
    backlog: Sequence[Waiting]
    last_hour: LastHour
    unread: int
    """Channels in which posts may be unread: of the process that misses most."""
    approvals: int
    """Tool calls that wait for a person's decision."""
    oldest_approval: float | None
    today: Today
