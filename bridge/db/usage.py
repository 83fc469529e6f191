"""What each answer has taken: one row a question, stored with the answer or with its end."""

from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.usage import Used

KEEP = timedelta(days=396)
"""13 months."""

VALUES = 10
"""The number of parameters of `values`."""

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


def added(of: str, first: int) -> str:
    """Return what adds the parameters from `$first` on, those of `values`, to the row of the job `of`.

    `of` is a query's name with the columns `JOB`. Nothing is added where the outcome is null.
    """
    given = [f"${number}" for number in range(first, first + VALUES)]
    types = ("text", "text", "int", "int", "bigint", "bigint", "numeric", "float8", "float8", "text")
    typed = ", ".join(f"{name}::{kind}" for name, kind in zip(given, types, strict=True))
    return f"""{_INSERT} select {_JOB_VALUES}, {typed} from {of} o
               where {given[0]} is not null and {_IS_QUESTION} {_ADD}"""  # noqa: S608  # built of constants


def lost(of: str) -> str:
    """Return what adds one run of which nobody knows the tokens to the rows of the jobs `of`.

    Their process has ended while it worked on them; which had not asked yet is not known.
    """
    return f"""{_INSERT} select {_JOB_VALUES}, 'unfinished', null, 1, 1, null, null, null, null, null, null
               from {of} o where {_IS_QUESTION} and o.kind in ('mention', 'direct', 'repeat') {_ADD}"""  # noqa: S608  # likewise


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


def values(used: Used | None) -> tuple[Any, ...]:
    """Return the parameters of `added`; None adds nothing."""
    return astuple(used) if used else (None,) * VALUES


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
