"""Long cookies pass; too many sign-ins from one address do not."""

import re
from collections import Counter

import pytest

from tests.support.nginx import Nginx, StartProxy, exchange
from tests.support.upstream import Upstream

TICKET = "abcdefghijklmnopqrstuvwxyz"
FLOOD = 400
"""More than pass within the minute that a slow machine takes at most, were there no burst."""


@pytest.mark.parametrize("size", [8_300, 16_000, 31_000])
@pytest.mark.parametrize("path", ["/", "/api/v4/users/me", "/login/token"])
async def test_long_cookies_pass(
    proxy: Nginx, chat: Upstream, bridge: Upstream, path: str, size: int
) -> None:
    """Cookies of the parent domain are sent to the chat too."""
    cookies = f"a={'v' * 3_000}; " * (size // 3_000) + f"b={'v' * (size % 3_000)}"

    received = await exchange(
        proxy, f"GET {path} HTTP/1.1\r\nHost: h\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n".encode()
    )

    assert received.startswith(b"HTTP/1.1 200 ")
    (seen,) = chat.seen + bridge.seen
    assert seen.headers["Cookie"] == cookies


async def _statuses(proxy: Nginx, address: str, requests: int) -> Counter[int]:
    """Return the statuses of so many sign-ins in one connection."""
    request = f"GET /login/token?token={TICKET} HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {address}\r\n"
    received = await exchange(
        proxy, (f"{request}\r\n" * (requests - 1) + f"{request}Connection: close\r\n\r\n").encode()
    )
    return Counter(map(int, re.findall(rb"HTTP/1\.1 (\d+) ", received)))


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8:1:2:a::1", "2001:db8:1:2:b::1", "2001:db8:1:3::1"),
        ("2001:db8::1", "2001:db8::2:2:2:2", "2001:db9::1"),
    ],
)
async def test_a_flood_of_tickets_is_one_addresss_own(
    start_proxy: StartProxy, bridge: Upstream, one: str, same: str, other: str
) -> None:
    """It gets the page that tries again; most of it never reaches the bridge; others are not held up."""
    async with start_proxy(TRUSTED_PROXIES="127.0.0.1") as proxy:
        flood = await _statuses(proxy, one, FLOOD)
        reached = len(bridge.seen)
        neighbour, stranger = await _statuses(proxy, same, 100), await _statuses(proxy, other, 50)

    assert flood[200] >= 100
    assert flood[429] == FLOOD - flood[200] > 0
    assert reached == flood[200]
    assert neighbour[429] > 0
    assert stranger == {200: 50}
    assert TICKET not in proxy.access_log.read_text() + proxy.error_log.read_text()


async def test_the_page_of_a_refusal_tries_again(start_proxy: StartProxy) -> None:
    """As while the bridge is away."""
    async with start_proxy() as proxy:
        request = f"GET /login/token?token={TICKET} HTTP/1.1\r\nHost: h\r\n"
        received = await exchange(
            proxy, (f"{request}\r\n" * FLOOD + f"{request}Connection: close\r\n\r\n").encode()
        )

    page = next(each for each in received.split(b"HTTP/1.1 ") if each.startswith(b"429"))
    assert b"equabot:login-failed" in page
    assert b"Retry-After: 5" in page


async def test_a_flood_of_ends_is_stopped_too(start_proxy: StartProxy, bridge: Upstream) -> None:
    """Each asks the bridge; tickets have a measure of their own."""
    async with start_proxy() as proxy:
        request = "GET /signup/gitlab/complete?code=c&state=s HTTP/1.1\r\nHost: h\r\n"
        received = await exchange(
            proxy, (f"{request}\r\n" * FLOOD + f"{request}Connection: close\r\n\r\n").encode()
        )
        reached = len(bridge.seen)
        tickets = await _statuses(proxy, "127.0.0.1", 50)

    page = next(each for each in received.split(b"HTTP/1.1 ") if each.startswith(b"429"))
    assert b"equabot:login-failed" in page
    assert 100 <= reached < FLOOD
    assert tickets == {200: 50}


async def test_only_signing_in_is_limited(proxy: Nginx, chat: Upstream) -> None:
    """A page of the chat takes a hundred requests at once."""
    request = "GET /static/x.js HTTP/1.1\r\nHost: h\r\n"
    received = await exchange(
        proxy, (f"{request}\r\n" * 299 + f"{request}Connection: close\r\n\r\n").encode()
    )

    assert len(re.findall(rb"HTTP/1\.1 200 ", received)) == len(chat.seen) == 300
