"""An organization's administrators see and replace its settings, within the operator's bounds."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import ClientResponse

from bridge.sandbox import demo_data
from tests.support.front import ACME, APP, BOREALIS, Front, front

NOTHING: Mapping[str, Any] = {
    "approvers": None,
    "followUps": None,
    "budget": {"tokens": None, "cost": None},
    "mutedNotices": [],
}
CHOSEN: Mapping[str, Any] = {
    "approvers": "members",
    "followUps": "never",
    "budget": {"tokens": 1000, "cost": "12.50"},
    "mutedNotices": ["cc.equa.announcement"],
}


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    async with front(dsn, APPROVERS="members", AGENT_PRICES="*=3/15", BUDGET="5000 tokens") as built:
        yield built


def path(organization: object = ACME.id) -> str:
    return f"/api/v1/mattermost/settings/{organization}"


async def show(door: Front, account: demo_data.Account = demo_data.ADA) -> ClientResponse:
    return await door.client.get(path(), headers={"Cookie": door.cookie(account)})


async def put(
    door: Front,
    body: object = CHOSEN,
    tag: str | None = '"0"',
    account: demo_data.Account = demo_data.ADA,
    organization: object = ACME.id,
    **headers: str,
) -> ClientResponse:
    sent = {"Cookie": door.cookie(account), **({"If-Match": tag} if tag is not None else {}), **headers}
    return await door.client.put(path(organization), json=body, headers=sent)


async def said(response: ClientResponse) -> tuple[int, str, str]:
    body = await response.json()
    return response.status, body["error"], body["message"]


async def test_an_organization_without_settings_has_the_operators(door: Front) -> None:
    """And sees what it can choose."""
    response = await show(door)

    assert (response.status, response.headers["ETag"]) == (200, '"0"')
    shown = await response.json()
    assert {name: shown[name] for name in NOTHING} == NOTHING
    most = {"tokens": 5000, "cost": None}
    assert shown["effective"] == {**NOTHING, "approvers": "members", "followUps": "alone", "budget": most}
    assert (shown["bounds"]["budget"], shown["bounds"]["costsKnown"]) == (most, True)
    assert shown["bounds"]["approvers"] == ["admins", "members"]
    assert shown["bounds"]["followUps"] == ["never", "alone"]
    assert "cc.equa.document.uploaded" in shown["bounds"]["noticeTypes"]


async def test_what_was_set_is_shown_and_audited(door: Front) -> None:
    """With who it was, and what was changed from what to what; nothing of another organization changes."""
    await door.visit(door.cookie(), ACME.id)

    response = await put(door)
    again = await put(door, {**CHOSEN, "approvers": "admins", "mutedNotices": []}, '"1"')

    assert (response.status, response.headers["ETag"]) == (200, '"1"')
    assert (again.status, again.headers["ETag"]) == (200, '"2"')
    shown = await (await show(door)).json()
    assert (shown["version"], shown["approvers"], shown["budget"]) == (
        2,
        "admins",
        {"tokens": 1000, "cost": "12.50"},
    )
    rows = await door.pool.fetch("select * from audit order by id")
    assert [(row["subject"], row["details"]) for row in rows] == [
        (
            "settings:1",
            {
                "approvers.from": None,
                "approvers.to": "members",
                "followUps.from": None,
                "followUps.to": "never",
                "budget.tokens.from": None,
                "budget.tokens.to": 1000,
                "budget.cost.from": None,
                "budget.cost.to": "12.5",
                "mutedNotices.from": [],
                "mutedNotices.to": ["cc.equa.announcement"],
            },
        ),
        (
            "settings:2",
            {
                "approvers.from": "members",
                "approvers.to": "admins",
                "mutedNotices.from": ["cc.equa.announcement"],
                "mutedNotices.to": [],
            },
        ),
    ]
    (kind, via, role, person, organization) = (
        rows[0][name] for name in ("kind", "via", "role", "person_id", "organization_id")
    )
    assert (kind, via, role) == ("settings_changed", "page", "admin")
    assert (person, organization) == (demo_data.ADA.id, ACME.id)
    assert rows[0]["user_id"]


async def test_only_its_administrators_may(door: Front) -> None:
    """Members may not, nor the administrators of another organization, nor who is not one any more."""
    for account, organization in ((demo_data.BEN, ACME.id), (demo_data.ADA, BOREALIS.id)):
        assert (await said(await put(door, account=account, organization=organization)))[:2] == (
            403,
            "not_an_admin",
        )
    assert (await show(door, demo_data.BEN)).status == 403
    nobody = await door.client.put(path(), json=CHOSEN, headers={"If-Match": '"0"'})
    assert (await said(nobody))[:2] == (401, "not_signed_in")
    assert await door.pool.fetchval("select count(*) from organization_settings") == 0


@pytest.mark.parametrize(
    ("tag", "status", "code"),
    [
        (None, 428, "version_required"),
        ("", 428, "version_required"),
        ("0", 400, "invalid_request"),
        ('"0', 400, "invalid_request"),
        ('"0" "1"', 400, "invalid_request"),
        ('*, "0"', 400, "invalid_request"),
        ('"7"', 412, "settings_changed"),
        ('W/"0"', 412, "settings_changed"),
        ('"00"', 412, "settings_changed"),
        ('W/"7","0",W/"8"', 200, None),
        ('"7", "0"', 200, None),
        ("*", 200, None),
    ],
)
async def test_who_replaces_says_what(door: Front, tag: str | None, status: int, code: str | None) -> None:
    """So that nobody undoes what they have not seen."""
    response = await put(door, tag=tag)

    assert (response.status, (await response.json()).get("error")) == (status, code)


async def test_of_two_administrators_at_once_one_hears_it(door: Front) -> None:
    """And who repeats what is stored hears that it is."""
    bodies = [{**NOTHING, "budget": {"tokens": tokens, "cost": None}} for tokens in range(1, 9)]

    responses = await asyncio.gather(*(put(door, body) for body in bodies))

    assert sorted(response.status for response in responses) == [200] + [412] * 7
    (kept,) = (body for body, response in zip(bodies, responses, strict=True) if response.status == 200)
    repeated = await put(door, kept)
    assert (repeated.status, repeated.headers["ETag"]) == (200, '"1"')
    assert await door.pool.fetchval("select count(*) from audit") == 1


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"approvers": "everybody", "followUps": 3}, ["approvers", "followUps"]),
        ({"approvers": "asker", "followUps": "always"}, ["approvers", "followUps"]),
        ({"budget": {"tokens": 0, "cost": "0.00"}}, ["budget.tokens", "budget.cost"]),
        ({"budget": {"tokens": "5", "cost": 5}}, ["budget.tokens", "budget.cost"]),
        ({"budget": {"tokens": True, "cost": "1e3"}}, ["budget.tokens", "budget.cost"]),
        ({"budget": {"tokens": 10**30}}, ["budget.tokens"]),
        ({"budget": {"tokens": 5001}}, ["budget.tokens"]),
        ({"budget": None, "mutedNotices": None}, ["budget", "mutedNotices"]),
        ({"mutedNotices": ["cc.equa.agent.message", 4, "x"]}, ["mutedNotices"]),
        ({"mutedNotices": "cc.equa.announcement"}, ["mutedNotices"]),
    ],
)
async def test_every_wrong_field_is_named(
    door: Front, changed: Mapping[str, object], named: list[str]
) -> None:
    """And nothing is stored."""
    status, code, message = await said(await put(door, {**NOTHING, **changed}))

    assert (status, code) == (400, "invalid_request")
    assert [part.split(" ")[0] for part in message.removesuffix(".").split("; ")] == named
    assert await door.pool.fetchval("select count(*) from organization_settings") == 0


async def test_what_was_set_within_wider_bounds_stays(door: Front) -> None:
    """While other settings are changed; what holds is the operator's."""
    await door.pool.execute(
        "insert into organization_settings (organization_id, version, approvers) values ($1, 1, 'asker')",
        ACME.id,
    )

    response = await put(door, {**NOTHING, "approvers": "asker", "followUps": "never"}, '"1"')

    shown = await response.json()
    assert (response.status, shown["approvers"], shown["effective"]["approvers"]) == (200, "asker", "members")
    assert (await put(door, {**NOTHING, "approvers": "members"}, '"2"')).status == 200
    assert (await put(door, {**NOTHING, "approvers": "asker"}, '"3"')).status == 400


async def test_nothing_is_left_out_by_mistake(door: Front) -> None:
    """A field that is missing is no null."""
    _, _, message = await said(await put(door, {}))

    assert [part.split(" ")[0] for part in message.split("; ")] == list(NOTHING)


async def test_what_get_gives_can_be_sent_back(door: Front) -> None:
    """With one setting changed."""
    await put(door)
    response = await show(door)

    sent = {**await response.json(), "followUps": None}
    changed = await put(door, sent, response.headers["ETag"])

    assert (changed.status, (await changed.json())["effective"]["followUps"]) == (200, "alone")


async def test_pages_of_the_web_app_may_and_others_not(door: Front) -> None:
    """With the version in both directions."""
    allowed = await put(door, Origin=APP)
    foreign = await put(door, Origin="https://evil.example")
    asked = await door.client.options(path(), headers={"Origin": APP})

    assert allowed.headers["Access-Control-Allow-Origin"] == APP
    assert "ETag" in allowed.headers["Access-Control-Expose-Headers"]
    assert (await said(foreign))[:2] == (403, "forbidden_origin")
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, PUT"
    assert "If-Match" in asked.headers["Access-Control-Allow-Headers"]
