"""What a sync has come to, as responses show it. Pure: no I/O is imported here."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel

from bridge.db.syncs import State
from bridge.models.equa import PersonId
from bridge.models.jobs import SyncId
from handlers.http.models import AnyUuid, Count, Input, Model, OrganizationUuid, Uuid


class OfSync(Input):
    """The path of one sync of an organization."""

    org_id: OrganizationUuid
    job: Uuid


class Failure(Model):
    person_id: Annotated[
        PersonId | None,
        Field(description="The person's id in Equa; null for what is about the roster as a whole."),
    ]
    error: Annotated[
        str,
        Field(
            description="A stable code: `no_email`, `two_emails`, `duplicate`, `duplicate_email`, `left`,"
            " `email_not_accepted`, `email_not_changed`, `not_in_channel`, `roster_unreadable`,"
            " `nobody_removed`, or one of this API's."
        ),
    ]
    message: Annotated[str, Field(description="A sentence for people.")]


class Report(Model):
    organization_id: AnyUuid
    created: Annotated[Count, Field(description="Accounts.")]
    added: Annotated[Count, Field(description="People put into the team, those with new accounts included.")]
    removed: Count
    unchanged: Count
    failed: tuple[Failure, ...]


class Started(Model):
    status: Literal["running"] = "running"
    job: AnyUuid


class Running(Started):
    done: Annotated[Count, Field(description="People dealt with.")]
    total: Annotated[Count, Field(description="People that the sync is about; 0 until that is known.")]


class Done(Report):
    status: Literal["done"] = "done"
    job: AnyUuid


class Failed(Model):
    status: Literal["failed"] = "failed"
    job: AnyUuid
    error: str
    message: str


class SyncState(RootModel[Running | Done | Failed]):
    model_config = ConfigDict(alias_generator=to_camel)


def has_ended(state: State) -> bool:
    """Return whether nothing more will be done for the sync."""
    return state.outcome is not None or state.job not in ("waiting", "running")


def outcome_of(state: State) -> Mapping[str, Any]:
    """Return the report or the error of a sync that has ended; only a fault of ours ends one without."""
    return state.outcome or {
        "status": 500,
        "error": "internal_error",
        "message": "Something went wrong here; the log has the details.",
    }


def shown(sync: SyncId, state: State) -> SyncState:
    """Return the state as a response."""
    if not has_ended(state):
        return SyncState(Running(job=sync, done=state.done, total=state.total))
    outcome = outcome_of(state)
    if "error" in outcome:
        return SyncState(Failed(job=sync, error=outcome["error"], message=outcome["message"]))
    return SyncState(Done.model_validate({**outcome, "job": sync}))
