import json
import random
from datetime import UTC, datetime

import pytest

from bridge.events.cloudevents import EITHER
from bridge.events.plan import channel
from bridge.events.read import read
from bridge.events.types import PlatformData
from bridge.sandbox import demo_data
from bridge.sandbox.site.demo_events import DEMO_EVENTS, cloud_event

LINK = "http://127.0.0.1:8085/#acme"
NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize("company", demo_data.COMPANIES, ids=lambda company: company.name)
@pytest.mark.parametrize("kind", DEMO_EVENTS)
def test_whatever_happens_is_an_event_that_the_bridge_takes(kind: str, company: demo_data.Company) -> None:
    """In the channel that the page names, whatever chance makes of it."""
    demo_event = DEMO_EVENTS[kind]
    for seed in range(50):
        data = demo_event.data(company, random.Random(seed))
        body = json.dumps(cloud_event(demo_event.type, company.id, data, LINK, NOW)).encode()
        [event] = read(body, EITHER)
        assert (event.organization_id, event.time) == (company.id, NOW)
        assert isinstance(event.data, PlatformData)
        assert f"#{channel(event.data)}" == demo_event.channel
        assert event.data.link == LINK


def test_no_two_events_are_the_same() -> None:
    """A press of the button twice is two events, not a repeat."""
    ids = {cloud_event("cc.equa.announcement", demo_data.ACME.id, {}, LINK, NOW)["id"] for _ in range(20)}

    assert len(ids) == 20


def test_nobody_transfers_shares_to_themselves() -> None:
    """Giver and taker are two."""
    for seed in range(200):
        data = DEMO_EVENTS["transfer"].data(demo_data.ACME, random.Random(seed))
        assert data["from"] != data["to"]
