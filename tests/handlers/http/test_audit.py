"""An organization's administrators read its audit, page by page or as a file."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from aiohttp import ClientPayloadError, ClientResponse, web

from bridge.db.audit import Audit
from bridge.errors import DatabaseUnavailable
from bridge.models.audit import Actor, AuditEntry, AuditId, AuditKind, AuditRow
from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId
from bridge.sandbox import demo_data
from handlers.http.app_keys import SERVICES, Services
from handlers.http.audit_csv import send_csv
from tests.support.api import serving
from tests.support.front import ACME, APP, BOREALIS, Front, front


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    async with front(dsn) as built:
        yield built


async def add(
    door: Front,
    number: int,
    kind: AuditKind = "question_refused",
    organization: OrganizationId = ACME.id,
) -> None:
    entry = AuditEntry(organization, kind, "too_many_questions", "thread", subject=f"post:{number}")
    await Audit(door.pool).add(entry)


async def age(door: Front, **by: int) -> None:
    """Make all rows older; only the database's superuser can."""
    async with door.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update audit set at = at - $1::interval", timedelta(**by))


async def get(
    door: Front,
    query: Mapping[str, str] | None = None,
    account: demo_data.Account = demo_data.ADA,
    organization: object = ACME.id,
    **headers: str,
) -> ClientResponse:
    sent = {"Cookie": door.cookie(account), **headers}
    url = f"/api/v1/mattermost/audit/{organization}"
    return await door.client.get(url, params=query or {}, headers=sent)


async def page(door: Front, **query: str) -> Any:
    response = await get(door, query)
    assert response.status == 200, await response.text()
    return await response.json()


def subjects(shown: Mapping[str, Any]) -> list[str]:
    return [entry["subject"].removeprefix("post:") for entry in shown["entries"]]


async def test_a_row_says_who_did_what(door: Front) -> None:
    """By the account that the person has, and when."""
    user = (await (await door.visit(door.cookie(), ACME.id)).json())["mmUserId"]
    actor = Actor(user_id=UserId(user), role="admin")
    await Audit(door.pool).add(
        AuditEntry(ACME.id, "approval_decided", "approved", "button", actor, "approval:1", {"tool": "issue"})
    )

    shown = await page(door)

    (entry,) = shown["entries"]
    assert datetime.now(UTC) - datetime.fromisoformat(entry.pop("at")) < timedelta(minutes=1)
    assert entry.pop("id")
    assert entry == {
        "kind": "approval_decided",
        "outcome": "approved",
        "username": "ada",
        "personId": str(demo_data.ADA.id),
        "userId": user,
        "role": "admin",
        "via": "button",
        "subject": "approval:1",
        "details": {"tool": "issue"},
    }
    assert shown["next"] is None


async def test_pages_stay_as_they_are_while_rows_are_added(door: Front) -> None:
    """None is shown twice and none is left out."""
    for number in range(5):
        await add(door, number)

    first = await page(door, limit="2")
    await add(door, 5)
    second = await page(door, limit="2", cursor=first["next"])
    await add(door, 6)
    last = await page(door, limit="2", cursor=second["next"])

    assert (subjects(first), subjects(second), subjects(last)) == (["4", "3"], ["2", "1"], ["0"])
    assert last["next"] is None


async def test_rows_of_one_moment_are_paged_too(door: Front) -> None:
    """By their ids."""
    for number in range(4):
        await add(door, number)
    async with door.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update audit set at = '2026-11-27T14:05:00Z'")

    first = await page(door, limit="3")

    assert subjects(first) == ["3", "2", "1"]
    assert subjects(await page(door, cursor=first["next"])) == ["0"]


async def test_rows_are_wanted_by_time_and_kind(door: Front) -> None:
    """A day is in UTC, and `to` includes it."""
    await add(door, 0)
    await age(door, days=3)
    await add(door, 1, "answer_stopped")
    await add(door, 2, "budget_hit")
    today = datetime.now(UTC).date()
    now = datetime.now(UTC).isoformat().replace("+00:00", " 00:00")  # as a plus that was not encoded arrives

    assert subjects(await page(door, **{"from": today.isoformat()})) == ["2", "1"]
    assert subjects(await page(door, **{"from": now})) == []
    assert subjects(await page(door, to=(today - timedelta(days=3)).isoformat())) == ["0"]
    assert subjects(await page(door, to=(today - timedelta(days=4)).isoformat())) == []
    assert subjects(await page(door, kind="answer_stopped,question_refused")) == ["1", "0"]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"to": "2026-11-27T14:05:00"},
        {"to": "9999-12-31"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"from": "2026-11-28", "to": "2026-11-27"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "1e9"},
        {"limit": "-1"},
        {"kind": "everything"},
        {"kind": ""},
        {"cursor": ""},
        {"cursor": "1"},
        {"cursor": "MTIzLjQ1Ng==x\x00"},
        {"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ"},
        {"format": "xml"},
    ],
)
async def test_what_makes_no_sense_is_refused(door: Front, query: Mapping[str, str]) -> None:
    """By a sentence that names it."""
    response = await get(door, query)

    assert (response.status, (await response.json())["error"]) == (400, "invalid_request")
    assert (await response.json())["message"].startswith(next(iter(query)))


