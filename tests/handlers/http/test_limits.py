"""Bursts, what comes after them, and whom a request comes from."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bridge.errors import TooManyRequests
from handlers.http.limits import RateLimiter, Timeouts, WaitQueue, address_of

SECOND = 1_000_000_000


class Clock:
    """Nanoseconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 5 * SECOND

    def __call__(self) -> int:
        return self.now


def test_a_burst_is_allowed_and_no_more() -> None:
    """The next one is told when to come back."""
    limiter = RateLimiter(burst=3, per_second=0.5, clock=Clock())
    for _ in range(3):
        limiter.use("ada")

    with pytest.raises(TooManyRequests) as refused:
        limiter.use("ada")
    assert refused.value.retry_after == 2.0


def test_what_is_used_comes_back_one_by_one() -> None:
    """At its rate, and never more than the burst."""
    clock = Clock()
    limiter = RateLimiter(burst=2, per_second=1, clock=clock)
    for _ in range(2):
        limiter.use("ada")
    clock.now += SECOND
    limiter.use("ada")

    assert limiter.wait("ada") == 1.0
    clock.now += 3600 * SECOND
    limiter.use("ada")
    limiter.use("ada")
    assert limiter.wait("ada") == 1.0


def test_a_refusal_does_not_count() -> None:
    """Whoever keeps asking does not wait for ever."""
    clock = Clock()
    limiter = RateLimiter(burst=1, per_second=1, clock=clock)
    limiter.use("ada")
    for _ in range(50):
        with pytest.raises(TooManyRequests):
            limiter.use("ada")
    clock.now += SECOND

    assert limiter.wait("ada") == 0


def test_keys_do_not_disturb_each_other() -> None:
    """Each has an limiter of its own."""
    limiter = RateLimiter(burst=1, per_second=1, clock=Clock())
    limiter.use("ada")

    assert limiter.wait("ben") == 0


def test_memory_is_bounded() -> None:
    """Whoever was not heard of for the longest time is forgotten first."""
    limiter = RateLimiter(burst=1, per_second=1, size=100, clock=Clock())
    for number in range(100_000):
        limiter.use(number)

    assert len(limiter) == 100
    assert limiter.wait(99_999) > 0
    assert limiter.wait(0) == 0


async def passes(line: WaitQueue, went: list[int], number: int, release: asyncio.Event) -> None:
    async with line.passed():
        went.append(number)
        await release.wait()


async def test_a_line_is_passed_a_few_at_a_time_and_in_order() -> None:
    """Whoever came first goes first, and whoever gave up is skipped."""
    line, release = WaitQueue(at_once=2, longest=10), asyncio.Event()
    went: list[int] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(passes(line, went, number, release)) for number in range(6)]
        while len(line) < 4:
            await asyncio.sleep(0)
        assert went == [0, 1]
        tasks[2].cancel()
        release.set()

    assert went == [0, 1, 3, 4, 5]
    assert len(line) == 0


async def test_a_line_is_only_so_long() -> None:
    """Who comes then is told to come back; a place that an error has left is free again."""
    line, release = WaitQueue(at_once=1, longest=1), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(2):
            group.create_task(passes(line, [], number, release))
        while len(line) < 1:
            await asyncio.sleep(0)
        with pytest.raises(TooManyRequests) as refused:
            await passes(line, [], 2, release)
        release.set()
    for _ in range(2):
        with pytest.raises(ValueError, match="wrong"):
            async with line.passed():
                raise ValueError("wrong")

    assert refused.value.retry_after == 1.0


def test_a_visit_is_answered_within_ten_seconds() -> None:
    """The visit itself, and finding out what hangs, together."""
    deadlines = Timeouts()

    assert deadlines.equa < deadlines.visit
    assert deadlines.visit + deadlines.diagnosis <= 9.5
    assert deadlines.login <= 9.5


class Peer:
    """A transport that knows whom it leads to."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self.address, 1234) if name == "peername" else default


def asked(peer: str, *forwarded: str) -> web.Request:
    headers = {"X-Forwarded-For": ", ".join(forwarded)} if forwarded else {}
    return make_mocked_request("GET", "/", headers=headers, transport=Peer(peer))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("8.8.8.8", ["1.1.1.1"], "8.8.8.8"),  # invented: a public peer is no proxy of ours
        ("10.0.0.7", [], None),
        ("10.0.0.7", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.7", ["9.9.9.9", "1.1.1.1"], "1.1.1.1"),  # the client invented the first
        ("127.0.0.1", ["1.1.1.1", "10.1.1.1", "192.168.0.1"], "1.1.1.1"),  # past proxies of ours
        ("127.0.0.1", ["10.1.1.1", "192.168.0.1"], None),
        ("127.0.0.1", ["rubbish", ""], None),
        ("100.64.0.3", [], None),  # of a platform's edge, which many share
        ("100.64.0.3", ["9.9.9.9", "1.1.1.1", "100.64.0.7"], "1.1.1.1"),
        ("169.254.1.1", ["1.1.1.1"], "1.1.1.1"),
        ("fd12::10", ["1.1.1.1"], "1.1.1.1"),
        ("fe80::1", ["2a00:1450:4001:82a:1:2:3:4"], "2a00:1450:4001:82a::"),
        ("::ffff:127.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("2a00:1450:4001:82a:1:2:3:4", [], "2a00:1450:4001:82a::"),
        ("", [], None),
    ],
)
def test_the_address_is_that_of_the_client(peer: str, forwarded: list[str], address: str | None) -> None:
    """As far as it can be trusted; of IPv6 the network, because its holder has all of it."""
    assert address_of(asked(peer, *forwarded)) == address
