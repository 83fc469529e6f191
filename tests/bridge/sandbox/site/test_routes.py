"""What the demo's web app does, asked as its page asks."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import ClientSession, CookieJar

from bridge.events.types import MemberAdded, MemberRemoved, SharesIssued
from bridge.sandbox import demo_data
from tests.support.site import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACME, ADA, BEN, HANA = (
    str(each.id) for each in (demo_data.ACME, demo_data.ADA, demo_data.BEN, demo_data.HANA)
)


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def state(demo: Demo, http: ClientSession) -> Any:
    async with http.get(f"{demo.equa.url}/sandbox/site/state") as response:
        assert response.headers["Cache-Control"] == "no-store"
        return await response.json()


async def does(demo: Demo, http: ClientSession, what: str, **body: str) -> Any:
    async with http.post(f"{demo.equa.url}/sandbox/site/{what}", json=body) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_a_stranger_is_offered_the_people(demo: Demo, http: ClientSession) -> None:
    """Each with their seats; not the service account, which is no person."""
    shown = await state(demo, http)

    assert shown["me"] is None
    assert shown["organizations"] == []
    people = {person["name"]: person["about"] for person in shown["people"]}
    assert people["Dmitri Novak"] == ["Adviser, Acme Corp", "Chief Technology Officer, Borealis Labs"]
    assert people["Hana Weiss"] == ["In no organization"]
    assert "Bridge Service" not in people


async def test_who_picks_a_person_is_signed_in_to_equa(demo: Demo, http: ClientSession) -> None:
    """By Equa's own cookie, which opens its API, and leads to Messaging of their organizations only."""
    shown = await does(demo, http, "sign-in", person=ADA)
    async with http.get(f"{demo.equa.api_url}/user/current") as current:
        assert (await current.json())["id"] == ADA

    assert shown["me"]["name"] == "Ada Moreno"
    assert [(organization["name"], organization["messaging"]) for organization in shown["organizations"]] == [
        ("Acme Corp", f"{demo.bridge_url}/messaging/{ACME}?channel=agent")
    ]
    assert [organization["agent"] for organization in shown["organizations"]] == [
        f"{demo.bridge_url}/messaging/{ACME}/agent"
    ]
    assert [organization["name"] for organization in shown["others"]] == ["Borealis Labs"]


async def test_only_administrators_are_led_to_what_the_agent_does(demo: Demo, http: ClientSession) -> None:
    """Others would be refused there."""
    shown = await does(demo, http, "sign-in", person=BEN)

    assert [organization["agent"] for organization in shown["organizations"]] == [None]


async def test_who_signs_out_is_signed_out_everywhere(demo: Demo, http: ClientSession) -> None:
    """The session itself ends, not only the cookie."""
    await does(demo, http, "sign-in", person=ADA)
    shown = await does(demo, http, "sign-out")
    async with http.get(f"{demo.equa.api_url}/organization") as response:
        assert response.status == 401

    assert shown["me"] is None


async def test_a_button_tells_the_bridge(demo: Demo, http: ClientSession) -> None:
    """As a CloudEvent with the platform's token, which the page never sees."""
    await does(demo, http, "sign-in", person=ADA)
    shown = await does(demo, http, "emit", organization=ACME, kind="issue")

    [event] = demo.bridge.events
    assert isinstance(event.data, SharesIssued)
    assert event.data.link == f"{demo.equa.url}/#{ACME}"
    assert shown["said"] == "Told the bridge: cc.equa.shares.issued. #cap-table hears of it."


async def test_who_is_added_is_a_member_and_told(demo: Demo, http: ClientSession) -> None:
    """Equa knows it before the bridge does, so that the bridge's own question is answered with yes."""
    await does(demo, http, "sign-in", person=ADA)
    shown = await does(demo, http, "add", organization=ACME, person=HANA)

    assert HANA in {member["person"] for member in shown["organizations"][0]["members"]}
    assert HANA not in {person["id"] for person in shown["organizations"][0]["candidates"]}
    [event] = demo.bridge.events
    assert isinstance(event.data, MemberAdded)
    assert (event.data.person_id, event.data.name, event.data.role) == (
        demo_data.HANA.id,
        "Hana Weiss",
        "Member",
    )


async def test_who_is_removed_is_no_member_any_more(demo: Demo, http: ClientSession) -> None:
    """And is told with the title that they had."""
    await does(demo, http, "sign-in", person=ADA)
    shown = await does(demo, http, "remove", organization=ACME, person=BEN)

    assert BEN not in {member["person"] for member in shown["organizations"][0]["members"]}
    [event] = demo.bridge.events
    assert isinstance(event.data, MemberRemoved)
    assert (event.data.person_id, event.data.role) == (demo_data.BEN.id, "Chief Financial Officer")


async def test_a_bridge_that_refuses_is_heard(demo: Demo, http: ClientSession) -> None:
    """The page shows what it said."""
    demo.bridge.refuses = True
    shown = await does(demo, http, "emit", organization=ACME, kind="announce")

    assert shown["trouble"].startswith("The bridge answered 401: ")
    assert "said" not in shown


@pytest.mark.parametrize(
    ("what", "body", "sentence"),
    [
        ("sign-in", {"person": "nobody"}, "person must be a UUID."),
        ("sign-in", {"person": str(uuid4())}, "There is no such person."),
        ("sign-in", [], "A body must be an object."),
        ("emit", {"organization": ACME, "kind": "explode"}, "That cannot happen here."),
        ("emit", {"organization": str(uuid4()), "kind": "issue"}, "There is no such organization."),
        ("add", {"organization": ACME, "person": ADA}, "Ada Moreno is a member already."),
        ("remove", {"organization": ACME, "person": HANA}, "Hana Weiss is no member."),
    ],
)
async def test_what_cannot_be_is_refused(
    demo: Demo, http: ClientSession, what: str, body: object, sentence: str
) -> None:
    """With a sentence, and the bridge hears nothing of it."""
    async with http.post(f"{demo.equa.url}/sandbox/site/{what}", json=body) as response:
        assert (response.status, await response.text()) == (400, sentence)

    assert demo.bridge.events == []


@pytest.mark.parametrize("what", ["sign-in", "sign-out", "emit", "add", "remove"])
async def test_another_sites_form_does_nothing(demo: Demo, http: ClientSession, what: str) -> None:
    """It cannot send JSON without asking first, which nobody answers."""
    url = f"{demo.equa.url}/sandbox/site/{what}"
    body = f'{{"person": "{BEN}", "organization": "{ACME}", "kind": "issue"}}'
    async with http.post(url, data=body, headers={"Content-Type": "text/plain"}) as response:
        assert response.status == 400
    async with http.options(url, headers={"Origin": "https://evil.example"}) as preflight:
        assert "Access-Control-Allow-Origin" not in preflight.headers

    assert demo.bridge.events == []


@pytest.mark.parametrize("name", ["nothing.js", "..%2froutes.py", "%2e%2e%2froutes.py"])
async def test_nothing_else_is_served(demo: Demo, http: ClientSession, name: str) -> None:
    """Only the files of that folder, by their names."""
    async with http.get(f"{demo.equa.url}/sandbox/site/{name}") as response:
        assert response.status == 404
