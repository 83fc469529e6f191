"""What may still be asked of an organization's budget."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.models.budgets import Spent, Use, Verdict, month_after, share, verdict
from bridge.models.organization_settings import NO_BUDGET, Budget


def spent(tokens: int = 0, cost: str = "0", *, largest: int = 0, answers: int = 100) -> Spent:
    return Spent(
        date(2026, 11, 1),
        Use(Decimal(tokens), Decimal(largest), answers),
        Use(Decimal(cost), Decimal(0), answers),
    )


@pytest.mark.parametrize(
    ("budget", "used", "running", "expected"),
    [
        (NO_BUDGET, spent(10**12), 100, "go"),
        (Budget(tokens=1000), spent(999), 0, "go"),
        (Budget(tokens=1000), spent(999), 1, "go"),
        (Budget(tokens=1000), spent(999), 2, "wait"),
        (Budget(tokens=1000), spent(1000), 0, "over"),
        (Budget(tokens=1000), spent(2000), 9, "over"),
        (Budget(cost=Decimal("0.30")), spent(10**6, "0.299999"), 0, "go"),
        (Budget(cost=Decimal("0.30")), spent(0, "0.30"), 0, "over"),
        (Budget(1000, Decimal(1)), spent(0, "1"), 0, "over"),
        (Budget(1000, Decimal(1)), spent(1000, "0"), 0, "over"),
        # Each question that is being answered counts with 50 tokens, a twentieth.
        (Budget(tokens=1000), spent(0, largest=20), 19, "go"),
        (Budget(tokens=1000), spent(0, largest=20), 20, "wait"),
        # Each counts with 200, twice the largest.
        (Budget(tokens=1000), spent(0, largest=100), 4, "go"),
        (Budget(tokens=1000), spent(200, largest=100), 4, "wait"),
        # Little is known yet.
        (Budget(tokens=1000), spent(0, largest=20, answers=19), 2, "wait"),
    ],
)
def test_a_question_is_asked_while_something_is_left(
    budget: Budget, used: Spent, running: int, expected: Verdict
) -> None:
    """Two may always be asked at the same time; more only if all of them will probably fit."""
    assert verdict(budget, used, running) == expected


def test_of_two_budgets_the_one_that_is_nearer_its_end_is_told() -> None:
    assert share(Budget(1000, Decimal(2)), spent(100, "1.6")) == Decimal("0.8")
    assert share(NO_BUDGET, spent(100, "1.6")) == 0


@pytest.mark.parametrize(
    ("month", "following"),
    [(date(2026, 11, 1), date(2026, 12, 1)), (date(2026, 12, 1), date(2027, 1, 1))],
)
def test_a_budget_goes_on_with_the_next_month(month: date, following: date) -> None:
    assert month_after(month) == following
