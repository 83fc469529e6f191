"""What a sync has done so far and in the end. Pure: no I/O is imported here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from bridge.errors import AccountConflict, BridgeError, EmailNotAccepted, TokenRefused, Unavailable
from bridge.models.equa import OrganizationId, PersonId
from provisioning.sync_plan import EMAIL_NOT_ACCEPTED, Failure

_CONFLICT = "Their Mattermost account cannot be used before they open Messaging themselves, or not at all."


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people a sync has changed."""

    created: int = 0
    """Accounts."""
    added: int = 0
    """People, those with new accounts included."""
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is: `done` of `total` people are handled."""

    done: int
    total: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Report:
    """What a sync has done."""

    organization_id: OrganizationId
    counts: Counts
    unchanged: int
    failed: tuple[Failure, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        return {
            "organizationId": str(self.organization_id),
            **asdict(self.counts),
            "unchanged": self.unchanged,
            "failed": [_shown(failure) for failure in self.failed],
        }


@dataclass(slots=True)
class SyncProgress:
    """Counts while a sync goes on."""

    total: int
    before: Counts = field(default_factory=Counts)
    """What earlier attempts at the same sync have done."""
    done: int = 0
    created: int = 0
    added: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: list[Failure] = field(default_factory=list)

    def refuse(self, person: PersonId | None, error: BridgeError) -> None:
        """Note that something could not be done."""
        match error:
            case EmailNotAccepted():
                self.fail(person, *EMAIL_NOT_ACCEPTED)
            case AccountConflict():
                self.fail(person, error.code, _CONFLICT)
            case _:
                self.fail(person, error.code, error.message)

    def fail(self, person: PersonId | None, code: str, message: str) -> None:
        self.failed.append(Failure(person, code, message))

    @contextmanager
    def noting(self, person: PersonId | None) -> Iterator[None]:
        """Note a refusal, so that the rest goes on; an outage and a refused token end the sync."""
        try:
            yield
        except (Unavailable, TokenRefused):
            raise
        except BridgeError as error:
            self.refuse(person, error)

    @property
    def counts(self) -> Counts:
        before = self.before
        return Counts(before.created + self.created, before.added + self.added, before.removed + self.removed)

    @property
    def progress(self) -> Progress:
        earlier = self.before.added + self.before.removed
        return Progress(earlier + self.done, earlier + self.total, self.counts)

    def report(self, organization: OrganizationId) -> Report:
        return Report(organization, self.counts, self.unchanged, tuple(self.failed))


def _shown(failure: Failure) -> Mapping[str, Any]:
    person = str(failure.person_id) if failure.person_id else None
    return {"personId": person, "error": failure.code, "message": failure.message}
