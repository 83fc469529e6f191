"""The figures of `equabot-bridge status`, read from the tables alone."""

from typing import Any

from asyncpg import Pool, UndefinedColumnError, UndefinedTableError

from bridge.db.kinds import ASKING
from bridge.db.pool import database_errors
from bridge.db.processes import Processes
from bridge.errors import StartupError
from bridge.models.status import LastHour, Slowest, Status, Today, Waiting

_BACKLOG = """
select kind, count(*) filter (where state = 'waiting')::int as waiting,
       extract(epoch from now() - min(created) filter (where state = 'waiting'))::float8 as oldest_waiting,
       count(*) filter (where state = 'running')::int as running,
       extract(epoch from now() - min(created) filter (where state = 'running'))::float8 as oldest_running
from jobs where state in ('waiting', 'running') group by kind order by kind
"""

_LAST_HOUR = f"""
with ended as materialized (
    select state, state = 'done' and result ? 'posts' as is_answer,
           greatest(extract(epoch from finished) - posted_at / 1000.0, 0)::float8 as seconds
    from jobs
    where state in ('done', 'dead', 'refused') and finished > now() - interval '1 hour'
      and kind in {ASKING}
)
select count(*) filter (where is_answer)::int as answered,
       count(*) filter (where state = 'dead')::int as failed,
       count(*) filter (where state = 'refused')::int as refused,
       percentile_cont(0.5) within group (order by seconds) filter (where is_answer) as median,
       percentile_cont(0.95) within group (order by seconds) filter (where is_answer) as p95
from ended
"""  # noqa: S608  # built of constants

_SLOWEST = f"""
with answers as materialized (
    select organization_id, greatest(extract(epoch from finished) - posted_at / 1000.0, 0)::float8 as seconds
    from jobs
    where state in ('done', 'dead', 'refused') and finished > now() - interval '1 hour'
      and kind in {ASKING} and state = 'done' and result ? 'posts'
      and organization_id is not null and posted_at is not null
    order by finished desc limit 20000
)
select organization_id, coalesce(max(mattermost_team_name), '') as team, count(*)::int as answers,
       percentile_cont(0.5) within group (order by seconds) as median
from answers left join mattermost_org_mappings using (organization_id)
group by organization_id order by median desc limit 1
"""  # noqa: S608  # built of constants
"""Of the last 20,000 answers at most: each process asks this every minute."""

_GENERAL = """
select now() as at, split_part(current_setting('server_version'), ' ', 1) as postgresql,
       (select max(version) from schema_migrations) as schema,
       count(*)::int as approvals, extract(epoch from now() - min(created))::float8 as oldest_approval
from approvals where state = 'pending' and expires_at > now()
"""

_TODAY = """
select coalesce(sum(prompt_tokens), 0)::bigint as prompt_tokens,
       coalesce(sum(completion_tokens), 0)::bigint as completion_tokens,
       coalesce(sum(cost), 0)::float8 as cost, coalesce(sum(unreported), 0)::int as unreported
from usage where began >= date_trunc('day', now(), 'UTC')
"""


@database_errors
async def read(pool: Pool) -> Status:
    """Read everything; it takes some milliseconds, however many jobs are done.

    Raises `StartupError` for a database whose tables are of an earlier version.
    """
    try:
        return await _read(pool)
    except (UndefinedTableError, UndefinedColumnError):
        raise StartupError(
            "The database is of an earlier version: `equabot-bridge migrate` brings it to this one."
        ) from None


@database_errors
async def slowest(pool: Pool) -> Slowest | None:
    """Return the organization whose answers of the last hour took longest; None without any answer."""
    row = await pool.fetchrow(_SLOWEST)
    return Slowest(**dict(row.items())) if row else None


async def _read(pool: Pool) -> Status:
    processes = await Processes(pool).alive()
    hour = LastHour(**await _row(pool, _LAST_HOUR), slowest=await slowest(pool))
    return Status(
        **await _row(pool, _GENERAL),
        processes=processes,
        backlog=[Waiting(**dict(row.items())) for row in await pool.fetch(_BACKLOG)],
        last_hour=hour,
        unread=max((process.unread for process in processes), default=0),
        today=Today(**await _row(pool, _TODAY)),
    )


async def _row(pool: Pool, query: str) -> dict[str, Any]:
    row = await pool.fetchrow(query)
    return dict(row.items()) if row else {}
