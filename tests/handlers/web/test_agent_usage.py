"""Usage on the organization's page, in a browser: its numbers are the bridge's."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.support.agent_admin import Scene, comes_to, day, figures, line, usage
from tests.support.messaging import ACME

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOTAL = figures(
    questions=1234,
    answered=1200,
    refused=4,
    failed=30,
    promptTokens=9_007_199_254,
    completionTokens=1_000,
    unknownTokens=3,
    cost="1234567.891",
    unknownCost=1,
    firstText=1.84,
    up=3,
    down=1,
)


async def opened(page: Page, agent_scene: Scene) -> None:
    await page.goto(agent_scene.page_of())
    await comes_to(page, "ready")


async def tile(page: Page, name: str) -> str:
    """Return what a tile says below its name."""
    term = page.locator("dl.tiles > div", has=page.get_by_role("term").get_by_text(name, exact=True))
    return " | ".join(await term.get_by_role("definition").all_inner_texts())


async def rows(page: Page, name: str) -> list[list[str]]:
    """Return the cells of a table, row by row, opened if it was not."""
    table = page.get_by_role("table", name=name, exact=True, include_hidden=True)
    return [await row.locator("th, td").all_text_contents() for row in await table.locator("tbody tr").all()]


async def test_the_numbers_are_the_bridges(page: Page, agent_scene: Scene) -> None:
    """In the browser's own way to write them; what is not known is said to be unknown, and never is 0."""
    budget = {"tokens": None, "cost": "20.5", "percent": 79, "goesOn": None}
    agent_scene.bodies[ACME] = {
        "usage/day": usage(
            TOTAL,
            line(day(2), questions=1200, answered=1200, promptTokens=5, cost="1234567.891", up=3, down=1),
            line(day(1), questions=34, refused=4, failed=30, unknownTokens=3, unknownCost=1),
            line(day(0)),
            budget=budget,
        ),
        "usage/person": usage(
            TOTAL,
            line("a", name="Ada <i>Moreno</i>", questions=1200, answered=1200, promptTokens=5, cost="0.0004"),
            line("b", username="ben", questions=30, unknownTokens=3, unknownCost=1),
            line("others", questions=4),
        ),
    }
    await opened(page, agent_scene)

    assert await tile(page, "Questions") == "1,234"
    assert await tile(page, "Answered") == "97.2% | 1,200 of 1,234"
    assert await tile(page, "Tokens") == "9,007,200,254 | unknown for 3 questions"
    assert await tile(page, "Cost") == "1,234,567.89 | unknown for 1 question"
    assert await tile(page, "Liked") == "75% | 3 up, 1 down"
    assert await tile(page, "First words after") == "1.8 sec | last ones after unknown; medians"
    assert await tile(page, "Budget this month") == "79% | of a cost of 20.50"
    assert [row[1:] for row in await rows(page, "Questions")] == [
        ["1,200", "1,200", "0", "0"],
        ["34", "0", "4", "30"],
        ["0", "0", "0", "0"],
    ]
    assert [row[1:] for row in await rows(page, "Tokens")] == [
        ["5", "5", "0", "0"],
        ["unknown", "0", "0", "3"],
        ["0", "0", "0", "0"],
    ]
    assert [row[1] for row in await rows(page, "Cost")] == ["1,234,567.89", "unknown", "—"]
    assert await rows(page, "By person") == [
        ["Ada <i>Moreno</i>", "1,200", "1,200", "5", "0.0004", "0", "0"],
        ["@ben", "30", "0", "unknown", "unknown", "0", "0"],
        ["Everybody else", "4", "0", "0", "—", "0", "0"],
    ]


async def test_a_year_is_shown_by_month(page: Page, agent_scene: Scene) -> None:
    """Its months are the exact sums of their days."""
    days = [(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=at)).date().isoformat() for at in range(120)]
    costs = {"2026-01-03": "0.1", "2026-01-04": "0.25", "2026-03-01": "7"}
    lines = [line(each, questions=int(each in costs), cost=costs.get(each)) for each in days]
    agent_scene.bodies[ACME]["usage/day"] = usage(figures(questions=3, cost="7.35"), *lines)
    await opened(page, agent_scene)

    assert [row[:2] for row in await rows(page, "Cost")] == [
        ["Jan 2026", "0.35"],
        ["Feb 2026", "—"],
        ["Mar 2026", "7.00"],
        ["Apr 2026", "—"],
    ]


async def test_a_range_is_chosen(page: Page, agent_scene: Scene) -> None:
    """Of whole days in UTC; one that ends before it begins is not asked for."""
    await opened(page, agent_scene)
    days = page.get_by_label("Days")
    await days.focus()
    await days.select_option("Last 7 days")
    await comes_to(page, "ready")
    await expect(days).to_be_focused()
    await days.select_option("From … to …")
    await comes_to(page, "ready")
    await page.get_by_label("From", exact=True).fill("2026-02-03")
    await page.get_by_label("to", exact=True).fill("2026-02-28")
    await page.get_by_label("to", exact=True).fill("2026-01-01")
    await page.get_by_label("to", exact=True).fill("2026-03-01")
    await comes_to(page, "ready")

    asked = [
        (each.query["from"], each.query["to"]) for each in agent_scene.asked if each.query.get("by") == "day"
    ]
    assert asked[0] == (day(29), day(0))
    assert asked[1] == (day(6), day(0))
    assert asked[-1] == ("2026-02-03", "2026-03-01")
    assert all(first <= last for first, last in asked)


async def test_where_nobody_has_asked_it_says_so(page: Page, agent_scene: Scene) -> None:
    """Rather than to draw charts of nothing; the budget is of this month, whatever days are shown."""
    budget = {"tokens": 5_000_000, "cost": "20", "percent": 104, "goesOn": "2026-12-01"}
    agent_scene.bodies[ACME] = {
        "usage/day": usage(figures(), budget=budget),
        "usage/person": usage(figures(), budget=budget),
    }
    await opened(page, agent_scene)

    await expect(page.get_by_text("Nobody has asked the agent anything in these days.")).to_be_visible()
    assert await tile(page, "Budget this month") == (
        "104% | of 5,000,000 tokens and a cost of 20.00; questions are answered again from Dec 1, 2026"
    )
