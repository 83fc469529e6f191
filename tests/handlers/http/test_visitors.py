"""A flood of bogus sessions does not reach Equa, and nobody takes more of it by varying their cookies."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse

from bridge.errors import NotSignedIn, TooManyRequests
from bridge.models.equa import Person
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Fault, away
from handlers.http.app_keys import Limits
from handlers.http.equa_throttle import EquaThrottle
from handlers.http.limits import RateLimiter, Timeouts, WaitQueue
from tests.support.front import CONFIG, Front, front
from tests.support.provisioning import a_person

USER = "GET /user/current"


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Front]:
    strict = EquaThrottle(RateLimiter(burst=4, per_second=0.01), RateLimiter(burst=5, per_second=0.01))
    async with front(dsn, Limits(equa=strict)) as built:
        yield built


async def ask(door: Front, cookie: str, address: str = "1.1.1.1") -> ClientResponse:
    return await door.client.get(CONFIG, headers={"Cookie": cookie, "X-Forwarded-For": address})


async def test_one_person_asks_only_so_often(door: Front) -> None:
    """Whatever other cookies come with it."""
    cookie = door.cookie()

    responses = [await ask(door, f"junk={number}; {cookie}") for number in range(6)]

    assert [response.status for response in responses] == [200] * 4 + [429] * 2
    assert int(responses[-1].headers["Retry-After"]) > 0


def _encoded(cookie: str, number: int) -> str:
    """Return the cookie with the characters of its value percent-encoded by the bits of the number."""
    name, _, value = cookie.partition("=")
    head = "".join(f"%{ord(each):02X}" if number >> at & 1 else each for at, each in enumerate(value[4:14]))
    return f"{name}={value[:4]}{head}{value[14:]}"


VARIATIONS = {
    "another cookie behind": lambda cookie, n: f"{cookie}; session={n}",
    "another cookie in front": lambda cookie, n: f"session={n}; {cookie}",
    "a long one": lambda cookie, n: f"{cookie}; session={'x' * 30}{n}",
    "the same again": lambda cookie, n: "; ".join([cookie] * (n + 1)),
    "encoded": _encoded,
}


@pytest.mark.parametrize("address", ["1.1.1.1", "100.64.0.3"])
@pytest.mark.parametrize("varied", VARIATIONS.values(), ids=VARIATIONS)
async def test_a_cookie_that_is_varied_is_the_same_persons(door: Front, varied: object, address: str) -> None:
    """Neither they nor Equa notice the difference."""
    assert callable(varied)
    cookie = door.cookie()

    responses = [await ask(door, varied(cookie, number), address) for number in range(12)]

    assert [response.status for response in responses] == [200] * 4 + [429] * 8
    assert door.equa.controls.calls[USER] <= 4
    assert (await ask(door, door.cookie(demo_data.BEN), address)).status == 200


async def test_varied_cookies_at_once_are_counted_too(door: Front) -> None:
    """While the first of them is not answered yet."""
    door.equa.controls.fail(Fault(delay=0.1, route=USER))
    cookie = door.cookie()

    responses = await asyncio.gather(*(ask(door, f"{cookie}; session={number}") for number in range(60)))

    statuses = [response.status for response in responses]
    assert (statuses.count(200), statuses.count(429)) == (4, 56)
    assert door.equa.controls.calls[USER] <= 9


async def test_many_sessions_of_a_person_are_one_persons(door: Front) -> None:
    """Signing in again and again gives no more; and then it counts against the address."""
    responses = [await ask(door, door.cookie()) for _ in range(14)]

    assert [response.status for response in responses] == [200] * 4 + [429] * 10
    assert door.equa.controls.calls[USER] == 9
    assert (await ask(door, door.cookie(demo_data.BEN), "9.9.9.9")).status == 200


async def test_a_value_that_several_people_have_names_nobody(door: Front) -> None:
    """Such as another program's cookie of the same name: who has used up theirs holds up nobody else."""
    shared = "session=the-same-for-everybody-here"
    ada, ben = door.cookie(), door.cookie(demo_data.BEN)
    for cookie in (ada, ben, ada, ada, ada, ada):
        response = await ask(door, f"{cookie}; {shared}")
    assert response.status == 429

    assert (await ask(door, f"{door.cookie(demo_data.CHLOE)}; {shared}")).status == 200
    assert (await ask(door, f"{ben}; {shared}")).status == 200


