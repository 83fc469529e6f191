"""The jobs of an event: a notice, for members also the change of membership, or a post of the bot.

Pure: no I/O is imported here.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Literal, assert_never

from bridge.events.types import (
    AgentMessage,
    Announcement,
    DocumentUploaded,
    Event,
    MemberAdded,
    MemberRemoved,
    Noticed,
    SharesIssued,
    SharesTransferred,
)
from bridge.models.jobs import Entry, Membership, OutgoingMessage, message_entry
from bridge.reasons import NOTICE_MUTED


def key(event: Event) -> str:
    """Return a key that only this event has, made of its `source` and `id`.

    Messages of the agent have keys of their own: no peer can take the key of one of the platform's events.
    """
    kind = "message" if isinstance(event.data, AgentMessage) else "event"
    return f"{kind}:{sha256(json.dumps([event.source, event.id]).encode()).hexdigest()}"


def jobs_for(event: Event, now: datetime) -> tuple[Entry, ...]:
    """Return the jobs of an event, to be stored together; the first one's `dedupe` is the event's key.

    An event without a time happened `now`.
    """
    match event.data:
        case AgentMessage():
            return (_message(event, event.data),)
        case MemberAdded():
            return _notice(event, event.data, now), _membership(event, event.data, "add")
        case MemberRemoved():
            return _notice(event, event.data, now), _membership(event, event.data, "remove")
        case _:
            return (_notice(event, event.data, now),)


def without_muted(entries: Sequence[Entry], muted: Collection[str]) -> tuple[Entry, ...]:
    """Return the jobs of an event with its notice refused if the organization has muted its type."""
    return tuple(
        replace(entry, refused=NOTICE_MUTED)
        if entry.kind == "notice" and entry.payload["type"] in muted
        else entry
        for entry in entries
    )


def channel(data: Noticed) -> str:
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


def _message(event: Event, data: AgentMessage) -> Entry:
    message = OutgoingMessage(channel=data.channel, conversation=data.conversation, text=data.text)
    return message_entry(event.organization_id, message, key(event))


def _notice(event: Event, data: Noticed, now: datetime) -> Entry:
    name = channel(data)
    return Entry(
        kind="notice",
        lane=f"channel:{event.organization_id}:{name}",
        organization_id=event.organization_id,
        dedupe=key(event),
        payload={
            "source": event.source,
            "id": event.id,
            "channel": name,
            "type": data.TYPE,
            "time": (event.time or now).isoformat(),
            "data": data.stored(),
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
