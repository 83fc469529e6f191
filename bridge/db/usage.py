"""What each answer has taken: one row a question, stored with the answer or with its end."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from operator import attrgetter
from typing import Any

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.usage import Used

KEEP = timedelta(days=396)
"""13 months."""

_TYPES = ("text", "text", "int", "int", "bigint", "bigint", "numeric", "float8", "float8", "text")
"""The types of the fields of `Used`, in their order."""
_NAMES = [each.name for each in fields(Used)]
_of_used = attrgetter(*_NAMES)

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
    """Return what adds the parameters from `$first` on, those of `columns`, to the rows of the jobs `of`.

    `of` is a query's name with the columns `JOB`; `$1` has the ids of the jobs in the same order as the
    parameters. Nothing is added where the outcome is null.
    """
    given = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES, first))
    return f"""{_INSERT} select {_JOB_VALUES}, {", ".join(f"g.{name}" for name in _NAMES)}
               from {of} o join unnest($1::bigint[], {given}) as g(job, {", ".join(_NAMES)}) on g.job = o.id
               where g.outcome is not null and {_IS_QUESTION} {_ADD}"""  # noqa: S608  # built of constants


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


def columns(used: Sequence[Used | None]) -> list[Sequence[Any]]:
    """Return the parameters of `added`, of which each has a value of each job; None adds nothing."""
    nothing = (None,) * len(_NAMES)
    return list(zip(*(_of_used(each) if each else nothing for each in used), strict=True))


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