async def test_an_address_brings_only_so_many_bogus_sessions(door: Front) -> None:
    """Each another one; Equa is spared the rest of them."""
    responses = [await ask(door, f"connect.sid=bogus{number}") for number in range(40)]

    assert [response.status for response in responses] == [401] * 5 + [429] * 35
    assert door.equa.controls.calls[USER] == 5


async def test_at_the_same_moment_it_brings_no_more(door: Front) -> None:
    """Equa is not asked about the others before the first are known to be bogus."""
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


async def test_a_crowd_from_one_address_delays_no_first_visit_from_another() -> None:
    """It waits behind itself: at most five of its own ask at a time."""
    throttle, answered, asking = EquaThrottle(), asyncio.Event(), 0

    async def nobodys() -> Person:
        nonlocal asking
        asking += 1
        await answered.wait()
        raise NotSignedIn("Nobody's.")

    async def adas() -> Person:
        return PEOPLE[0]

    bogus = [throttle.identified(f"connect.sid=bogus{each}", "1.1.1.1", nobodys) for each in range(100)]
    crowd = asyncio.gather(*bogus, return_exceptions=True)
    while asking < 5:
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        ada = await throttle.identified(session(PEOPLE[0]), "9.9.9.9", adas)
    asked_meanwhile = asking
    answered.set()

    assert ada == PEOPLE[0]
    assert asked_meanwhile == 5
    assert {type(each) for each in await crowd} == {NotSignedIn}
    assert asking == 100


PEOPLE = [a_person(f"Person{number}") for number in range(6)]


async def test_strangers_ask_a_few_at_a_time_and_others_do_not_wait_for_them() -> None:
    """Somebody who was here before asks at once, whatever the strangers wait for."""
    throttle, answered = EquaThrottle(queue=WaitQueue(at_once=2, longest=3)), asyncio.Event()
    inside: list[Person] = []

    async def stranger(person: Person) -> Person:
        async def asked() -> Person:
            inside.append(person)
            await answered.wait()
            return person

        return await throttle.identified(session(person), None, asked)

    async def at_once() -> Person:
        return PEOPLE[0]

    await throttle.identified(session(PEOPLE[0]), None, at_once)
    async with asyncio.TaskGroup() as group:
        for person in PEOPLE[1:]:
            group.create_task(stranger(person))
        while len(throttle.queue) < 3:
            await asyncio.sleep(0)
        assert len(inside) == 2
        with pytest.raises(TooManyRequests):
            await stranger(a_person("One more"))
        async with asyncio.timeout(60):
            await throttle.identified(session(PEOPLE[0]), None, at_once)
        answered.set()

    assert len(inside) == 5


def session(person: Person) -> str:
    return f"connect.sid={person.id}"


async def test_who_waits_too_long_for_their_turn_hears_so(dsn: str) -> None:
    """As when Equa itself takes long."""
    closed = EquaThrottle(queue=WaitQueue(at_once=1, longest=3))
    limits = Limits(equa=closed, timeouts=Timeouts(equa=0.2))
    async with front(dsn, limits) as door, closed.queue.passed():
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


async def test_a_session_that_has_ended_is_a_stranger_again(door: Front) -> None:
    """It passes no more than others."""
    cookie = door.cookie()
    assert (await ask(door, cookie)).status == 200
    session = door.equa.store.session(cookie)
    assert session
    door.equa.store.sign_out(session)
    door.equa.controls.fail(Fault(status=401, route=USER))
    for number in range(5):
        await ask(door, f"connect.sid=bogus{number}")

    statuses = {(await ask(door, f"{cookie}; session=1")).status for _ in range(2)}

    assert statuses <= {401, 429}
    assert (await ask(door, f"{cookie}; session=2")).status == 429


async def test_memory_is_bounded() -> None:
    """However many have been here."""
    throttle = EquaThrottle()
    for number in range(21_000):
        person = a_person(str(number))

        async def found(person: Person = person) -> Person:
            return person

        await throttle.identified(f"connect.sid={number:020}", "1.1.1.1", found)

    assert len(throttle._holders) == 20_000
