"""An organization's administrators see what its agent took, and nobody else does."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import ClientResponse

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.models.agent import Usage
from bridge.models.budgets import month_after
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry
from bridge.models.usage import Meter, Run
from bridge.sandbox import demo_data
from handlers.http.app_keys import Limits
from handlers.http.limits import RateLimiter
from tests.support.front import ACME, APP, BOREALIS, Front, front

NOTHING: Mapping[str, str] = {}


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    async with front(dsn) as built:
        yield built


async def look(
    door: Front,
    query: Mapping[str, str] = NOTHING,
    account: demo_data.Account = demo_data.ADA,
    organization: object = ACME.id,
) -> ClientResponse:
    path = f"/api/v1/mattermost/usage/{organization}"
    return await door.client.get(path, params=query, headers={"Cookie": door.cookie(account), "Origin": APP})


async def asked(door: Front, name: str, *runs: Run, organization: OrganizationId = ACME.id) -> None:
    """Let Ben ask, and the agent answer."""
    inbox = Inbox(door.pool)
    payload = {"post_id": name, "user_id": "b" * 26, "person_id": str(demo_data.BEN.id)}
    await inbox.put_all([Entry("mention", f"thread:{name}", organization, f"post:{name}", payload)])
    (job,) = await inbox.claim(Capacity(1, kinds=["mention"]))
    await inbox.save_answer(job.id, "forty-two", used=Meter(list(runs), 1.5, 4.5).used("answered"))
    await inbox.finish(job.id, {"posts": ["p"]})


async def test_an_administrator_sees_what_the_agent_took(door: Front) -> None:
    """In the last 30 days, if no others are asked for; the cost is no binary number."""
    await asked(door, "one", Run("sonnet", Usage(1000, 70), Decimal("0.1")))
    await asked(door, "two", Run("sonnet"), Run("sonnet", Usage(10, 7), Decimal("0.2")))
    await asked(door, "theirs", Run("sonnet", Usage(10, 7)), organization=BOREALIS.id)

    response = await look(door)

    today = datetime.now(UTC).date()
    body = await response.json()
    assert (response.status, body["organizationId"]) == (200, str(ACME.id))
    assert body["budget"] is None
    assert (body["from"], body["to"], body["by"]) == (str(today - timedelta(days=29)), str(today), "day")
    total = {
        **dict.fromkeys(("failed", "stopped", "refused", "noReply", "unfinished", "up", "down"), 0),
        "questions": 2,
        "answered": 2,
        "promptTokens": 1010,
        "completionTokens": 77,
        "unknownTokens": 1,
        "cost": "0.3",
        "unknownCost": 1,
        "firstText": 1.5,
        "lastText": 4.5,
    }
    assert body["total"] == total
    assert body["lines"][-1] == {**total, "key": str(today), "name": None, "username": None}
    assert len(body["lines"]) == 30
    assert response.headers["Access-Control-Allow-Origin"] == APP


async def test_people_and_outcomes_have_their_lines(door: Front) -> None:
    await door.visit(door.cookie(demo_data.BEN))
    await asked(door, "one", Run("sonnet"))

    (ben,) = (await (await look(door, {"by": "person"})).json())["lines"]
    outcomes = (await (await look(door, {"by": "outcome"})).json())["lines"]

    assert (ben["key"], ben["name"], ben["username"]) == (str(demo_data.BEN.id), "Ben Okafor", "ben")
    assert {each["key"]: each["questions"] for each in outcomes if each["questions"]} == {"answered": 1}


@pytest.mark.parametrize(
    ("account", "organization"),
    [(demo_data.BEN, ACME.id), (demo_data.ELIF, ACME.id), (demo_data.ADA, BOREALIS.id)],
)
async def test_nobody_else_sees_it(
    door: Front, account: demo_data.Account, organization: OrganizationId
) -> None:
    """No member, nobody of another organization, and no administrator of another one."""
    response = await look(door, NOTHING, account, organization)

    assert (response.status, (await response.json())["error"]) == (403, "not_an_admin")


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-27", "to": "2026-11-26"},
        {"from": "2025-01-01", "to": "2026-11-26"},
        {"from": "2026-02-30"},
        {"from": "0001-01-01", "to": "0001-01-02"},
        {"from": "20261127"},
        {"from": "2026-W48-5"},
        {"from": "2026-11-27T00:00:00Z"},
        {"to": "-2026-11-2"},
        {"to": ""},
        {"by": "organization"},
        {"by": "key) from usage; --"},
    ],
)
async def test_what_is_no_question_is_refused(door: Front, query: dict[str, str]) -> None:
    """Before Equa is asked."""
    response = await look(door, query)

    assert (response.status, (await response.json())["error"]) == (400, "invalid_request")
    assert door.equa.controls.calls.total() == 0


@pytest.mark.parametrize(
    "query", [{"from": "2000-01-01", "to": "2000-01-01"}, {"to": "9999-12-31", "from": "9999-12-31"}]
)
async def test_days_without_questions_are_empty(door: Front, query: dict[str, str]) -> None:
    """Those at the ends of time as well."""
    body = await (await look(door, query)).json()

    assert (body["total"]["questions"], len(body["lines"])) == (0, 1)


async def test_a_budget_is_shown_with_what_is_used(dsn: str) -> None:
    """And with the day on which it goes on, once nothing is left."""
    async with front(dsn, BUDGET="2000 tokens") as door:
        await asked(door, "one", Run("sonnet", Usage(1000, 70)), Run("sonnet"))
        some = (await (await look(door)).json())["budget"]
        await asked(door, "two", Run("sonnet", Usage(930, 0)))
        all_of_it = (await (await look(door)).json())["budget"]

    following = month_after(datetime.now(UTC).date())
    assert some == {"tokens": 2000, "cost": None, "percent": 53, "goesOn": None}
    assert all_of_it == {"tokens": 2000, "cost": None, "percent": 146, "goesOn": str(following)}


async def test_an_organization_asks_so_often(dsn: str) -> None:
    """Sums over a year take time; another organization does not notice."""
    async with front(dsn, Limits(reports=RateLimiter(burst=1, per_second=0.001))) as door:
        statuses = [(await look(door)).status for _ in range(2)]
        other = await look(door, NOTHING, demo_data.ELIF, BOREALIS.id)

    assert statuses == [200, 429]
    assert other.status == 200
