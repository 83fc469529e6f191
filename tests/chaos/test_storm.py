"""A short storm belongs to the check; `make chaos` runs the long one."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.storm import Plan, Storm
from tests.support.daemon import running
from tests.support.world import World


@pytest.mark.parametrize("daemons", [1, 2])
async def test_every_mention_is_answered_once_and_in_order(
    world: World, tmp_path: Path, daemons: int
) -> None:
    """Kills, cut sockets, 5xx, 429, delays and repeats: nothing is lost, double or out of order."""
    plan = Plan(mentions=80, kills=4, threads=20, events=80, pause=0.05)

    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(running(world.environ, tmp_path / f"{number}.log"))
            for number in range(daemons)
        ]
        counts = await Storm(world, started, plan).rage()

    assert counts.clean, counts
    assert counts.asked == 80
