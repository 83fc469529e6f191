"""Somebody who would work on jobs, for tests that look at what is begun."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.db.job_runner import Capacity
from bridge.models.jobs import Job, JobId


@dataclass
class Runner:
    """Takes what it is given, and notes it."""

    room: Capacity
    begun: list[Job] = field(default_factory=list)
    woken: int = 0
    rests: list[JobId] = field(default_factory=list)
    abandoned: list[Job] = field(default_factory=list)

    def capacity(self) -> Capacity:
        return self.room

    def begin(self, jobs: Iterable[Job]) -> None:
        self.begun += jobs

    def wake(self) -> None:
        self.woken += 1

    def rest(self, jobs: Iterable[JobId]) -> None:
        self.rests += jobs

    def abandon(self, jobs: Iterable[Job]) -> None:
        self.abandoned += jobs
