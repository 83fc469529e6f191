"""The statements of the job table that are more than a few lines."""

from bridge.db import audit, usage
from bridge.db.kinds import ASKING, NEED_TEAM
from bridge.db.unhurried import unhurried

JOB = "id, kind, lane, organization_id, payload, attempts, created, run_at, key, answer, failure"
"""The columns that fill `bridge.models.Job`."""


def _among(kinds: str) -> str:
    """Return what compares with each of the kinds in a parameter, which are one text with commas between.

    asyncpg looks at each element of an array more than once, in Python.
    """
    return f"any((select string_to_array({kinds}::text, ','))::text[])"


PUT = f"""
with entry as (
    select *, row_number() over (partition by lane, refused is null order by n) = 1 as first_of_lane
    from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[])
        with ordinality as e(kind, lane, organization_id, dedupe, payload, refused, n)
    -- Else what is stored already counts as the first of its lane.
    where not exists (select from jobs j where j.dedupe = e.dedupe)
), served as (
    select coalesce((select max(turn) from jobs where state = 'running'), 0) as turn,
           not exists (select from jobs where state = 'waiting' and not queued and run_at <= now()) as idle
), queue as (
    select e.*, not e.first_of_lane
                or exists (select from jobs j
                           where j.lane = e.lane and j.state in ('waiting', 'running')) as queued
    from entry e
), placed as (
    select q.*,
           greatest(s.turn, coalesce(last.turn, 0))
               + row_number() over (partition by q.organization_id order by q.n) as turn,
           case when q.refused is not null then 'refused'
                when s.idle and not q.queued and q.n <= $12 and q.kind = {_among("$16")}
                     and (q.organization_id is null or q.organization_id <> all($13::uuid[]))
                then 'running'
                else 'waiting' end as state
    from queue q
    cross join served s
    left join lateral (
        select max(j.turn) as turn from jobs j
        where j.organization_id = q.organization_id and j.state = 'waiting'
    ) last on true
), put as (
    insert into jobs (kind, lane, organization_id, dedupe, payload, reason, turn, state, queued,
                      author, posted_at, finished, holder, lease, started, attempts)
    select kind, lane, organization_id, dedupe, payload, refused, turn, state, queued and state = 'waiting',
           payload ->> 'user_id', (payload ->> 'create_at')::bigint,
           case when state = 'refused' then now() end,
           case when state = 'running' then $14::uuid end,
           case when state = 'running' then now() + $15::interval end,
           case when state = 'running' then now() end,
           case when state = 'running' then 1 else 0 end
    from placed
    order by n
    on conflict (dedupe) do nothing
    returning dedupe, state, queued, reason, {JOB}
), audited as (
    {audit.refused("put")}
), used as (
    {usage.refused("put")}
), moved as (
    insert into positions (channel_id, post_id, create_at, begin_at)
    select * from unnest($7::text[], $8::text[], $9::bigint[], $10::bigint[])
    on conflict (channel_id) do update
    set post_id = excluded.post_id, create_at = excluded.create_at, modified = now()
    where positions.create_at < excluded.create_at
), woken as (
    select pg_notify($11, '') from put where state = 'waiting' limit 1
)
select put.*, (select count(*) from woken) from put, {unhurried("$17")}
"""  # noqa: S608  # built of constants
"""Store entries ($1 to $6) and positions ($7 to $10) at once.

While nothing else waits, those of the first $12 entries are claimed on the way, for the holder $14 and the
lease $15, whose lanes are free, whose kinds are among $16 and whose organizations are not among $13. They
overtake nobody. If $17, nothing waits for the disk.
"""

CLAIM = f"""
with late as materialized (
    select j.id from jobs j
    where j.id = any(array(
        select head.id from unnest($6::text[]) as ended(lane)
        cross join lateral (
            select id, state, queued from jobs
            where lane = ended.lane and state in ('waiting', 'running') order by id limit 1
        ) head
        where head.state = 'waiting' and head.queued
    ))
    for update skip locked
), promoted as (
    update jobs set queued = false where id = any(array(select id from late)) returning pg_notify($7, '')
), candidate as materialized (
    select j.id from jobs j
    where j.state = 'waiting' and not j.queued and j.run_at <= now() and j.kind = {_among("$5")}
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
returning {", ".join("jobs." + column.strip() for column in JOB.split(","))}, jobs.state
"""  # noqa: S608  # built of constants
"""Claim up to $1 jobs of the kinds $5 for the holder $2 and the lease $3, the lowest turn first, none of
organizations $4.

A job that is stored while the job before it ends sees that one running, and is not seen by its end. The first
jobs of the lanes $6, in which that may have happened, are let go on; $7 tells everybody that they can be
claimed.
"""


