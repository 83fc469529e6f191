"""The jobs of an event: a notice, and for members the change of membership. Pure: no I/O imports."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Literal, assert_never

from bridge.events.types import (
    Announcement,
    Data,
    DocumentUploaded,
    Event,
    MemberAdded,
    MemberRemoved,
    SharesIssued,
    SharesTransferred,
)
from bridge.models.jobs import Entry, Membership


def key(event: Event) -> str:
    """Return a key that only this event has, made of its `source` and `id`."""
    return f"event:{sha256(json.dumps([event.source, event.id]).encode()).hexdigest()}"


def jobs_for(event: Event, now: datetime) -> tuple[Entry, ...]:
    """Return the jobs of an event, to be stored together; the first one's `dedupe` is the event's key.

    An event without a time happened `now`.
    """
    notice = _notice(event, event.time or now)
    match event.data:
        case MemberAdded():
            return notice, _membership(event, event.data, "add")
        case MemberRemoved():
            return notice, _membership(event, event.data, "remove")
        case _:
            return (notice,)


def channel(data: Data) -> str:
    """Return the name of the channel that the notice goes to."""
    match data:
        case SharesIssued() | SharesTransferred():
            return "cap-table"
        case DocumentUploaded():
            return "documents"
        case MemberAdded() | MemberRemoved():
            return "town-square"
        case Announcement():
            return "announcements"
        case _:
            assert_never(data)


def _notice(event: Event, time: datetime) -> Entry:
    name = channel(event.data)
    return Entry(
        kind="notice",
        lane=f"channel:{event.organization_id}:{name}",
        organization_id=event.organization_id,
        dedupe=key(event),
        payload={
            "source": event.source,
            "id": event.id,
            "channel": name,
            "type": event.data.TYPE,
            "time": time.isoformat(),
            "data": event.data.stored(),
        },
    )


def _membership(event: Event, data: MemberAdded | MemberRemoved, action: Literal["add", "remove"]) -> Entry:
    change = Membership(
        event.organization_id, data.person_id, action, data.name, data.email or "", event.time
    )
    return Entry(
        kind="membership",
        lane=f"person:{event.organization_id}:{data.user_id}",
        organization_id=event.organization_id,
        dedupe=f"{key(event)}:membership",
        payload=change.payload(),
    )
