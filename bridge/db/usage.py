"""What each answer has taken: one row a question, stored with the answer or with its end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asyncpg import Pool

from bridge.db.kinds import ASKING
from bridge.db.pool import database_errors
from bridge.models.jobs import JobId
from bridge.models.usage import Used

KEEP = timedelta(days=396)
"""13 months."""

_FIELDS = {
    "outcome": "text",
    "model": "text",
    "runs": "int",
    "unreported": "int",
    "prompt": "bigint",
    "completion": "bigint",
    "cost": "numeric",
    "first_text": "float8",
    "last_text": "float8",
    "reason": "text",
}
"""The fields of `Used` in the order of the table's columns, and their types."""

JOB = "id, kind, lane, organization_id, payload, created, started"
"""The columns of a job that its row is made of."""

_JOB_VALUES = """
    o.id, o.organization_id, (o.payload ->> 'person_id')::uuid, o.kind, o.lane, o.payload ->> 'post_id',
    coalesce(o.started, now()), now()
"""
_INSERT = """
    insert into usage (job_id, organization_id, person_id, kind, conversation, post_id, began, ended, outcome,
                       model, runs, unreported, prompt_tokens, completion_tokens, cost, first_text, last_text,
                       reason)
"""
_ADD = """
    on conflict (job_id) do update set
        outcome = case excluded.outcome when 'unfinished' then usage.outcome else excluded.outcome end,
        ended = excluded.ended,
        reason = coalesce(excluded.reason, usage.reason),
        model = coalesce(excluded.model, usage.model),
        runs = usage.runs + excluded.runs,
        unreported = usage.unreported + excluded.unreported,
        prompt_tokens = coalesce(usage.prompt_tokens + excluded.prompt_tokens,
                                 usage.prompt_tokens, excluded.prompt_tokens),
        completion_tokens = coalesce(usage.completion_tokens + excluded.completion_tokens,
                                     usage.completion_tokens, excluded.completion_tokens),
        cost = coalesce(usage.cost + excluded.cost, usage.cost, excluded.cost),
        first_text = least(usage.first_text, excluded.first_text),
        last_text = greatest(usage.last_text, excluded.last_text)
"""
_IS_QUESTION = "o.organization_id is not null and o.payload ->> 'person_id' is not null"


def added(of: str, given: str) -> str:
    """Return what adds the parameter `given`, which `records` returns, to the rows of the jobs `of`.

    `of` is a query's name with the columns `JOB`.
    """
    types = ", ".join(f"{name} {kind}" for name, kind in _FIELDS.items())
    return f"""{_INSERT} select {_JOB_VALUES}, {", ".join(f"g.{name}" for name in _FIELDS)}
               from {of} o join jsonb_to_recordset({given}::jsonb) as g(job bigint, {types}) on g.job = o.id
               where {_IS_QUESTION} {_ADD}"""  # noqa: S608  # built of constants


def lost(of: str) -> str:
    """Return what adds one run of which nobody knows the tokens to the rows of the jobs `of`.

    Their process has ended while it worked on them; which had not asked yet is not known.
    """
    return f"""{_INSERT} select {_JOB_VALUES}, 'unfinished', null, 1, 1, null, null, null, null, null, null
               from {of} o where {_IS_QUESTION} and o.kind in {ASKING} {_ADD}"""  # noqa: S608  # likewise


def refused(of: str) -> str:
    """Return what stores that the questions among the jobs `of` were refused by a limit; they took nothing.

    Somebody without a mapping is nobody of the organization.
    """
    return f"""{_INSERT}
        select o.id, o.organization_id, u.id, o.kind, o.lane, substr(o.dedupe, length('post:') + 1), now(),
               now(), 'refused', null, 0, 0, 0, 0, 0, null, null, o.reason
        from {of} o join mattermost_user_mappings u on u.mattermost_user_id = o.payload ->> 'user_id'
        where o.state = 'refused' and o.reason = 'too_many_questions' and o.organization_id is not null
        on conflict do nothing"""  # noqa: S608  # likewise


def records(used: Iterable[tuple[JobId, Used | None]]) -> list[dict[str, Any]]:
    """Return the parameter of `added`, as JSON values: what jobs have used; None is nothing."""
    return [_record(job, each) for job, each in used if each]


def _record(job: JobId, used: Used) -> dict[str, Any]:
    values = {name: getattr(used, name) for name in _FIELDS}
    return {**values, "job": job, "cost": None if used.cost is None else str(used.cost)}


@dataclass(frozen=True, slots=True)
class UsageRows:
    """The rows that are kept."""

    pool: Pool

    @database_errors
    async def purge(self, older_than: timedelta = KEEP) -> int:
        """Forget what is older; returns how many rows, 10,000 at most."""
        rows = await self.pool.fetch(
            """delete from usage where job_id in (
                   select job_id from usage where began < now() - $1::interval limit 10000
               ) returning job_id""",
            older_than,
        )
        return len(rows)
