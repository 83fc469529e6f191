"""What an organization decides about its agent, within bounds. Pure: no I/O is imported here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar

Approvers = Literal["admins", "members", "asker"]
"""Who may decide about a tool call: administrators, every member, or the one who asked too."""

FollowUps = Literal["always", "alone", "never"]
"""When a post without a mention continues a conversation with the bot."""

STRICTEST_APPROVERS: Sequence[Approvers] = ("admins", "members", "asker")
"""The strictest first."""
STRICTEST_FOLLOW_UPS: Sequence[FollowUps] = ("never", "alone", "always")
"""The strictest first."""

T = TypeVar("T")
N = TypeVar("N", int, Decimal)


@dataclass(frozen=True, slots=True)
class Budget:
    """What an organization may use in a calendar month; None is no limit. Both count where both are given."""

    tokens: int | None = None
    cost: Decimal | None = None


NO_BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the operator allows at most, and what an organization has that decides nothing."""

    approvers: Approvers = "admins"
    follow_ups: FollowUps = "alone"
    budget: Budget = NO_BUDGET
    costs_known: bool = True
    """Whether the operator has set prices; without them no cost is ever reached."""


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """What the organization's administrators have set; None leaves it to the operator."""

    approvers: Approvers | None = None
    follow_ups: FollowUps | None = None
    budget: Budget = NO_BUDGET
    muted_notices: frozenset[str] = frozenset()
    """Types of events that are not posted."""


NO_SETTINGS = OrganizationSettings()


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """What holds in an organization."""

    approvers: Approvers
    follow_ups: FollowUps
    budget: Budget
    muted_notices: frozenset[str]


@dataclass(frozen=True, slots=True)
class VersionedSettings:
    """The settings of an organization as they are stored; version 0 was never stored."""

    version: int = 0
    settings: OrganizationSettings = NO_SETTINGS


UNSET = VersionedSettings()


def allowed(bound: T, strictest_first: Sequence[T]) -> Sequence[T]:
    """Return the values that are as strict as the bound, which is the last of them."""
    return strictest_first[: strictest_first.index(bound) + 1]


def beyond(bounds: Bounds, own: OrganizationSettings, before: OrganizationSettings) -> Iterator[str]:
    """Yield a sentence for each setting that is beyond its bound; it begins with the setting's name.

    What was set before, within wider bounds, may stay: it has no effect until they are wide again.
    """
    approvers = allowed(bounds.approvers, STRICTEST_APPROVERS)
    if own.approvers not in (None, before.approvers, *approvers):
        yield f"approvers has to be one of {', '.join(approvers)}, or null: the operator allows no more"
    follow_ups = allowed(bounds.follow_ups, STRICTEST_FOLLOW_UPS)
    if own.follow_ups not in (None, before.follow_ups, *follow_ups):
        yield f"followUps has to be one of {', '.join(follow_ups)}, or null: the operator allows no more"
    if own.budget.tokens != before.budget.tokens and _exceeds(own.budget.tokens, bounds.budget.tokens):
        yield f"budget.tokens has to be {bounds.budget.tokens} at most, as the operator's"
    if own.budget.cost not in (None, before.budget.cost):
        yield from _cost_beyond(bounds, own.budget.cost)


def _cost_beyond(bounds: Bounds, cost: Decimal) -> Iterator[str]:
    if not bounds.costs_known:
        yield "budget.cost has to be null: the operator has set no prices"
    elif _exceeds(cost, bounds.budget.cost):
        yield f"budget.cost has to be {bounds.budget.cost:f} at most, as the operator's"


def _exceeds(value: N | None, bound: N | None) -> bool:
    return value is not None and bound is not None and value > bound


def effective(bounds: Bounds, own: OrganizationSettings) -> EffectiveSettings:
    """Return what holds: of each setting the stricter one.

    What was stored within wider bounds stays stored, and holds again when they are wide again.
    """
    return EffectiveSettings(
        approvers=stricter(bounds.approvers, own.approvers, STRICTEST_APPROVERS),
        follow_ups=stricter(bounds.follow_ups, own.follow_ups, STRICTEST_FOLLOW_UPS),
        budget=Budget(
            tokens=_lower(bounds.budget.tokens, own.budget.tokens),
            cost=_lower(bounds.budget.cost, own.budget.cost),
        ),
        muted_notices=own.muted_notices,
    )


def stricter(bound: T, own: T | None, strictest_first: Sequence[T]) -> T:
    """Return the stricter of two values."""
    return bound if own is None else min(bound, own, key=strictest_first.index)


def _lower(bound: N | None, own: N | None) -> N | None:
    return min((each for each in (bound, own) if each is not None), default=None)
