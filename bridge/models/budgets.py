"""What an organization may use in a month, and whether its next question may be asked. Pure: no I/O.

What a question takes is known when it has been answered. So that questions that are asked at the same time do
not use up what is left several times, each one that is being answered counts with an estimate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from bridge.models.organization_settings import Budget

Verdict = Literal["go", "wait", "over"]
"""`wait` until others of the organization are answered: together they may use more than is left."""

WARN_AT = Decimal("0.8")
"""The part of a budget from which on the administrators are told."""

_TOGETHER = 2
"""Questions that may always be asked at the same time: no more are answered beyond the budget."""
_FEW = 20
"""Answers that say too little about what the next one takes."""
_PART_IF_FEW, _PART = 2, 20
"""A question counts with so small a part of the budget at least, while few and once more are known."""


@dataclass(frozen=True, slots=True)
class Use:
    """What was used of tokens, or of money."""

    used: Decimal
    """This month. What nobody has reported counts as much as a run of the agent usually takes."""
    largest: Decimal
    """The most that a question has taken in this month and the one before."""
    answers: int
    """The number of answers that this is known from."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What an organization has used."""

    month: date
    """Its first day."""
    tokens: Use
    cost: Use


def verdict(budget: Budget, spent: Spent, running: int) -> Verdict:
    """Return what becomes of another question while so many others of the organization are being answered."""
    uses = list(_limited(budget, spent))
    if any(use.used >= limit for limit, use in uses):
        return "over"
    if running < _TOGETHER or all(_fits(limit, use, running + 1) for limit, use in uses):
        return "go"
    return "wait"


def share(budget: Budget, spent: Spent) -> Decimal:
    """Return how much of the budget is used; of two budgets the one of which more is used."""
    return max((use.used / limit for limit, use in _limited(budget, spent)), default=Decimal(0))


def month_after(month: date) -> date:
    """Return the first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _limited(budget: Budget, spent: Spent) -> Iterator[tuple[Decimal, Use]]:
    if budget.tokens is not None:
        yield Decimal(budget.tokens), spent.tokens
    if budget.cost is not None:
        yield budget.cost, spent.cost


def _fits(limit: Decimal, use: Use, questions: int) -> bool:
    least = limit / (_PART_IF_FEW if use.answers < _FEW else _PART)
    return use.used + questions * max(2 * use.largest, least) <= limit