async def test_only_its_administrators_read_it(door: Front) -> None:
    """Nobody else does: no member, no administrator of another organization, whatever cursor they have."""
    await add(door, 0)
    await add(door, 1)
    await add(door, 2, organization=BOREALIS.id)
    cursor = (await page(door, limit="1"))["next"]

    assert (await get(door, account=demo_data.BEN)).status == 403
    assert (await get(door, organization=BOREALIS.id)).status == 403
    theirs = await get(door, {"cursor": cursor}, demo_data.ELIF, BOREALIS.id)
    assert subjects(await theirs.json()) in ([], ["2"])
    nobody = await door.client.get(f"/api/v1/mattermost/audit/{ACME.id}")
    assert nobody.status == 401


async def test_who_is_no_administrator_any_more_reads_nothing(door: Front) -> None:
    """From the next look at Equa on."""
    await add(door, 0)
    door.equa.store.remove_member(ACME.id, demo_data.ADA.id)

    assert (await get(door)).status == 403


@pytest.mark.parametrize(
    ("query", "accept", "is_csv"),
    [
        ({"format": "csv"}, None, True),
        ({}, "text/csv", True),
        ({}, "TEXT/CSV;q=0.9, */*", True),
        ({"format": "json"}, "text/csv", False),
        ({}, "text/csvx", False),
        ({}, "*/*", False),
    ],
)
async def test_it_comes_as_a_file_on_request(
    door: Front, query: Mapping[str, str], accept: str | None, *, is_csv: bool
) -> None:
    """With everything that a page of JSON has, and the same careful headers."""
    await add(door, 0)

    headers = {"Origin": APP, **({"Accept": accept} if accept else {})}
    response = await get(door, query, demo_data.ADA, ACME.id, **headers)

    assert (response.content_type == "text/csv") == is_csv
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Request-Id"]
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert response.headers.getall("Vary") == ["Origin"]


async def test_a_file_holds_all_rows(door: Front) -> None:
    """However many pages that is, the newest first, and nothing of others."""
    await door.pool.execute(
        """insert into audit (organization_id, kind, outcome, via, subject)
           select $1, 'question_refused', 'too_many_questions', 'thread', 'post:' || n
           from generate_series(1, 1203) n""",
        ACME.id,
    )
    await add(door, 0, organization=BOREALIS.id)

    lines = list(csv.DictReader(io.StringIO(await (await get(door, {"format": "csv"})).text())))

    assert [line["subject"] for line in lines] == [f"post:{number}" for number in range(1203, 0, -1)]


async def test_no_cell_is_a_formula(door: Front) -> None:
    """Whatever gets into a row."""
    async with door.pool.acquire() as connection:
        await connection.execute(
            """insert into audit (organization_id, kind, outcome, via, subject, details)
               values ($1, '=1+1', '+1', '-1', ' @SUM(A1)', '{"a": "x,y\\"z"}')""",
            ACME.id,
        )

    (line,) = csv.DictReader(io.StringIO(await (await get(door, {"format": "csv"})).text()))

    assert [line[name] for name in ("kind", "outcome", "via", "subject")] == [
        "'=1+1",
        "'+1",
        "'-1",
        "' @SUM(A1)",
    ]
    assert line["details"] == '{"a": "x,y\\"z"}'


async def test_a_file_that_breaks_off_is_not_taken_for_whole(services: Services) -> None:
    """The database may go away after the first page."""

    async def pages() -> AsyncIterator[Sequence[AuditRow]]:
        yield [AuditRow(AuditId(1), datetime.now(UTC), AuditEntry(ACME.id, "budget_hit", "tokens", "bridge"))]
        raise DatabaseUnavailable("The database cannot be reached.")

    async def read(request: web.Request) -> web.StreamResponse:
        with structlog.contextvars.bound_contextvars(request_id="one"):
            return await send_csv(request, pages())

    app = web.Application()
    app[SERVICES] = services
    app.router.add_get("/", read)
    async with serving(app) as client:
        response = await client.get("/")
        with pytest.raises(ClientPayloadError):
            await response.read()

    assert response.headers["X-Request-Id"] == "one"
