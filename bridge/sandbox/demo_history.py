"""Questions of the past weeks, so that the demo's page on the agent has something to show.

A day that is over has the same questions at every start; today has those that are asked in the demo.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from asyncpg import Pool

from bridge.models.equa import PersonId
from bridge.sandbox import demo_data
from bridge.sandbox.demo_data import Company

PRICES = "*=3/15"
"""What a million tokens cost, as AGENT_PRICES has it."""

_DAYS = 45
_OUTCOMES = ("answered",) * 18 + ("failed", "stopped", "refused", "no_reply")
_PROMPT, _COMPLETION = Decimal("0.000003"), Decimal("0.000015")
"""What a token costs."""
_SATURDAY = 5

_INSERT = """
insert into usage (job_id, organization_id, person_id, kind, conversation, post_id, outcome, model, runs,
                   unreported, prompt_tokens, completion_tokens, cost, first_text, last_text, began, ended,
                   up, down)
select id, $2, $3, 'mention', 'thread:' || id, 'demo' || id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
       $15, $16
from (select $1::bigint as id) job
on conflict do nothing
"""

Row = tuple[Any, ...]


async def store(pool: Pool) -> None:
    """Store the questions that are not there yet."""
    today = datetime.now(UTC).date()
    rows = [row for company in demo_data.COMPANIES for row in past_questions(company, today)]
    await pool.executemany(_INSERT, rows)


def past_questions(company: Company, today: date) -> Iterator[Row]:
    """Yield a row of usage for each question that somebody of a company asked before today."""
    people = [account.id for account, _ in company.people()]
    for day in (today - timedelta(days=ago) for ago in range(_DAYS, 0, -1)):
        chance = random.Random(f"{company.id} {day}")
        # The ids of jobs are positive.
        first = -(day.toordinal() * 1000 + demo_data.COMPANIES.index(company) * 500)
        for number in range(chance.randrange(4 if day.weekday() >= _SATURDAY else 24)):
            yield (first - number, company.id, *_question(chance.choice(people), day, chance))


def _question(person: PersonId, day: date, chance: random.Random) -> Row:
    outcome = chance.choice(_OUTCOMES)
    began = datetime.combine(day, time(8), UTC) + timedelta(minutes=chance.randrange(600))
    shown = chance.uniform(0.6, 3)
    whole = shown + chance.uniform(0.5, 20)
    seconds = (shown, whole) if outcome == "answered" else (None, None)
    return (
        person,
        outcome,
        *(_nothing() if outcome == "refused" else _run(chance)),
        *seconds,
        began,
        began + timedelta(seconds=whole),
        *(_rating(chance) if outcome == "answered" else (0, 0)),
    )


def _nothing() -> Row:
    """Return model, runs, those of unknown size, tokens read and written, and cost, of no run at all."""
    return (None, 0, 0, 0, 0, None)


def _run(chance: random.Random) -> Row:
    """Return the same of one run, of which now and then nothing is known."""
    prompt, completion = chance.randrange(800, 6000), chance.randrange(60, 900)
    if chance.random() < 0.02:
        return ("sandbox", 1, 1, None, None, None)
    return ("sandbox", 1, 0, prompt, completion, prompt * _PROMPT + completion * _COMPLETION)


def _rating(chance: random.Random) -> tuple[int, int]:
    drawn = chance.random()
    return int(drawn < 0.2), int(0.2 <= drawn < 0.25)
