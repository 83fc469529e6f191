"""Up to where each channel was read, and when the bridge first began."""

import asyncio

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.positions import Positions
from bridge.errors import DatabaseUnavailable
from bridge.models.chat import ChannelId, Position, PostId


@pytest.fixture
def positions(pool: Pool) -> Positions:
    return Positions(pool)


def at(create_at: int, channel: str = "c", *, post: str = "", begin_at: int | None = None) -> Position:
    begin = create_at + 1 if begin_at is None else begin_at
    return Position(ChannelId(channel), PostId(post), create_at, begin)


async def test_before_the_first_start_nothing_is_known(positions: Positions) -> None:
    assert await positions.started_at() is None
    assert await positions.all() == {}


async def test_the_first_start_remembers_where_the_channels_are(positions: Positions) -> None:
    """And when it was, also if that was at the very beginning of time."""
    await positions.begin(0, [at(7, "c"), at(0, "d")])

    assert await positions.started_at() == 0
    assert await positions.all() == {"c": at(7, "c"), "d": at(0, "d")}


async def test_a_second_start_changes_nothing(positions: Positions) -> None:
    """Otherwise what was posted while nobody listened would become history."""
    await positions.begin(10, [at(7)])

    await positions.begin(99, [at(99), at(99, "d")])

    assert await positions.started_at() == 10
    assert await positions.all() == {"c": at(7)}


async def test_of_two_first_starts_at_once_one_counts(positions: Positions) -> None:
    """All of it or none."""
    await asyncio.gather(*(positions.begin(n, [at(n, "c"), at(n, "d")]) for n in range(1, 11)))

    started = await positions.started_at()
    assert started
    assert await positions.all() == {"c": at(started, "c"), "d": at(started, "d")}


async def test_a_channel_keeps_its_beginning_while_it_is_read(positions: Positions, pool: Pool) -> None:
    """What is history stays history, whoever moves the position."""
    await positions.begin(10, [at(7)])

    await Inbox(pool).put_all([], [at(20, post="p20", begin_at=0)])

    assert await positions.all() == {"c": at(20, post="p20", begin_at=8)}


async def test_of_the_same_moment_the_first_post_stays(positions: Positions, pool: Pool) -> None:
    """A position only moves forward."""
    inbox = Inbox(pool)
    await inbox.put_all([], [at(20, post="one")])
    await inbox.put_all([], [at(20, post="two")])

    assert (await positions.all())[ChannelId("c")].post_id == "one"


async def test_a_single_channel_is_looked_up(positions: Positions) -> None:
    """None if it was never read."""
    await positions.begin(1, [at(10, "c"), at(20, "d")])

    assert await positions.of(ChannelId("d")) == at(20, "d")
    assert await positions.of(ChannelId("e")) is None


async def test_positions_after_a_moment_are_put_back(positions: Positions) -> None:
    """What they stood on is forgotten, and their beginning is not in the future either."""
    await positions.begin(1, [at(50, "c", post="p"), at(51, "d", post="q"), at(60, "e", begin_at=7)])

    assert set(await positions.put_back(after=50, to=20)) == {"d", "e"}

    assert dict(await positions.all()) == {
        "c": at(50, "c", post="p"),
        "d": at(20, "d", begin_at=50),
        "e": at(20, "e", begin_at=7),
    }


async def test_a_database_that_is_away_is_told(positions: Positions, pool: Pool) -> None:
    """It is not taken for one that was never served."""
    await pool.close()

    with pytest.raises(DatabaseUnavailable):
        await positions.started_at()
    with pytest.raises(DatabaseUnavailable):
        await positions.all()
    with pytest.raises(DatabaseUnavailable):
        await positions.begin(1, [])
