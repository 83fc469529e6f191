"""The approvals of an organization, as its administrators' page asks for them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest

from bridge.db.approvals import Approvals
from bridge.models.approval_records import Decider
from bridge.models.chat import UserId
from bridge.models.equa import PersonId
from bridge.sandbox import demo_data
from bridge.sandbox.mattermost import RestFault
from tests.support.approvals import waiting_approval
from tests.support.front import ACME, APP, Front, front
from tests.support.mappings import Mappings

ASKER, DECIDER, GONE = UserId("a" * 26), UserId("d" * 26), UserId("g" * 26)


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    async with front(dsn) as built:
        yield built


async def test_it_is_shown_without_mattermost(door: Front) -> None:
    """Whoever decides there needs it most while the chat is away; what is not kept of a text is counted."""
    await Mappings(door.pool).map_person(PersonId(UUID(int=1)), ASKER, "ada")
    await Mappings(door.pool).map_person(PersonId(UUID(int=2)), DECIDER, "grace")
    approvals = Approvals(door.pool)
    for id_, user in (("a", DECIDER), ("b", GONE)):
        ended = await approvals.add(waiting_approval(id_))
        assert ended
        await approvals.decide(ended.id, "deny", Decider("button", "admin", None, user))
    await approvals.add(replace(waiting_approval("c"), beyond=96_000))
    await door.pool.execute("update approvals set asker = $1", ASKER)
    door.chat.server.faults.rest(RestFault(status=503, path="/users/"))

    headers = {"Cookie": door.cookie(demo_data.ADA), "Origin": APP}
    response = await door.client.get(f"/api/v1/mattermost/approvals/{ACME.id}", headers=headers)

    body = await response.json()
    (waiting,) = body["pending"]
    assert waiting["askedBy"] == "ada"
    assert waiting["description"] == "Pay 100 to Acme. … (96,000 more characters are not shown)"
    assert [each["decidedBy"]["username"] for each in body["ended"]] == [None, "grace"]
