"""A process that dies at any await between a request, a press and the end: another does the rest, once."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from asyncpg import Pool

from tests.support.approvals import buttons
from tests.support.approving import Scene, approving
from tests.support.crashes import Crash, Crashes, When
from tests.support.hosts import Hosts


@pytest.fixture
async def scene(hosts: Hosts, pool: Pool) -> AsyncIterator[Scene]:
    async with approving(hosts, pool) as built:
        yield built


async def _approved(scene: Scene, at: int, when: When) -> Crashes:
    """Ask for an approval and give it, in a process that dies, and let others do the rest."""
    question = await scene.asked()
    requested, run = await scene.requested(question)
    crashes = Crashes(at, when)
    dying = scene.process(crashes)
    with suppress(Crash):
        await dying.events.follow(requested)
        await dying.work()
        await scene.press(dying, question)
        await dying.work()

    other = await scene.revived()
    # Each connect to the gateway tells again what waits.
    await other.events.follow(requested)
    await other.work()
    await scene.press(other, question)
    await other.work()

    assert await run == "allow-once", at
    post = scene.approval_post(question)
    assert post.message.startswith("**Approved** by @acme-1, "), at
    assert buttons(post) == {}, at
    return crashes


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_await_loses_and_doubles_nothing(scene: Scene, when: When) -> None:
    """One post, one decision at the gateway, one row of the audit, whichever call was the last."""
    at, crashes, calls = 0, None, set[str]()
    while crashes is None or crashes.happened:
        at += 1
        crashes = await _approved(scene, at, when)
        calls.add(crashes.call)

    assert {"add", "put_all", "create_post", "posted", "is_admin", "decide", "resolve_approval"} <= calls
    assert {"settle", "replace_post", "finish"} <= calls
    rows = await scene.pool.fetch(
        "select count(*) as n, count(distinct subject) as subjects from audit where kind = 'approval_decided'"
    )
    assert [tuple(row.values()) for row in rows] == [(at, at)]
