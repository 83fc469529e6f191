"""What is to be done about each event."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from bridge.events.cloudevents import SINGLE
from bridge.events.plan import jobs_for, key
from bridge.events.read import read
from bridge.events.types import TYPES, Event
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Membership, OutgoingMessage
from tests.support.platform_events import ACME, ADA, DATA, MESSAGE, encoded, event, without

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def an_event(name: str = "cc.equa.announcement", **fields: Any) -> Event:
    (found,) = read(encoded({**event(name), **fields}), SINGLE)
    return found


@pytest.mark.parametrize(
    ("name", "channel", "kinds"),
    [
        ("cc.equa.shares.issued", "cap-table", ["notice"]),
        ("cc.equa.shares.transferred", "cap-table", ["notice"]),
        ("cc.equa.document.uploaded", "documents", ["notice"]),
        ("cc.equa.member.added", "town-square", ["notice", "membership"]),
        ("cc.equa.member.removed", "town-square", ["notice", "membership"]),
        ("cc.equa.announcement", "announcements", ["notice"]),
    ],
)
def test_each_type_has_its_channel_and_jobs(name: str, channel: str, kinds: list[str]) -> None:
    """Each makes a notice; members are also added or removed."""
    jobs = jobs_for(an_event(name), NOW)

    assert [job.kind for job in jobs] == kinds
    assert jobs[0].payload["channel"] == channel
    assert jobs[0].lane == f"channel:{ACME}:{channel}"
    assert {job.organization_id for job in jobs} == {UUID(ACME)}
    assert jobs[0].dedupe == key(an_event(name))


def test_the_notice_holds_all_that_is_told() -> None:
    """Enough to render it days later, and to find the event that it came from."""
    (job,) = jobs_for(an_event("cc.equa.shares.issued"), NOW)

    assert job.payload["type"] == "cc.equa.shares.issued"
    assert (job.payload["source"], job.payload["id"]) == ("https://app.equa.cc", "event-1")
    assert job.payload["time"] == "2026-11-22T14:05:00+00:00"
    stored = TYPES["cc.equa.shares.issued"].model_validate(job.payload["data"])
    assert stored == an_event("cc.equa.shares.issued").data


def test_an_event_without_a_time_happened_now() -> None:
    """It is the time of its acceptance, not of its post."""
    (job,) = jobs_for(an_event(time=None), NOW)

    assert job.payload["time"] == NOW.isoformat()


@pytest.mark.parametrize(
    ("name", "action", "email"),
    [
        ("cc.equa.member.added", "add", "ada@example.test"),
        ("cc.equa.member.removed", "remove", ""),
    ],
)
def test_a_membership_has_a_lane_of_its_person(name: str, action: Any, email: str) -> None:
    """Joining and leaving of one person keep their order, whatever the channel does."""
    _, job = jobs_for(an_event(name), NOW)

    assert job.lane == f"person:{ACME}:{ADA}"
    assert Membership.of(job.payload) == Membership(
        OrganizationId(UUID(ACME)), PersonId(UUID(ADA)), action, "Ada Lovelace", email, an_event(name).time
    )


def test_lanes_do_not_depend_on_how_an_id_is_written() -> None:
    """Ids in capitals are the same."""
    data = {**DATA["cc.equa.member.added"], "userId": ADA.upper()}
    jobs = jobs_for(an_event("cc.equa.member.added", subject=ACME.upper(), data=data), NOW)

    assert [job.lane for job in jobs] == [f"channel:{ACME}:town-square", f"person:{ACME}:{ADA}"]


def test_source_and_id_make_the_key() -> None:
    """Nothing else counts, and neither can be mistaken for a part of the other."""
    same = [an_event(), an_event("cc.equa.member.added"), an_event(time=None), an_event(subject=ADA)]
    others = [
        an_event(id="event-2"),
        an_event(source="x"),
        an_event(id='a","b', source="c"),
        an_event(id="b", source='c","a'),
    ]

    assert len({key(each) for each in same}) == 1
    assert len({key(each) for each in (*same, *others)}) == 1 + len(others)
    assert len(key(an_event(id="x" * 500, source="y" * 500))) < 100


def test_keys_of_one_event_differ_by_job() -> None:
    """Both jobs of an event are stored, each once."""
    jobs = jobs_for(an_event("cc.equa.member.added"), NOW)

    assert len({job.dedupe for job in jobs}) == 2


def test_a_price_is_stored_as_it_was_written() -> None:
    """Small ones too, which Python would write with an exponent."""
    data = {**without(DATA["cc.equa.shares.issued"], "certificate"), "pricePerShare": "0.0000001"}
    (job,) = jobs_for(an_event("cc.equa.shares.issued", data=data), NOW)

    assert job.payload["data"]["pricePerShare"] == "0.0000001"


def test_what_the_agent_says_is_posted_by_the_bot() -> None:
    """In the order in which it says it in one place; its key is none of the platform's events."""
    said = an_event(MESSAGE)
    (job,) = jobs_for(said, NOW)

    assert (job.kind, job.organization_id) == ("agent_message", UUID(ACME))
    assert job.lane == f"message:{ACME}:agent"
    assert OutgoingMessage.of(job.payload) == OutgoingMessage("agent", None, "The **cap table** has changed.")
    assert job.dedupe == key(said) != key(an_event())
