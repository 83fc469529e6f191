"""Ten million finished jobs beside none: `python -m tests.bench.many_jobs [JOBS]`.

Filling the table takes some minutes and eight gigabytes, so `make bench` leaves it out.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from uuid import UUID

from asyncpg import Pool

from bridge import embedded
from bridge.db.inbox import Inbox
from bridge.db.job_history import JobHistory
from bridge.db.job_runner import Capacity
from bridge.db.mappings import Mappings
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.db.status import read
from bridge.log import configure
from bridge.models.chat import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry
from tests.support.mappings import Mappings as OwnMappings

JOBS = 10_000_000
ROUNDS = 400
OLD, PURGES = 10_000, 7
"""Jobs that are purged at once, and how often."""
KEEP = timedelta(days=90)

TEAM, AUTHOR = TeamId("t" * 26), UserId(md5(b"1", usedforsecurity=False).hexdigest()[:26])

_FILL = """
insert into jobs (kind, lane, organization_id, dedupe, payload, state, reason, turn, attempts, run_at, answer,
                  result, created, started, finished, author, posted_at)
select case when n % 10 = 0 then 'notice' else 'mention' end,
       'thread:' || md5((n / 5)::text), lpad((n % 10000)::text, 32, '0')::uuid,
       'post:' || left(md5(n::text), 26),
       jsonb_build_object('post_id', left(md5(n::text), 26), 'user_id', left(md5((n % 50000)::text), 26),
                          'message', '@equabot ' || md5(n::text) || ' who owns how many shares?',
                          'create_at', ms),
       case when n % 50 = 0 then 'dead' when n % 7 = 0 then 'refused' else 'done' end,
       case when n % 7 = 0 then 'no_mention' end, n / 100, 1, at,
       case when n % 7 <> 0 then repeat(md5(n::text), 8) end,
       case when n % 7 <> 0 then jsonb_build_object('posts', jsonb_build_array('p' || n)) end,
       at, at, at + interval '4 seconds', left(md5((n % 50000)::text), 26), ms
