"""The platform tells what happened: all of it is stored or none, and each event once."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.events.cloudevents import BATCH, EITHER, SINGLE
from handlers.http import events
from handlers.http.app import make_app
from handlers.http.app_keys import Services
from handlers.http.events import LARGEST_BODY
from handlers.http.openapi import document
from tests.support.api import PLATFORM_TOKENS, TEAM, TOKENS, Client, serving
from tests.support.platform_events import ACME, DATA, EXAMPLES, MESSAGE, encoded, event, without

PLATFORM = {"Authorization": f"Bearer {PLATFORM_TOKENS[0]}"}


@pytest.fixture
async def platform(services: Services, pool: Pool) -> AsyncIterator[Client]:
    """The API with a real inbox."""
    async with serving(make_app(replace(services, inbox=Inbox(pool)))) as client:
        yield client


async def send(platform: Client, body: Any, media_type: str = EITHER, **headers: str) -> tuple[int, Any]:
    """Send it as the platform does; the status and what was answered."""
    data = io.BytesIO(body if isinstance(body, bytes) else encoded(body))
    response = await platform.post(
        events.PATH, data=data, headers={**PLATFORM, "Content-Type": media_type, **headers}
    )
    return response.status, await response.json()


async def stored(pool: Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch("select kind, payload ->> 'id' as event, lane from jobs order by id")
    return [(row["kind"], row["event"] or row["lane"].split(":")[0]) for row in rows]


def counts(accepted: int, duplicates: int = 0) -> tuple[int, dict[str, int]]:
    return 202, {"accepted": accepted, "duplicates": duplicates}


@pytest.mark.parametrize("name", sorted(DATA))
async def test_an_event_is_stored_before_it_is_accepted(platform: Client, pool: Pool, name: str) -> None:
    """The answer means that it will be told."""
    assert await send(platform, event(name), SINGLE) == counts(1)

    row = await pool.fetchrow("select kind, state, payload from jobs order by id limit 1")
    assert row is not None
    assert (row["kind"], row["state"], row["payload"]["type"]) == ("notice", "waiting", name)


async def test_what_an_organization_has_muted_is_stored_as_refused(services: Services, pool: Pool) -> None:
    """It counts as accepted, and of a member only the notice is refused; another organization has its own."""
    await pool.execute(
        """insert into organization_settings (organization_id, version, muted_notices)
           values ($1, 1, '{cc.equa.member.added,cc.equa.document.uploaded}')""",
        ACME,
    )
    settings = SettingsOfOrganizations(pool)
    other = {**event("cc.equa.document.uploaded", 4), "subject": "0b000000-0000-4000-8000-00000000000b"}
    sent = [event("cc.equa.member.added", 1), event("cc.equa.document.uploaded", 2), event(number=3), other]
    app = make_app(replace(services, inbox=Inbox(pool), organization_settings=settings))
    async with serving(app) as platform:
        assert await send(platform, sent) == counts(4)
        assert await send(platform, sent) == counts(0, 4)

    rows = await pool.fetch("select kind, state, reason from jobs order by id")
    assert [tuple(row) for row in rows] == [
        ("notice", "refused", "notice_muted"),
        ("membership", "waiting", None),
        ("notice", "refused", "notice_muted"),
        ("notice", "waiting", None),
        ("notice", "waiting", None),
    ]


async def test_a_list_keeps_its_order(platform: Client, pool: Pool) -> None:
    """The jobs of a channel are done in the order in which the list has them."""
    listed = [event(number=number) for number in range(100)]

    assert await send(platform, listed, f"{BATCH}; charset=utf-8") == counts(100)

    assert await stored(pool) == [("notice", f"event-{number}") for number in range(100)]


async def test_a_repeat_is_counted_and_changes_nothing(platform: Client, pool: Pool) -> None:
    """Whatever the second one says, and also within one list."""
    await send(platform, event())
    changed = event(data={**DATA["cc.equa.announcement"], "title": "Another"})
    second = event(number=2)

    assert await send(platform, changed) == counts(0, 1)
    assert await send(platform, [changed, second, second]) == counts(1, 2)

    assert await stored(pool) == [("notice", "event-1"), ("notice", "event-2")]
    assert await pool.fetchval("select payload -> 'data' ->> 'title' from jobs limit 1") == "Annual meeting"


async def test_both_jobs_of_a_member_are_one_event(platform: Client, pool: Pool) -> None:
    """A notice and a membership are stored together, and counted once."""
    added, removed = event("cc.equa.member.added"), event("cc.equa.member.removed", 2)

    assert await send(platform, [added, removed, added]) == counts(2, 1)

    assert await stored(pool) == [
        ("notice", "event-1"),
        ("membership", "person"),
        ("notice", "event-2"),
        ("membership", "person"),
    ]


async def test_the_same_event_at_the_same_time_is_accepted_once(platform: Client) -> None:
    """The platform may repeat itself before the first answer."""
    answers = await asyncio.gather(*(send(platform, event("cc.equa.member.added")) for _ in range(8)))

    assert sorted(answer["accepted"] for _, answer in answers) == [*[0] * 7, 1]


async def test_nothing_is_stored_if_one_is_wrong(platform: Client, pool: Pool) -> None:
    """And every field that is wrong is named."""
    wrong = [event(), event(number=2, subject="acme"), without(event(number=3), "id", "data")]

    status, answer = await send(platform, wrong, BATCH)

    assert (status, answer["error"]) == (400, "invalid_request")
    assert answer["message"] == ("[1].subject must be a UUID; [2].id is missing; [2].data must be an object.")
    assert await stored(pool) == []


async def test_unknown_types_are_refused_with_the_known_ones(platform: Client, pool: Pool) -> None:
    """Whoever sends them sees what there is."""
    status, answer = await send(platform, {**event(), "type": "cc.equa.shares.voided"})

    assert (status, answer["error"]) == (400, "invalid_request")
    assert all(name in answer["message"] for name in DATA)
    assert await stored(pool) == []


@pytest.mark.parametrize("token", ["", "Bearer wrong", f"Basic {TOKENS[0]}"])
async def test_without_a_token_nothing_is_read(platform: Client, pool: Pool, token: str) -> None:
    """Not even whether the events are good."""
    for body in (event(), b"{"):
        status, answer = await send(platform, body, Authorization=token)
        assert (status, answer["error"]) == (401, "not_signed_in")
    assert await stored(pool) == []


async def test_a_list_may_be_large(platform: Client) -> None:
    """Up to 1 MiB, more than other bodies."""
    text = {**DATA["cc.equa.announcement"], "text": "x" * 9_000}
    listed = [event(number=number, data=text) for number in range(100)]
    assert 900_000 < len(encoded(listed)) < LARGEST_BODY

    assert await send(platform, listed, BATCH) == counts(100)


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_list_may_not_be_larger(platform: Client, pool: Pool, *, compressed: bool) -> None:
    """Neither as it comes nor when it is unpacked."""
    body = encoded([event()]) + b" " * LARGEST_BODY
    headers = {"Content-Encoding": "gzip"} if compressed else {}

    status, answer = await send(platform, gzip.compress(body) if compressed else body, BATCH, **headers)

    assert (status, answer["error"]) == (413, "payload_too_large")
    assert "1048576 bytes" in answer["message"]
    assert await stored(pool) == []


async def test_without_a_database_nothing_is_accepted(platform: Client, pool: Pool) -> None:
    """The platform tries again later."""
    await pool.close()

    status, answer = await send(platform, event())

    assert (status, answer["error"]) == (503, "database_unavailable")


def _schema(media_type: str) -> dict[str, Any]:
    whole = document([events.ROUTE])
    content = whole["paths"][events.PATH]["post"]["requestBody"]["content"]
    pointer = f"#/paths/{events.PATH.replace('/', '~1')}/post/requestBody/content/{{}}/schema"
    assert media_type in content
    return {**whole, "$ref": pointer.format(media_type.replace("/", "~1"))}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_document_describes_each_type(name: str) -> None:
    """One event, or a list of them."""
    for media_type, body in ((SINGLE, event(name)), (BATCH, [event(name)]), (EITHER, event(name))):
        assert jsonschema_rs.validator_for(_schema(media_type)).is_valid(body)


@pytest.mark.parametrize(
    "body",
    [
        event(subject="acme"),
        event(time="yesterday!"),
        event(data={}),
        {**event(), "type": "cc.equa.shares.voided"},
        event("cc.equa.shares.issued", data=without(DATA["cc.equa.shares.issued"], "currency")),
        event("cc.equa.shares.issued", data={**DATA["cc.equa.shares.issued"], "quantity": "0.0"}),
        event("cc.equa.shares.issued", data={**DATA["cc.equa.shares.issued"], "recipient": " "}),
        event("cc.equa.shares.issued", data={**DATA["cc.equa.shares.issued"], "link": "http://e.co"}),
        event(MESSAGE, data={"text": "no place"}),
        event(MESSAGE, data={"channel": "agent", "conversation": "mattermost:x", "text": "two places"}),
    ],
)
async def test_the_document_refuses_what_the_api_refuses(platform: Client, body: dict[str, Any]) -> None:
    """So that a client can check before it sends."""
    validator = jsonschema_rs.validator_for(_schema(SINGLE), validate_formats=True)

    assert not validator.is_valid(body)
    assert (await send(platform, body))[0] == 400


async def test_a_peers_token_is_not_the_platforms(platform: Client, pool: Pool) -> None:
    """It could put anybody into any organization; a token of neither is asked for another."""
    for authorization, expected in (
        (f"Bearer {TOKENS[0]}", (403, "not_permitted")),
        (f"Bearer {TOKENS[1]}", (403, "not_permitted")),
        ("Bearer nobodys-token-at-all", (401, "not_signed_in")),
        (f"Basic {PLATFORM_TOKENS[0]}", (401, "not_signed_in")),
        (f"Bearer {PLATFORM_TOKENS[0]},{TOKENS[0]}", (401, "not_signed_in")),
    ):
        status, answer = await send(platform, event(), Authorization=authorization)
        assert (status, answer["error"]) == expected

    assert await stored(pool) == []
    assert await send(platform, event(), Authorization=f"bearer  {PLATFORM_TOKENS[1]}") == counts(1)


async def test_a_peer_lets_the_agent_speak_and_nothing_else(platform: Client, pool: Pool) -> None:
    """Not even among messages; and whoever sends a message, it is accepted once."""
    peer = f"Bearer {TOKENS[0]}"
    mixed = [event(MESSAGE), event("cc.equa.member.added", 2)]

    status, answer = await send(platform, mixed, Authorization=peer)
    assert (status, answer["error"]) == (403, "not_permitted")
    assert await stored(pool) == []

    assert await send(platform, event(MESSAGE), Authorization=peer) == counts(1)
    assert await send(platform, event(MESSAGE)) == counts(0, 1)
    assert await send(platform, event()) == counts(1)  # a peer cannot take its place
    assert [kind for kind, _ in await stored(pool)] == ["agent_message", "notice"]


async def test_the_platforms_token_is_not_a_peers(platform: Client) -> None:
    """Each opens its own doors."""
    headers = {"Authorization": f"Bearer {PLATFORM_TOKENS[0]}"}

    response = await platform.get(f"/api/v1/mattermost/team-mapping/{TEAM}", headers=headers)

    assert response.status == 401