def _lacks_team(reason: str) -> str:
    """Return whether a job that failed for this reason may be done once its organization's team is right.

    Whatever else it fails at has nothing to do with that: jobs that put the team right would end their own
    waits and each other's again and again.
    """
    return f"({reason} like 'team_not_mapped:%' or {reason} like 'channel_not_usable:%')"


RETRY = f"""
with back as (
    update jobs set state = 'waiting', holder = null, lease = null, reason = $4,
                    run_at = now() + case
                        when run_at > $5 and (kind <> all({NEED_TEAM}) or {_lacks_team("$4")})
                        then interval '0' else $3 end
    where id = $1 and holder = $2 and state = 'running'
    returning {usage.JOB}, run_at
), used as (
    {usage.added("back", "$7")}
), woken as (
    select pg_notify($6, '') from back where run_at <= now()
)
select id, (select count(*) from woken) from back
"""  # noqa: S608  # built of constants
"""Let a job wait for its next attempt, still the first of its lane; $7 is what this one has used.

$5 is its `run_at` as this attempt knows it: a later one says that it was woken meanwhile, and need not wait
for what it was woken for.
"""

WAKE = f"""
with its as materialized (
    select id, state from jobs
    where organization_id = $1 and kind = any({NEED_TEAM})
      and (state = 'running'
           or (state = 'waiting' and (queued or (run_at > now() and {_lacks_team("reason")}))))
    order by id for update
), begun_anew as (
    update jobs set run_at = now(), created = case when its.state = 'waiting' then now() else created end
    from its where jobs.id = its.id
)
select id, pg_notify($2, '') from its
"""  # noqa: S608  # built of constants
"""Let the jobs of the organization $1 that wait for its team run now; the time of these begins anew.

Those that run learn of it by their `run_at`.
"""

_BY_ID = """
    cross join lateral (
        select id, holder, state, answer, payload from jobs where id = given.job limit 1 for update
    ) j
    where j.holder = $2 and j.state = 'running'
"""
"""Locks the jobs of `given` and keeps those of the holder $2.

Each is looked up alone and by its id. Without the limit PostgreSQL may look through all jobs that are open:
it takes them for few as long as it has no statistics of a burst.
"""

SAVE_ANSWERS = f"""
with held as materialized (
    select j.id, j.answer is null as is_first, given.words, given.why
    from unnest($1::bigint[], $4::text[], $5::text[], $6::text[]) as given(job, words, why, question)
    {_BY_ID} and (given.question is null or j.payload ->> 'message' = given.question)
), saved as (
    update jobs set answer = held.words, failure = held.why, lease = now() + $3
    from held where jobs.id = held.id
    returning {", ".join("jobs." + column for column in usage.JOB.split(", "))}, held.is_first
), first as (
    select * from saved where is_first
), used as (
    {usage.added("first", "$7")}
)
select id from saved, {unhurried("$8")}
"""  # noqa: S608  # likewise
"""Store what is going to be posted for the jobs $1, and with it what they have used, $7.

An answer ($4, $5) is not stored if its question no longer reads as in $6. To repeat it adds nothing.
If $8, nothing waits for the disk.
"""


_READY = "state = 'waiting' and not queued and run_at <= now()"
"""What can be claimed; more of a lane than its first job is only there for moments."""


