"""A flood of bogus sessions does not reach Equa."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse

from bridge.errors import NotSignedIn, TooManyRequests
from bridge.sandbox.equa import away
from handlers.http.limits import TIMEOUTS, RateLimiter, Timeouts, WaitQueue
from handlers.http.visitors import EQUA_THROTTLE, EquaThrottle
from tests.support.front import CONFIG, Front, front


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    strict = EquaThrottle(RateLimiter(burst=4, per_second=0.01), RateLimiter(burst=5, per_second=0.01))
    async with front(dsn, {EQUA_THROTTLE: strict}) as built:
        yield built


async def ask(door: Front, cookie: str, address: str = "1.1.1.1") -> ClientResponse:
    return await door.client.get(CONFIG, headers={"Cookie": cookie, "X-Forwarded-For": address})


async def test_one_session_asks_only_so_often(door: Front) -> None:
    """Whatever other cookies come with it."""
    cookie = door.cookie()

    responses = [await ask(door, f"junk={number}; {cookie}") for number in range(6)]

    assert [response.status for response in responses] == [200] * 4 + [429] * 2
    assert int(responses[-1].headers["Retry-After"]) > 0


async def test_an_address_brings_only_so_many_bogus_sessions(door: Front) -> None:
    """Each another one; Equa is spared the rest of them."""
    responses = [await ask(door, f"connect.sid=bogus{number}") for number in range(40)]

    assert [response.status for response in responses] == [401] * 5 + [429] * 35
    assert door.equa.controls.calls["GET /user/current"] == 5


async def test_at_the_same_moment_it_brings_no_more(door: Front) -> None:
    """Nobody is asked about the others before the first are known to be bogus."""
    responses = await asyncio.gather(*(ask(door, f"connect.sid=bogus{number}") for number in range(20)))

    assert sorted(response.status for response in responses) == [401] * 5 + [429] * 15


UNKNOWN = "100.64.0.3"
"""Of a platform's edge: all that a proxy says that names nobody."""


async def test_where_nobody_is_named_nobody_pays_for_others(door: Front) -> None:
    """A proxy may keep to itself whom it speaks for: then strangers ask a few at a time, and are answered."""
    bogus = [door.client.get(CONFIG, headers={"Cookie": f"connect.sid=bogus{each}"}) for each in range(300)]
    *strangers, ada = await asyncio.gather(*bogus, ask(door, door.cookie(), UNKNOWN))

    assert {response.status for response in strangers} == {401}
    assert ada.status == 200
    assert (await ask(door, door.cookie(), UNKNOWN)).status == 200


async def test_strangers_ask_a_few_at_a_time_and_others_do_not_wait_for_them() -> None:
    """Whoever was here before asks at once, whatever the strangers wait for."""
    equa_throttle, gate = EquaThrottle(line=WaitQueue(at_once=2, longest=3)), asyncio.Event()
    inside: list[bytes] = []

    async def stranger(session: bytes) -> None:
        async with equa_throttle.passed(session, None):
            inside.append(session)
            await gate.wait()

    async with equa_throttle.passed(b"ada", None):
        pass
    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(stranger(bytes([number])))
        while len(equa_throttle.line) < 3:
            await asyncio.sleep(0)
        assert len(inside) == 2
        with pytest.raises(TooManyRequests):
            await stranger(b"one more")
        async with asyncio.timeout(1), equa_throttle.passed(b"ada", None):
            gate.set()

    assert len(inside) == 5


async def test_who_waits_too_long_for_their_turn_hears_so(dsn: str) -> None:
    """As when Equa itself takes long."""
    closed = EquaThrottle(line=WaitQueue(at_once=1, longest=3))
    async with (
        front(dsn, {EQUA_THROTTLE: closed, TIMEOUTS: Timeouts(equa=0.2)}) as door,
        closed.line.passed(),
    ):
        response = await ask(door, door.cookie())

        assert (response.status, (await response.json())["error"]) == (503, "equa_unavailable")


async def test_who_was_signed_in_before_passes_in_a_flood(door: Front) -> None:
    """Behind a proxy that names nobody, all have one address."""
    cookie = door.cookie()
    assert (await ask(door, cookie)).status == 200
    for number in range(10):
        await ask(door, f"connect.sid=bogus{number}")

    assert (await ask(door, cookie)).status == 200
    assert (await ask(door, door.cookie())).status == 429
    assert (await ask(door, door.cookie(), "9.9.9.9")).status == 200


async def test_an_equa_that_is_away_counts_against_nobody(door: Front) -> None:
    """It has not said that somebody is a stranger."""
    door.equa.controls.fail(away())
    for number in range(8):
        assert (await ask(door, f"connect.sid=unclear{number}")).status == 503

    door.equa.controls.clear()
    assert (await ask(door, door.cookie())).status == 200


async def test_a_session_that_has_ended_is_a_stranger_again() -> None:
    """It passes no more than others."""
    equa_throttle = EquaThrottle(strangers=RateLimiter(burst=1, per_second=0.01))
    async with equa_throttle.passed(b"session", "1.1.1.1"):
        pass
    for _ in range(2):
        with pytest.raises(NotSignedIn):
            async with equa_throttle.passed(b"session", "1.1.1.1"):
                raise NotSignedIn("ended")

    with pytest.raises(TooManyRequests):
        async with equa_throttle.passed(b"session", "1.1.1.1"):
            pytest.fail("passed")


async def test_memory_is_bounded() -> None:
    """However many have been here."""
    equa_throttle = EquaThrottle()
    for number in range(11_000):
        async with equa_throttle.passed(number.to_bytes(4, "big"), "1.1.1.1"):
            pass

    assert len(equa_throttle._known) == 10_000
