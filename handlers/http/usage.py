"""`GET /api/v1/mattermost/usage/{orgId}`: what an organization's agent did, and what that took."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bridge.errors import (
    DatabaseUnavailable,
    EquaUnavailable,
    InvalidRequest,
    NotAnAdmin,
    NotSignedIn,
    TooManyRequests,
)
from bridge.models.budgets import month_after, share
from bridge.models.equa import OrganizationId
from bridge.models.organization_settings import NO_BUDGET
from bridge.models.usage_report import LONGEST, USUAL, Days, Line, Report, days_between, read_day
from handlers.http import visitors
from handlers.http.app_keys import LIMITS, SERVICES, Services
from handlers.http.models import AnyUuid, Count, Input, Model, OfOrganization, parsed, reply
from handlers.http.route import Reply, Route

_By = Literal["day", "person", "outcome"]
_DAY_LIKE = "a date from 2000 on such as 2026-11-27"
_DAY = WithJsonSchema({"type": "string", "format": "date"})


def _day(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004  # pydantic reports this one
    return read_day(value)


_GivenDay = Annotated[date | None, BeforeValidator(_day), _DAY]
_NULLABLE_DAY = WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]})
_Cost = Annotated[
    Decimal | None,
    PlainSerializer(lambda cost: None if cost is None else format(cost, "f")),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]}),
]
_Seconds = Annotated[float | None, Field(ge=0)]


class _Query(Input):
    first: Annotated[
        _GivenDay,
        Field(alias="from", description=f"{_DAY_LIKE}, in UTC; without it the last {USUAL} days"),
    ] = None
    last: Annotated[_GivenDay, Field(alias="to", description=f"{_DAY_LIKE}; without it today")] = None
    by: Annotated[_By, Field(description="day, person or outcome")] = "day"


class _Figures(Model):
    """Sums are of what is known; seconds are medians, since the question was stored."""

    questions: Count
    answered: Count
    failed: Count
    stopped: Count
    refused: Annotated[Count, Field(description="By a limit or the budget.")]
    no_reply: Annotated[Count, Field(description="The agent chose to say nothing.")]
    unfinished: Count
    prompt_tokens: Count
    completion_tokens: Count
    unknown_tokens: Annotated[Count, Field(description="Questions of which not all tokens are known.")]
    cost: Annotated[
        _Cost, Field(description="A decimal number by the operator's prices; null where no price is known.")
    ]
    unknown_cost: Annotated[Count, Field(description="Questions of which not all of the cost is known.")]
    first_text: _Seconds
    last_text: _Seconds
    up: Annotated[Count, Field(description="How often people rate an answer well, likewise badly.")]
    down: Count


class _Line(_Figures):
    key: Annotated[
        str, Field(description="A date, a person's id or `others`, or an outcome: what `by` asks for.")
    ]
    name: Annotated[str | None, Field(description="Of a person, as far as it is known.")]
    username: Annotated[str | None, Field(description="Of the person's account in the chat.")]


class _Budget(Model):
    """Of the month that goes on now, whatever days are asked for."""

    tokens: Annotated[Count | None, Field(description="At most; null is no limit.")]
    cost: Annotated[_Cost, Field(description="Likewise, a decimal number.")]
    percent: Annotated[
        Count, Field(description="What is used, with an estimate of what nobody has reported, rounded down.")
    ]
    goes_on: Annotated[date | None, _NULLABLE_DAY, Field(description="Null while something is left.")]


class _Report(Model):
    organization_id: AnyUuid
    first: Annotated[date, Field(alias="from"), _DAY]
    last: Annotated[date, Field(alias="to"), _DAY]
    by: _By
    budget: Annotated[_Budget | None, Field(description="Null without one.")]
    total: Annotated[_Figures, Field(description="Of all lines.")]
    lines: Annotated[
        tuple[_Line, ...],
        Field(description="Every day and every outcome has one, and people who have asked something."),
    ]


async def look(request: web.Request) -> web.Response:
    """Answer an administrator of the organization."""
    organization = parsed(OfOrganization, request.match_info).org_id
    query = parsed(_Query, request.query)
    days = _days(query)
    await visitors.admin(request, organization)
    request.app[LIMITS].reports.use(organization)
    services = request.app[SERVICES]
    assert services.usage is not None
    report = await services.usage.report(days, query.by, organization)
    return reply(_shown(organization, days, query.by, report, await _budget(services, organization)))


async def _budget(services: Services, organization: OrganizationId) -> _Budget | None:
    assert services.organization_settings is not None
    assert services.budgets is not None
    budget = (await services.organization_settings.effective(organization)).budget
    if budget == NO_BUDGET:
        return None
    spent = await services.budgets.spent(organization)
    used = share(budget, spent)
    return _Budget(
        tokens=budget.tokens,
        cost=budget.cost,
        percent=int(used * 100),
        goes_on=month_after(spent.month) if used >= 1 else None,
    )


def _days(query: _Query) -> Days:
    """Return the days that are asked for; raise `InvalidRequest` if they are too many or none."""
    try:
        return days_between(query.first, query.last, datetime.now(UTC).date())
    except ValueError:
        raise InvalidRequest(f"from has to be a date before to, by {LONGEST - 1} days at most.") from None


def _shown(
    organization: OrganizationId, days: Days, by: _By, report: Report, budget: _Budget | None
) -> _Report:
    return _Report(
        organization_id=organization,
        first=days.first,
        last=days.last,
        by=by,
        budget=budget,
        total=_Figures(**asdict(report.total)),
        lines=tuple(map(_line, report.lines)),
    )


def _line(line: Line) -> _Line:
    return _Line(key=line.key, name=line.name, username=line.username, **asdict(line.figures))


def shown_as_json(report: Report) -> dict[str, Any]:
    """Return the lines and the total as the API has them."""
    return {
        "total": _Figures(**asdict(report.total)).model_dump(mode="json", by_alias=True),
        "lines": [_line(each).model_dump(mode="json", by_alias=True) for each in report.lines],
    }


ROUTE = Route(
    method="GET",
    path="/api/v1/mattermost/usage/{orgId}",
    handler=look,
    operation="usage",
    summary="What an organization's agent did, and what that took",
    description=f"For its administrators. Days are of UTC, and {LONGEST} of them at most.",
    caller="person",
    cors=True,
    path_model=OfOrganization,
    query_model=_Query,
    replies={200: Reply("The figures.", _Report)},
    errors=(InvalidRequest, NotSignedIn, NotAnAdmin, TooManyRequests, EquaUnavailable, DatabaseUnavailable),
)
