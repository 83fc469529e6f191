"""Reports on usage: every question counts once, and totals are the sums of their lines."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import get_args
from uuid import UUID

from asyncpg import Pool
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.db.usage_report import MOST_PEOPLE, UsageReports
from bridge.metrics import MonthlyUsage
from bridge.models.equa import OrganizationId
from bridge.models.usage import Outcome
from bridge.models.usage_report import By, Days, Figures
from tests.bridge.db.test_usage import Execute
from tests.bridge.db.test_usage import execute as execute  # noqa: PLC0414  # a fixture

ACME, BOREALIS = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
FIRST, LAST = date(2026, 2, 27), date(2026, 3, 2)
DAYS = Days(FIRST, LAST)
SUMS = (
    "questions",
    *get_args(Outcome),
    "prompt_tokens",
    "completion_tokens",
    "unknown_tokens",
    "unknown_cost",
    "up",
    "down",
)


@dataclass(frozen=True)
class Row:
    organization: OrganizationId
    person: UUID
    outcome: Outcome
    prompt: int | None
    completion: int | None
    unreported: int
    cost: Decimal | None
    text: float | None
    began: datetime
    up: int

    @property
    def is_counted(self) -> bool:
        return self.organization == ACME and FIRST <= self.began.date() <= LAST


tokens = st.none() | st.integers(0, 10**9)
rows = st.builds(
    Row,
    st.sampled_from([ACME, ACME, BOREALIS]),
    st.integers(1, 4).map(lambda number: UUID(int=number)),
    st.sampled_from(get_args(Outcome)),
    tokens,
    tokens,
    st.integers(0, 2),
    st.none() | st.decimals(0, 1000, allow_nan=False, places=9),
    st.none() | st.floats(0, 1000),
    st.sampled_from(
        [
            datetime(2026, 2, 26, 23, 59, 59, 999999, UTC),
            datetime(2026, 2, 27, tzinfo=UTC),
            datetime(2026, 2, 28, 23, 59, 59, 999999, UTC),
            datetime(2026, 3, 1, tzinfo=UTC),
            datetime(2026, 3, 2, 23, 59, 59, 999999, UTC),
            datetime(2026, 3, 3, tzinfo=UTC),
        ]
    ),
    st.integers(0, 1),
)


async def stored(pool: Pool, given: Sequence[Row]) -> None:
    await pool.execute("truncate usage")
    await pool.executemany(
        """insert into usage (job_id, organization_id, person_id, kind, conversation, post_id, outcome, runs,
                              unreported, prompt_tokens, completion_tokens, cost, first_text, last_text,
                              began, ended, up)
           values ($1, $2, $3, 'mention', 'thread:a', 'p', $4, 1, $5, $6, $7, $8, $9, $9, $10, $10, $11)""",
        [
            (
                number,
                row.organization,
                row.person,
                row.outcome,
                row.unreported,
                row.prompt,
                row.completion,
                row.cost,
                row.text,
                row.began,
                row.up,
            )
            for number, row in enumerate(given)
        ],
    )


def expected(given: Iterable[Row]) -> dict[str, object]:
    """Return the total, put together without a database."""
    mine = [row for row in given if row.is_counted]
    costs = [row.cost for row in mine if row.cost is not None]
    return {
        "questions": len(mine),
        "prompt_tokens": sum(row.prompt or 0 for row in mine),
        "completion_tokens": sum(row.completion or 0 for row in mine),
        "unknown_tokens": sum(row.unreported > 0 for row in mine),
        "cost": sum(costs) if costs else None,
        "unknown_cost": sum(row.unreported > 0 or row.cost is None for row in mine),
        "up": sum(row.up for row in mine),
        **{outcome: sum(row.outcome == outcome for row in mine) for outcome in get_args(Outcome)},
    }


def test_totals_are_the_sums_of_their_lines(execute: tuple[Execute, Pool]) -> None:
    """By whatever they are put together; others' rows and other days are in none."""
    run, pool = execute

    @settings(max_examples=25)
    @given(st.lists(rows, max_size=30))
    def adds_up(given: Sequence[Row]) -> None:
        run(stored(pool, given))
        for by in get_args(By):
            report = run(UsageReports(pool).report(DAYS, by, ACME))
            total = {name: getattr(report.total, name) for name in expected(given)}
            assert total == expected(given)
            for name in SUMS:
                assert sum(getattr(each.figures, name) for each in report.lines) == getattr(
                    report.total, name
                )
            known = [each.figures.cost for each in report.lines if each.figures.cost is not None]
            assert (sum(known) if known else None) == report.total.cost

    adds_up()


