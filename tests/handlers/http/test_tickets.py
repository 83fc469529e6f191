"""However many bad tickets come, good ones are taken."""

import asyncio
from dataclasses import replace

import pytest

from bridge.sandbox import demo_data
from handlers.http.app_keys import LIMITS, Limits
from handlers.http.limits import RateLimiter, TicketLimits
from tests.support.api import TEAM, TOKENS
from tests.support.clock import Clock
from tests.support.front import CONFIG, PATIENT, Front, front
from tests.support.mattermost import eventually

PEER = {"Authorization": f"Bearer {TOKENS[0]}"}
SHARED = "100.64.0.3"
"""An address of a platform's edge, through which everybody comes."""


def strict(burst: int) -> TicketLimits:
    return TicketLimits(RateLimiter(burst=burst, per_second=0.01))


@pytest.mark.parametrize("address", ["1.1.1.1", SHARED])
async def test_guessing_ends_soon(dsn: str, address: str) -> None:
    """A bad one is then told to wait, and a good one from the same address signs in all the same."""
    async with front(dsn, Limits(tickets=strict(3))) as door:
        ticket = await door.ticket()
        guesses = [await door.login("x" * 26, X_Forwarded_For=address) for _ in range(5)]

        assert [guess.status for guess in guesses] == [401, 401, 401, 429, 429]
        assert (await guesses[-1].json())["error"] == "too_many_requests"
        assert int(guesses[-1].headers["Retry-After"]) > 0
        assert (await door.login(ticket, X_Forwarded_For=address)).status == 303
        assert (await door.login("y" * 26, X_Forwarded_For="9.9.9.9")).status == 401


async def test_in_the_middle_of_a_flood_a_good_ticket_signs_in(dsn: str) -> None:
    """It waits for its turn behind those that came before."""
    async with front(dsn, Limits(tickets=strict(10))) as door:
        ticket = await door.ticket()
        async with asyncio.TaskGroup() as group:
            flood = [
                group.create_task(door.login(f"{number:026}", X_Forwarded_For=SHARED))
                for number in range(300)
            ]
            good = group.create_task(door.login(ticket, X_Forwarded_For=SHARED))

        assert good.result().status == 303
        assert {answer.result().status for answer in flood} == {401, 429}


async def test_what_has_not_the_form_of_a_ticket_costs_and_counts_nothing(dsn: str) -> None:
    """The database is not asked, which could be away."""
    async with front(dsn, Limits(tickets=strict(2))) as door:
        malformed = [(await door.login("x" * 25 + "!", X_Forwarded_For=SHARED)).status for _ in range(6)]
        assert (await door.login("x" * 26, X_Forwarded_For=SHARED)).status == 401
        await door.pool.close()

        assert malformed == [401] * 6
        assert (await door.login("short")).status == 401
        assert (await door.login("x" * 26)).status == 503


async def test_tickets_that_wait_leave_the_database_to_others(dsn: str) -> None:
    """However many come at once: here none can be looked up."""
    time_passes = Clock()
    async with front(dsn, Limits(timeouts=replace(PATIENT, login=20))) as door:
        async with door.pool.acquire() as held, held.transaction():
            await held.execute("lock table tickets")
            async with asyncio.TaskGroup() as group:
                waiting = [group.create_task(door.login(f"{number:026}")) for number in range(40)]
                queue = door.app[LIMITS].tickets.queue
                await eventually(lambda: len(queue) == 36)
                mapping = await _mapping(door)
                assert not any(task.done() for task in waiting)
                await time_passes.passes(20)

        assert mapping == 404
        assert {each.result().status for each in waiting} == {503}
        assert len(queue) == 0
        assert (await door.client.get(CONFIG, headers={"Cookie": door.cookie(demo_data.BEN)})).status == 200


async def _mapping(door: Front) -> int:
    url = f"/api/v1/mattermost/team-mapping/{TEAM}"
    return (await door.client.get(url, headers=PEER)).status


async def test_good_tickets_do_not_count(dsn: str) -> None:
    """An office has one address."""
    async with front(dsn, Limits(tickets=strict(1))) as door:
        statuses = [(await door.login(await door.ticket())).status for _ in range(4)]

        assert statuses == [303] * 4