from generate_series($1::bigint, $2::bigint) n
cross join lateral (select $3::timestamptz + n * $4::interval as at) moment
cross join lateral (select (extract(epoch from at) * 1000)::bigint as ms) milliseconds
"""


async def fill(pool: Pool, jobs: int) -> None:
    """Store finished jobs of the last 89 days; their indexes are made afterwards."""
    indexes = await pool.fetch(
        "select indexname, indexdef from pg_indexes where tablename = 'jobs' and indexname not like '%pkey'"
        " and indexname not like '%_key'"
    )
    for index in indexes:
        await pool.execute(f"drop index {index['indexname']}")
    step, days = 500_000, timedelta(days=89)
    begin = datetime.now(UTC) - days
    for first in range(1, jobs + 1, step):
        await finished(pool, first, min(first + step - 1, jobs), begin, days / jobs)
        print(f"  {min(first + step - 1, jobs):,} jobs", file=sys.stderr, flush=True)
    for index in indexes:
        await pool.execute(index["indexdef"], timeout=3600)
    await pool.execute("vacuum analyze jobs", timeout=3600)


async def finished(pool: Pool, first: int, last: int, begin: datetime, apart: timedelta) -> None:
    """Store finished jobs of these numbers, each so long after the one before it."""
    await pool.execute(_FILL, first, last, begin, apart, timeout=3600)


async def people(pool: Pool) -> None:
    """Let the bridge know the team and the author of the posts that it is asked about."""
    mappings = OwnMappings(pool)
    await mappings.map_team(OrganizationId(UUID(int=1)), TEAM, "acme")
    await mappings.map_person(PersonId(UUID(int=1)), AUTHOR, "ada")


async def old_jobs(pool: Pool) -> None:
    """Store jobs that are to be purged, as large as others: smaller ones fill gaps of a full table."""
    await pool.execute(
        """insert into jobs (kind, lane, dedupe, payload, state, answer, finished, created)
           select 'mention', 'old:' || n, 'old:' || n,
                  jsonb_build_object('message', repeat(md5(n::text), 16)), 'done',
                  repeat(md5(n::text), 8), now() - interval '100 days', now() - interval '100 days'
           from generate_series(1, $1::int) n""",
        OLD,
    )


async def one_job(pool: Pool, number: int) -> None:
    """Store a question, claim it and end it."""
    inbox = Inbox(pool)
    organization = OrganizationId(UUID(int=number % 100))
    post = {"user_id": "u" * 26, "create_at": time.time_ns() // 1_000_000, "post_id": f"{number:026}"}
    await inbox.put_all([Entry("mention", f"bench:{number}", organization, f"bench:{number}", post)])
    (job,) = await inbox.claim(Capacity(1))
    await inbox.finish(job.id, {"posts": ["p"]})


async def facts(pool: Pool, number: int) -> None:
    """Ask what decides about a post."""
    post = Post(
        id=PostId(f"{number:026}"),
        channel_id=ChannelId("c" * 26),
        user_id=AUTHOR,
        root_id=PostId("r" * 26),
        message="@equabot hello",
        create_at=time.time_ns() // 1_000_000,
    )
    await Mappings(pool).facts([Posted(post, TEAM, "agent")], "agent")


async def why(pool: Pool, number: int) -> None:
    await JobHistory(pool).record(PostId(f"{number:026}"))


async def backlog(pool: Pool, _number: int) -> None:
    await JobHistory(pool).backlogs()


async def status(pool: Pool, _number: int) -> None:
    await read(pool)


STEPS: Mapping[str, tuple[Callable[[Pool, int], Awaitable[None]], int]] = {
    "store, claim and end a job": (one_job, ROUNDS),
    "facts about a post": (facts, ROUNDS),
    "why": (why, ROUNDS),
    "backlog, every ten seconds": (backlog, ROUNDS // 4),
    "status": (status, ROUNDS // 10),
}


async def compare(empty: Pool, full: Pool) -> None:
    """Do each step in both, in turn."""
    for what, (step, rounds) in STEPS.items():
        taken: dict[bool, list[float]] = {True: [], False: []}
        for number in range(rounds):
            for is_full, pool in ((False, empty), (True, full)):
                began = time.perf_counter()
                await step(pool, number)
                taken[is_full].append((time.perf_counter() - began) * 1000)
        report(what, *(statistics.median(taken[each][rounds // 10 :]) for each in (False, True)))
    both = [(await purged(empty), await purged(full)) for _ in range(PURGES)]
    report(f"purge of {OLD:,} jobs", *(statistics.median(each) for each in zip(*both, strict=True)))


async def purged(pool: Pool) -> float:
    await old_jobs(pool)
    # Storing them has made pages dirty, which a purge some months later does not have to write.
    await pool.execute("checkpoint", timeout=600)
    began = time.perf_counter()
    while await JobHistory(pool).purge(KEEP):
        pass
    return (time.perf_counter() - began) * 1000


def report(what: str, empty: float, full: float) -> None:
    print(f"{what:<40} empty {empty:9.2f} ms; full {full:9.2f} ms; ratio {full / empty:.2f}", flush=True)


async def main(jobs: int) -> None:
    async with AsyncExitStack() as stack:
        pools = []
        for _ in ("empty", "full"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            dsn = await stack.enter_async_context(embedded.run(folder / "data"))
            await migrate(dsn)
            pools.append(await stack.enter_async_context(await open_pool(dsn, command_timeout=600)))
            await people(pools[-1])
        empty, full = pools
        began = time.perf_counter()
        await fill(full, jobs)
        size = await full.fetchval("select pg_size_pretty(pg_total_relation_size('jobs'))")
        print(f"{jobs:,} finished jobs, {size}, stored in {time.perf_counter() - began:.0f} s", flush=True)
        await compare(empty, full)


if __name__ == "__main__":
    configure("error", "console")
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else JOBS))
