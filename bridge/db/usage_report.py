"""What the agents of organizations have done, summed up."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

from asyncpg import Pool, Record

from bridge.db.pool import database_errors
from bridge.metrics import MonthlyUsage
from bridge.models.equa import OrganizationId
from bridge.models.usage import Outcome
from bridge.models.usage_report import By, Days, Figures, Line, Report

MOST_PEOPLE = 500
"""Who have a line of their own."""

OTHERS = "others"

_PATIENCE = 30.0
"""Seconds; half a million questions take some."""

_KEYS: Mapping[By, str] = {
    "day": "(u.began at time zone 'UTC')::date",
    "person": "p.person_id",
    "outcome": 'u.outcome collate "C"',
    "organization": "u.organization_id",
}
"""They are sorted by what is quick to sort."""
_RANGE = """
    u.began >= $1::date::timestamp at time zone 'UTC'
    and u.began < ($2::date + 1)::timestamp at time zone 'UTC'
"""
_OUTCOMES = ", ".join(
    f"count(*) filter (where outcome = '{outcome}')::int as {outcome}" for outcome in get_args(Outcome)
)


def _report(by: By, where: str) -> str:
    """Return the statement of a report on the rows of which `where` is true."""
    people = f"""(select person_id from usage u where {_RANGE} and {where}
                  group by person_id order by count(*) desc, person_id limit {MOST_PEOPLE})"""  # noqa: S608  # built of constants
    joined = f"left join {people} p on p.person_id = u.person_id" if by == "person" else ""
    return f"""
with last as (
    select distinct on (a.job_id, f.user_id) a.job_id, f.rating
    from feedback f join answer_posts a on a.post_id = f.post_id join usage u on u.job_id = a.job_id
    where {_RANGE} and {where}
    order by a.job_id, f.user_id, f.reacted_at desc, f.rating
), rated as (
    select job_id, count(*) filter (where rating = 1) as up, count(*) filter (where rating = -1) as down
    from last group by job_id
)
select grouping(key) = 1 as is_total, key::text, count(*)::int as questions, {_OUTCOMES},
       coalesce(sum(prompt_tokens), 0)::bigint as prompt_tokens,
       coalesce(sum(completion_tokens), 0)::bigint as completion_tokens,
       count(*) filter (where unreported > 0)::int as unknown_tokens,
       sum(cost) filter (where runs > 0) as cost,
       count(*) filter (where unreported > 0 or (runs > 0 and cost is null))::int as unknown_cost,
       percentile_cont(0.5) within group (order by first_text) as first_text,
       percentile_cont(0.5) within group (order by last_text) as last_text,
       coalesce(sum(a.up + coalesce(rated.up, 0)), 0)::int as up,
       coalesce(sum(a.down + coalesce(rated.down, 0)), 0)::int as down
from (select u.*, {_KEYS[by]} as key from usage u {joined} where {_RANGE} and {where}) a
left join rated on rated.job_id = a.job_id
group by grouping sets ((key), ())
"""  # noqa: S608  # built of constants


_OF_ORGANIZATION = {by: _report(by, "u.organization_id = $3") for by in get_args(By)}
_OF_ALL = {by: _report(by, "true") for by in get_args(By)}

_PEOPLE = """
select id::text as key, mattermost_username as username,
       coalesce(visit_name, roster_name, shown_name) as fields
from mattermost_user_mappings where id = any($1::text[]::uuid[])
"""
_ORGANIZATIONS = """
select organization_id::text as key, coalesce(shown_name, mattermost_team_name) as name
from mattermost_org_mappings where organization_id = any($1::text[]::uuid[])
"""

_MONTH = """
with outcomes as (
    select organization_id::text as organization, outcome, count(*)::int as questions,
           coalesce(sum(prompt_tokens), 0)::bigint as prompt,
           coalesce(sum(completion_tokens), 0)::bigint as completion,
           coalesce(sum(cost), 0)::float8 as cost
    from usage
    where began >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'
    group by 1, 2
)
select organization, jsonb_object_agg(outcome, questions) as outcomes, sum(prompt)::bigint as prompt_tokens,
       sum(completion)::bigint as completion_tokens, sum(cost) as cost
from outcomes group by 1 order by sum(prompt + completion) desc, 1
"""

_FIGURES = tuple(field.name for field in fields(Figures))


@dataclass(frozen=True, slots=True)
class UsageReports:
    pool: Pool

    @database_errors
    async def report(self, days: Days, by: By, organization: OrganizationId | None = None) -> Report:
        """Return what was asked in these days, in one organization or in all, put together by something.

        Every day and every outcome has a line; of people and organizations those that have something in it,
        the most questions first. Totals are those of the lines, but for the medians.
        """
        if organization is None:
            rows = await self.pool.fetch(_OF_ALL[by], days.first, days.last, timeout=_PATIENCE)
        else:
            statement = _OF_ORGANIZATION[by]
            rows = await self.pool.fetch(statement, days.first, days.last, organization, timeout=_PATIENCE)
        total = next((_figures(row) for row in rows if row["is_total"]), Figures())
        found = {row["key"] or OTHERS: _figures(row) for row in rows if not row["is_total"]}
        return Report(await self._lines(found, by, days), total)

    @database_errors
    async def month(self) -> Sequence[MonthlyUsage]:
        """Return what agents have done since the first of the month, the most tokens first."""
        return [MonthlyUsage(**dict(row.items())) for row in await self.pool.fetch(_MONTH)]

    async def _lines(self, found: Mapping[str, Figures], by: By, days: Days) -> Sequence[Line]:
        match by:
            case "day":
                return _filled(found, (day.isoformat() for day in days.all()))
            case "outcome":
                return _filled(found, get_args(Outcome))
            case "person":
                return _named(found, await self.pool.fetch(_PEOPLE, list(found.keys() - {OTHERS})))
            case "organization":
                return _named(found, await self.pool.fetch(_ORGANIZATIONS, list(found)))


def _figures(row: Record) -> Figures:
    return Figures(**{name: row[name] for name in _FIGURES})


def _filled(found: Mapping[str, Figures], keys: Iterable[str]) -> Sequence[Line]:
    nothing = Figures()
    return [Line(key, found.get(key, nothing)) for key in keys]


def _named(found: Mapping[str, Figures], names: Iterable[Record]) -> Sequence[Line]:
    known = {row["key"]: row for row in names}
    keys = sorted(found, key=lambda key: (key == OTHERS, -found[key].questions, key))
    return [Line(key, found[key], **_name(known.get(key))) for key in keys]


def _name(row: Record | None) -> dict[str, Any]:
    """Return the names of a person, which are stored as JSON, or of an organization."""
    if row is None:
        return {}
    if "fields" not in row:
        return {"name": row["name"]}
    stored = json.loads(row["fields"] or "{}")
    name = " ".join(filter(None, (stored.get("first_name"), stored.get("last_name"))))
    return {"name": name or None, "username": row["username"]}
