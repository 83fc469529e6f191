"""Settings of an organization within those of the operator."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.models.organization_settings import (
    NO_SETTINGS,
    Approvers,
    Bounds,
    Budget,
    EffectiveSettings,
    FollowUps,
    OrganizationSettings,
    beyond,
    effective,
)


def test_who_sets_nothing_has_what_the_operator_says() -> None:
    bounds = Bounds("members", "always", Budget(tokens=5))

    assert effective(bounds, NO_SETTINGS) == EffectiveSettings(
        "members", "always", Budget(tokens=5), frozenset()
    )


@pytest.mark.parametrize(
    ("bound", "own", "holds"),
    [
        ("asker", "admins", "admins"),
        ("asker", "members", "members"),
        ("members", "asker", "members"),
        ("admins", "members", "admins"),
        ("asker", "asker", "asker"),
    ],
)
def test_approvers_are_the_stricter_ones(bound: Approvers, own: Approvers, holds: Approvers) -> None:
    assert effective(Bounds(approvers=bound), OrganizationSettings(approvers=own)).approvers == holds


@pytest.mark.parametrize(
    ("bound", "own", "holds"),
    [("always", "never", "never"), ("alone", "always", "alone"), ("never", "alone", "never")],
)
def test_follow_ups_are_the_stricter_ones(bound: FollowUps, own: FollowUps, holds: FollowUps) -> None:
    assert effective(Bounds(follow_ups=bound), OrganizationSettings(follow_ups=own)).follow_ups == holds


@pytest.mark.parametrize(
    ("bound", "own", "holds"),
    [
        (Budget(), Budget(tokens=3), Budget(tokens=3)),
        (Budget(tokens=2), Budget(tokens=3), Budget(tokens=2)),
        (Budget(tokens=9), Budget(cost=Decimal("1.5")), Budget(9, Decimal("1.5"))),
        (Budget(cost=Decimal(2)), Budget(cost=Decimal(1)), Budget(cost=Decimal(1))),
    ],
)
def test_the_lower_budget_holds(bound: Budget, own: Budget, holds: Budget) -> None:
    assert effective(Bounds(budget=bound), OrganizationSettings(budget=own)).budget == holds


@pytest.mark.parametrize(
    ("own", "named"),
    [
        (OrganizationSettings("members", "alone", Budget(10, Decimal(5))), []),
        (
            OrganizationSettings("asker", "always", Budget(11, Decimal("5.01"))),
            ["approvers", "followUps", "budget.tokens", "budget.cost"],
        ),
        (NO_SETTINGS, []),
    ],
)
def test_what_is_beyond_a_bound_is_named(own: OrganizationSettings, named: list[str]) -> None:
    bounds = Bounds("members", "alone", Budget(10, Decimal(5)))

    assert [sentence.split(" ")[0] for sentence in beyond(bounds, own, NO_SETTINGS)] == named


def test_without_prices_no_cost_can_be_set() -> None:
    """It would never be reached."""
    own = OrganizationSettings(budget=Budget(cost=Decimal(1)))

    assert list(beyond(Bounds(costs_known=False), own, NO_SETTINGS)) == [
        "budget.cost has to be null: the operator has set no prices"
    ]


def test_what_was_set_within_wider_bounds_may_stay() -> None:
    """So that other settings can be changed; it cannot be widened further."""
    before = OrganizationSettings("members", "always", Budget(50, Decimal(5)))
    bounds = Bounds("admins", "never", Budget(tokens=10), costs_known=False)

    assert list(beyond(bounds, replace(before, muted_notices=frozenset({"x"})), before)) == []
    wider = OrganizationSettings("asker", "alone", Budget(51, Decimal(4)))
    assert len(list(beyond(bounds, wider, before))) == 4
