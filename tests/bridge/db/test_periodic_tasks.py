"""When something was last done, by whichever process."""

from datetime import timedelta

from asyncpg import Pool

from bridge.db.periodic_tasks import PeriodicTasks


async def test_a_chore_has_an_age(pool: Pool) -> None:
    """From when it was last done; none before."""
    periodic_tasks = PeriodicTasks(pool)
    assert await periodic_tasks.age("sweep") is None

    await periodic_tasks.done("sweep")
    await pool.execute("update chores set finished = now() - interval '1 hour'")
    await periodic_tasks.done("dust")

    assert timedelta(hours=1) <= (await periodic_tasks.age("sweep") or timedelta()) < timedelta(hours=2)
    assert (await periodic_tasks.age("dust") or timedelta(hours=1)) < timedelta(minutes=1)
    await periodic_tasks.done("sweep")
    assert (await periodic_tasks.age("sweep") or timedelta(hours=1)) < timedelta(minutes=1)


async def test_a_beginning_stays_where_it_is(pool: Pool) -> None:
    """The first who asks sets it, and nobody after them."""
    periodic_tasks = PeriodicTasks(pool)
    assert await periodic_tasks.since("sweep begun") == timedelta()

    await pool.execute("update chores set finished = now() - interval '1 hour'")

    assert timedelta(hours=1) <= await PeriodicTasks(pool).since("sweep begun") < timedelta(hours=2)
