"""An organization's settings as requests and responses have them. Pure: no I/O is imported here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError, WithJsonSchema

from bridge.errors import InvalidRequest
from bridge.events.fields import form_schema, in_form
from bridge.events.types import NOTICED
from bridge.models.equa import OrganizationId
from bridge.models.organization_settings import (
    STRICTEST_APPROVERS,
    STRICTEST_FOLLOW_UPS,
    Approvers,
    Bounds,
    Budget,
    EffectiveSettings,
    FollowUps,
    OrganizationSettings,
    VersionedSettings,
    allowed,
    beyond,
    effective,
)
from handlers.http.models import AnyUuid, Count, Input, Model

NOTICE_TYPES = tuple(sorted(NOTICED))
"""The types of events that an organization can mute."""

_MOST_TOKENS = 10**15
_COST = r"(?=[0-9.]*[1-9])[0-9]{1,12}(\.[0-9]{1,6})?"
_COST_LIKE = 'a positive decimal number in quotes such as "49.90", or null'

_SAYS: Mapping[str, str] = {
    "approvers": f"one of {', '.join(STRICTEST_APPROVERS)}, or null",
    "followUps": f"one of {', '.join(STRICTEST_FOLLOW_UPS)}, or null",
    "budget": "an object with tokens and cost",
    "budget.tokens": f"a whole number from 1 to {_MOST_TOKENS}, or null",
    "budget.cost": _COST_LIKE,
    "mutedNotices": f"a list of some of {', '.join(NOTICE_TYPES)}",
}


def _number(value: object) -> object:
    """Refuse what pydantic takes for a number and JSON does not."""
    if isinstance(value, str | bool):
        raise ValueError  # noqa: TRY004  # pydantic reports this one
    return value


_Tokens = Annotated[int, Field(ge=1, le=_MOST_TOKENS), BeforeValidator(_number)]
_CostText = Annotated[str, in_form(_COST, _COST_LIKE), form_schema(_COST)]
_Cost = Annotated[
    Decimal,
    PlainSerializer(lambda cost: format(cost, "f"), return_type=str),
    WithJsonSchema({"type": "string", "description": "A decimal number."}),
]
_NoticeType = Annotated[str, WithJsonSchema({"type": "string"})]


class GivenBudget(Input):
    tokens: Annotated[_Tokens | None, Field(description=_SAYS["budget.tokens"])] = None
    cost: Annotated[_CostText | None, Field(description=_COST_LIKE)] = None


class GivenSettings(Input):
    """All of an organization's settings; null leaves one to the operator."""

    approvers: Annotated[Approvers | None, Field(description=_SAYS["approvers"])]
    follow_ups: Annotated[FollowUps | None, Field(description=_SAYS["followUps"])]
    budget: Annotated[GivenBudget, Field(description="What may be used in a calendar month, in UTC.")]
    muted_notices: Annotated[
        tuple[Literal[NOTICE_TYPES], ...],  # type: ignore[valid-type]
        Field(description="Types of events that are not posted."),
    ]


class _SettingsBudget(Model):
    tokens: Count | None
    cost: _Cost | None


class _EffectiveSettings(Model):
    approvers: Approvers
    follow_ups: FollowUps
    budget: _SettingsBudget
    muted_notices: tuple[_NoticeType, ...]


class _SettingsBounds(Model):
    approvers: Annotated[
        tuple[Approvers, ...],
        Field(description="What can be chosen; the last holds while the setting is null."),
    ]
    follow_ups: Annotated[tuple[FollowUps, ...], Field(description="Likewise.")]
    budget: Annotated[_SettingsBudget, Field(description="At most; null is no bound.")]
    costs_known: Annotated[bool, Field(description="Whether `budget.cost` can be set: there are prices.")]
    notice_types: Annotated[tuple[_NoticeType, ...], Field(description="What can be muted.")]


class ShownSettings(Model):
    """An organization's settings, what holds, and what can be chosen."""

    organization_id: AnyUuid
    version: Annotated[Count, Field(description="As in the ETag; 0 while nothing was set.")]
    approvers: Approvers | None
    follow_ups: FollowUps | None
    budget: _SettingsBudget
    muted_notices: tuple[_NoticeType, ...]
    effective: Annotated[
        _EffectiveSettings, Field(description="What holds: of each setting the stricter one.")
    ]
    bounds: Annotated[_SettingsBounds, Field(description="By the operator's variables.")]


def read_settings(
    given: Mapping[str, Any], bounds: Bounds, before: OrganizationSettings
) -> OrganizationSettings:
    """Return the settings that a body gives; raise an `InvalidRequest` that names every wrong field."""
    try:
        model = GivenSettings.model_validate(given)
    except ValidationError as error:
        raise InvalidRequest(f"{'; '.join(dict.fromkeys(map(_said, _wrong(error))))}.") from None
    settings = OrganizationSettings(
        model.approvers,
        model.follow_ups,
        Budget(model.budget.tokens, Decimal(model.budget.cost) if model.budget.cost else None),
        frozenset(model.muted_notices),
    )
    if mistakes := list(beyond(bounds, settings, before)):
        raise InvalidRequest(f"{'; '.join(mistakes)}.")
    return settings


def _wrong(error: ValidationError) -> list[str]:
    """Return the paths of the wrong fields; an item of a list counts as the list."""
    mistakes = error.errors(include_input=False, include_url=False, include_context=False)
    return [".".join(str(part) for part in each["loc"] if isinstance(part, str)) for each in mistakes]


def _said(path: str) -> str:
    return f"{path} has to be {_SAYS[path]}"


def shown(organization: OrganizationId, stored: VersionedSettings, bounds: Bounds) -> ShownSettings:
    """Return the response that shows the settings."""
    own = stored.settings
    return ShownSettings(
        organization_id=organization,
        version=stored.version,
        approvers=own.approvers,
        follow_ups=own.follow_ups,
        budget=_budget(own.budget),
        muted_notices=tuple(sorted(own.muted_notices)),
        effective=_effective(effective(bounds, own)),
        bounds=_SettingsBounds(
            approvers=tuple(allowed(bounds.approvers, STRICTEST_APPROVERS)),
            follow_ups=tuple(allowed(bounds.follow_ups, STRICTEST_FOLLOW_UPS)),
            budget=_budget(bounds.budget),
            costs_known=bounds.costs_known,
            notice_types=NOTICE_TYPES,
        ),
    )


def _effective(settings: EffectiveSettings) -> _EffectiveSettings:
    return _EffectiveSettings(
        approvers=settings.approvers,
        follow_ups=settings.follow_ups,
        budget=_budget(settings.budget),
        muted_notices=tuple(sorted(settings.muted_notices)),
    )


def _budget(budget: Budget) -> _SettingsBudget:
    return _SettingsBudget(tokens=budget.tokens, cost=budget.cost)