def _ending(change: str, returned: str, kind: str) -> str:
    """Return the statement that ends the jobs $1 of the holder $2 and lets the next of each lane go on.

    $3 has a value of the type `kind` for each, which `change` calls `held.value`; $8 is what they have used.
    A job of which $9 says that it has an answer does not end without it.
    The next begins here at once, claimed for the lease $4, while nothing else waits, and where $5 allows it,
    its kind is among $6 and its organization not among $7: it overtakes nobody. Else it can be claimed.
    Its columns are a job's; `idle` says that nothing else can be claimed.
    """
    return f"""
with held as materialized (
    select j.id, given.value
    from unnest($1::bigint[], $3::{kind}[], $9::boolean[]) as given(job, value, answered)
    {_BY_ID} and (not given.answered or j.answer is not null)
), ended as (
    update jobs set {change}, finished = now()
    from held where jobs.id = held.id
    returning {", ".join("jobs." + column for column in usage.JOB.split(", "))}, jobs.state, jobs.result,
              {returned} as outcome
), settled as (
    insert into answer_posts (post_id, job_id, part, state)
    select p.post_id, e.id, p.part,
           case when e.state = 'dead' then 'failed' when e.result ? 'stopped' then 'stopped'
                when p.is_left then 'failed' else 'done' end
    from ended e
    cross join lateral (
        select post as post_id, part, false as is_left
        from jsonb_array_elements_text(e.result -> 'posts') with ordinality as r(post, part)
        union
        select a.post_id, a.part, true from answer_posts a
        where a.job_id = e.id and not coalesce(e.result -> 'posts', '[]') ? a.post_id
    ) p
    where e.kind in {ASKING}
    on conflict (post_id) do update set state = excluded.state, modified = now()
), own as (
    insert into own_posts (post_id, job_id)
    select p.post_id, e.id from ended e
    cross join lateral jsonb_array_elements_text(e.result -> 'posts') as p(post_id)
    where e.kind not in {ASKING}
    on conflict (post_id) do nothing
), used as (
    {usage.added("ended", "$8")}
), audited as (
    {audit.stopped("ended")}
), refusals_audited as (
    {audit.not_asked("ended")}
), served as (
    select not exists (select from jobs where {_READY}) as idle
), next as (
    update jobs set queued = false,
        state = case when head.begins then 'running' else 'waiting' end,
        holder = case when head.begins then $2::uuid end,
        lease = case when head.begins then now() + $4::interval end,
        attempts = jobs.attempts + head.begins::int,
        started = case when head.begins then coalesce(jobs.started, now()) else jobs.started end
    from ended
    cross join served
    cross join lateral (
        select n.id, served.idle and $5 and n.run_at <= now() and n.kind = {_among("$6")}
                     and (n.organization_id is null or n.organization_id <> all($7::uuid[])) as begins
        from jobs n
        where n.lane = ended.lane and n.state = 'waiting'
        order by n.id limit 1
    ) head
    where jobs.queued and jobs.id = head.id
    returning {", ".join("jobs." + column for column in JOB.split(", "))}, jobs.state
)
select ended.id as ended, ended.outcome, ended.lane as ended_lane, served.idle, next.*
from ended cross join served left join next on next.lane = ended.lane
"""  # noqa: S608  # built of constants


FINISH = _ending(
    """state = case when failure is null or held.value ? 'skipped' then 'done' else 'dead' end,
       reason = failure, result = held.value""",
    "case when jobs.state = 'done' then 'done' else 'apology' end",
    "jsonb",
)
DEAD_LETTER = _ending("state = 'dead', reason = held.value", "jobs.state", "text")

RELEASE = f"""
with mine as (
    select {usage.JOB}, answer from jobs where holder = $1 and state = 'running' order by id for update
), given_back as (
    update jobs set state = 'waiting', holder = null, lease = null, run_at = now()
    from mine where jobs.id = mine.id returning jobs.id
), asked as (
    select * from mine where id = any($3) and answer is null
), used as (
    {usage.lost("asked")}
)
select id, pg_notify($2, '') from given_back
"""  # noqa: S608  # likewise
"""Give up the jobs of the holder $1, of which those of $3 had asked the agent."""

RELEASE_EXPIRED = f"""
with gone as (
    select {usage.JOB}, answer from jobs where state = 'running' and lease < now() and id <> all($1)
    order by id for update skip locked
), freed as (
    update jobs set state = 'waiting', holder = null, lease = null, reason = 'its holder stopped'
    from gone where jobs.id = gone.id
    returning jobs.id
), unanswered as (
    select * from gone where answer is null
), used as (
    {usage.lost("unanswered")}
)
select id from freed
"""  # noqa: S608  # likewise
"""Free the jobs whose lease has run out, but for those of $1."""

PROMOTE = """
with recursive lane as (
    (select lane from jobs where state = 'waiting' and queued order by lane limit 1)
    union all
    select (select j.lane from jobs j
            where j.state = 'waiting' and j.queued and j.lane > lane.lane order by j.lane limit 1)
    from lane where lane.lane is not null
)
update jobs set queued = false
where id = any(array(
    select head.id from lane
    cross join lateral (
        select j.id, j.state, j.queued from jobs j
        where j.lane = lane.lane and j.state in ('waiting', 'running') order by j.id limit 1
    ) head
    where head.state = 'waiting' and head.queued
))
"""
"""Let the first job of each lane be claimed, if the process that should have done so at once has died."""
