"""The part of a process that works on jobs, as the job table sees it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, get_args

from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job, JobId, JobKind

ALL_KINDS: tuple[JobKind, ...] = get_args(JobKind)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many jobs a process can take: of which kinds, and of which organizations none."""

    limit: int
    full: Collection[OrganizationId] = ()
    kinds: Collection[JobKind] = ALL_KINDS


NO_CAPACITY = Capacity(0)


class JobRunner(Protocol):
    """The part of this process that works on jobs."""

    def capacity(self) -> Capacity:
        """Return how much it can take now."""

    def begin(self, jobs: Iterable[Job]) -> None:
        """Work on jobs that were claimed for this process."""

    def wake(self) -> None:
        """Look for jobs now."""

    def rest(self, jobs: Iterable[JobId]) -> None:
        """Look for no other jobs because these have ended."""

    def abandon(self, jobs: Iterable[Job]) -> None:
        """End the work on jobs that are not there any more; others may have their numbers."""
