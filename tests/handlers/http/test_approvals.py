"""The approvals of an organization, as its administrators' page asks for them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from bridge.db.approvals import Approvals
from bridge.models.approval_records import Decider
from bridge.models.chat import UserId
from bridge.models.equa import PersonId
from bridge.sandbox import demo_data
from bridge.sandbox.mattermost import RestFault
from tests.support.approvals import STAFF, waiting_approval
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


async def test_who_was_an_administrator_a_second_ago_decides_nothing(door: Front) -> None:
    """Neither about a tool call, nor about who may; what they have just been shown was right then."""
    added = await Approvals(door.pool).add(waiting_approval())
    assert added
    headers = {"Cookie": door.cookie(demo_data.ADA), "Origin": APP}
    api, of = "/api/v1/mattermost", f"/{ACME.id}"
    assert (await door.client.get(f"{api}/approvals{of}", headers=headers)).status == 200
    ada = door.equa.store.users[demo_data.ADA.id]
    door.equa.store.remove_member(ACME.id, ada.id)
    door.equa.store.add_member(ACME.id, ada, STAFF)

    decided = await door.client.post(
        f"{api}/approvals{of}/{added.id}", json={"decision": "approve"}, headers=headers
    )
    settings: Mapping[str, Any] = {"approvers": None, "followUps": None, "budget": {}, "mutedNotices": []}
    changed = await door.client.put(
        f"{api}/settings{of}", json=settings, headers={**headers, "If-Match": "*"}
    )

    assert (decided.status, changed.status) == (403, 403)
    found = await Approvals(door.pool).get(added.id)
    assert found
    assert found.state == "pending"
