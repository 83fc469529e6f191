"""When something was last done, by whichever process."""

from datetime import timedelta

from asyncpg import Pool

from bridge.db.periodic_tasks import Chores


async def test_a_chore_has_an_age(pool: Pool) -> None:
    """From when it was last done; none before."""
    chores = Chores(pool)
    assert await chores.age("sweep") is None

    await chores.done("sweep")
    await pool.execute("update chores set finished = now() - interval '1 hour'")
    await chores.done("dust")

    assert timedelta(hours=1) <= (await chores.age("sweep") or timedelta()) < timedelta(hours=2)
    assert (await chores.age("dust") or timedelta(hours=1)) < timedelta(minutes=1)
    await chores.done("sweep")
    assert (await chores.age("sweep") or timedelta(hours=1)) < timedelta(minutes=1)


async def test_a_beginning_stays_where_it_is(pool: Pool) -> None:
    """The first who asks sets it, and nobody after them."""
    chores = Chores(pool)
    assert await chores.since("sweep begun") == timedelta()

    await pool.execute("update chores set finished = now() - interval '1 hour'")

    assert timedelta(hours=1) <= await Chores(pool).since("sweep begun") < timedelta(hours=2)