async def test_every_day_and_every_outcome_has_a_line(pool: Pool) -> None:
    reports = UsageReports(pool)

    by_day, by_outcome = await asyncio.gather(
        reports.report(DAYS, "day", ACME), reports.report(DAYS, "outcome", ACME)
    )

    assert [each.key for each in by_day.lines] == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    assert [each.key for each in by_outcome.lines] == list(get_args(Outcome))
    assert by_day.total == Figures() == by_outcome.lines[0].figures


def row(person: int, *, text: float | None = None, organization: OrganizationId = ACME) -> Row:
    began = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=person)
    return Row(organization, UUID(int=person), "answered", 1, 1, 0, None, text, began, 0)


async def test_seconds_are_medians(pool: Pool) -> None:
    await stored(pool, [row(1, text=1.0), row(1, text=2.0), row(1, text=60.0), row(1)])

    report = await UsageReports(pool).report(DAYS, "day", ACME)

    assert (report.total.first_text, report.lines[2].figures.last_text) == (2.0, 2.0)


async def test_of_many_people_those_who_ask_little_are_one_line(pool: Pool) -> None:
    """Whoever has asked the most comes first."""
    people = range(1, MOST_PEOPLE + 4)
    await stored(pool, [row(person) for person in [*people, people[-1], people[-1]]])

    report = await UsageReports(pool).report(DAYS, "person", ACME)

    assert len(report.lines) == MOST_PEOPLE + 1
    assert (report.lines[0].key, report.lines[0].figures.questions) == (str(UUID(int=people[-1])), 3)
    assert (report.lines[-1].key, report.lines[-1].figures.questions) == ("others", 3)


async def test_people_have_the_names_that_the_bridge_knows(pool: Pool) -> None:
    """A person without an account, or of whom nothing is known, has none."""
    await stored(pool, [row(1), row(2), row(3)])
    await pool.executemany(
        """insert into mattermost_user_mappings (id, mattermost_user_id, mattermost_username, visit_name)
           values ($1, $2, $3, $4)""",
        [
            (UUID(int=1), "u1", "ada", '{"first_name": "Ada", "last_name": "Moreno", "nickname": "A"}'),
            (UUID(int=2), "u2", "bob", None),
        ],
    )

    report = await UsageReports(pool).report(DAYS, "person", ACME)

    assert [(each.name, each.username) for each in report.lines] == [
        ("Ada Moreno", "ada"),
        (None, "bob"),
        (None, None),
    ]


async def test_all_organizations_have_a_report(pool: Pool) -> None:
    """For the operator."""
    await stored(pool, [row(1), row(2), row(3, organization=BOREALIS)])

    report = await UsageReports(pool).report(DAYS, "organization")

    assert [(each.key, each.figures.questions) for each in report.lines] == [
        (str(ACME), 2),
        (str(BOREALIS), 1),
    ]
    assert report.total.questions == 3


async def test_the_month_of_all_organizations_is_measured(pool: Pool) -> None:
    """By what has become of questions, the most tokens first; what was asked before is not in it."""
    now, before = datetime.now(UTC), datetime.now(UTC) - timedelta(days=32)
    rows = [row(1), row(2, organization=BOREALIS), row(3, organization=BOREALIS)]
    moved = [replace(each, began=now, prompt=None) for each in rows]
    await stored(pool, [*moved, replace(rows[0], began=before), replace(moved[1], outcome="stopped")])

    assert await UsageReports(pool).month() == [
        MonthlyUsage(str(BOREALIS), {"answered": 2, "stopped": 1}, 0, 3, 0.0),
        MonthlyUsage(str(ACME), {"answered": 1}, 0, 1, 0.0),
    ]
