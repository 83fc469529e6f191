"""The two statements that the job table lives by."""

JOB = "id, kind, lane, organization_id, payload, attempts, created, key, answer, failure"
"""The columns that fill `bridge.models.Job`."""

PUT = f"""
with entry as (
    select *, row_number() over (partition by lane, refused is null order by n) = 1 as first_of_lane
    from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[])
        with ordinality as e(kind, lane, organization_id, dedupe, payload, refused, n)
), served as (
    select coalesce((select max(turn) from jobs where state = 'running'), 0) as turn,
           not exists (select from jobs where state = 'waiting' and run_at <= now()) as idle
), placed as (
    select e.*,
           greatest(s.turn, coalesce(last.turn, 0))
               + row_number() over (partition by e.organization_id order by e.n) as turn,
           case when e.refused is not null then 'refused'
                when s.idle and e.n <= $12 and e.first_of_lane
                     and (e.organization_id is null or e.organization_id <> all($13::uuid[]))
                     and not exists (select from jobs j
                                     where j.lane = e.lane and j.state in ('waiting', 'running'))
                then 'running'
                else 'waiting' end as state,
           coalesce(lane_last.run_at, now()) as run_at
    from entry e
    cross join served s
    left join lateral (
        select max(j.turn) as turn from jobs j
        where j.organization_id = e.organization_id and j.state = 'waiting'
    ) last on true
    left join lateral (
        select max(j.run_at) as run_at from jobs j where j.lane = e.lane and j.state = 'waiting'
    ) lane_last on true
), put as (
    insert into jobs (kind, lane, organization_id, dedupe, payload, reason, turn, state, run_at,
                      finished, holder, lease, started, attempts)
    select kind, lane, organization_id, dedupe, payload, refused, turn, state, run_at,
           case when state = 'refused' then now() end,
           case when state = 'running' then $14::uuid end,
           case when state = 'running' then now() + $15::interval end,
           case when state = 'running' then now() end,
           case when state = 'running' then 1 else 0 end
    from placed
    order by n
    on conflict (dedupe) do nothing
    returning dedupe, state, {JOB}
), moved as (
    insert into positions (channel_id, post_id, create_at, begin_at)
    select * from unnest($7::text[], $8::text[], $9::bigint[], $10::bigint[])
    on conflict (channel_id) do update
    set post_id = excluded.post_id, create_at = excluded.create_at, modified = now()
    where positions.create_at < excluded.create_at
), woken as (
    select pg_notify($11, '') from put where state = 'waiting' limit 1
)
select put.*, (select count(*) from woken) from put
"""  # noqa: S608  # built of constants
"""Store entries ($1 to $6) and positions ($7 to $10) at once.

While nothing else waits, the first $12 entries whose lanes are free, and whose organizations are not
among $13, are claimed on the way for the holder $14 and the lease $15: what is claimed so has
overtaken nobody.
"""

CLAIM = f"""
with candidate as materialized (
    select j.id from jobs j
    where j.state = 'waiting' and j.run_at <= now() and j.kind = any($5)
      and (j.organization_id is null or j.organization_id <> all($4::uuid[]))
      and j.id = (select o.id from jobs o
                  where o.lane = j.lane and o.state in ('waiting', 'running') order by o.id limit 1)
    order by j.turn, j.id
    limit $1
    for update skip locked
)
update jobs set state = 'running', holder = $2, lease = now() + $3, attempts = attempts + 1,
                started = coalesce(started, now())
from candidate where jobs.id = candidate.id
returning {", ".join("jobs." + column.strip() for column in JOB.split(","))}
"""  # noqa: S608  # built of constants
"""Claim up to $1 jobs of the kinds $5 for the holder $2 and the lease $3, the lowest turn first, none of
organizations $4.
"""

RETRY = """
with back as (
    update jobs set state = 'waiting', holder = null, lease = null, run_at = now() + $3, reason = $4
    where id = $1 and holder = $2 and state = 'running'
    returning id, lane, run_at
), behind as (
    update jobs set run_at = back.run_at from back
    where jobs.lane = back.lane and jobs.state = 'waiting' and jobs.id <> back.id
      and jobs.run_at < back.run_at
)
select id from back
"""
"""Let a job wait for its next attempt, and what stands behind it in its lane as long."""
