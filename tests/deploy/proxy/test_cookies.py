"""Cookies as the site of the frame needs them."""

import pytest
from aiohttp import ClientSession

from tests.support.nginx import StartProxy
from tests.support.upstream import Upstream

RENEWED = (
    "MMAUTHTOKEN=abc; Path=/; Expires=Tue, 22 Dec 2026 05:00:00 GMT; Max-Age=2592000; HttpOnly; Secure",
    "MMUSERID=u; Path=/; Expires=Tue, 22 Dec 2026 05:00:00 GMT; Max-Age=2592000; Secure; SameSite=None",
    "MMCSRF=c; Path=/chat; Max-Age=2592000",
)
REMOVED = "MMAUTHTOKEN=; Path=/; Max-Age=0; HttpOnly"


async def set_cookies(http: ClientSession, url: str) -> list[str]:
    async with http.get(url) as response:
        return response.headers.getall("Set-Cookie")


@pytest.mark.parametrize("environment", [{}, {"EMBED_SITE": "same"}])
async def test_cookies_of_the_same_site_pass_unchanged(
    start_proxy: StartProxy, chat: Upstream, http: ClientSession, environment: dict[str, str]
) -> None:
    """app.example.com may frame chat.example.com with Mattermost's own cookies."""
    for cookie in (*RENEWED, REMOVED):
        chat.reply.add("Set-Cookie", cookie)

    async with start_proxy(**environment) as proxy:
        assert await set_cookies(http, proxy.url) == [*RENEWED, REMOVED]


@pytest.mark.parametrize("path", ["/api/v4/posts", "/login/token"])
async def test_every_cookie_of_a_foreign_frame_is_partitioned(
    start_proxy: StartProxy, chat: Upstream, bridge: Upstream, http: ClientSession, path: str
) -> None:
    """Whoever sets it, first or anew: without all three attributes a browser drops it there."""
    for upstream in (chat, bridge):
        for cookie in RENEWED:
            upstream.reply.add("Set-Cookie", cookie)

    async with start_proxy(EMBED_SITE="cross") as proxy:
        cookies = await set_cookies(http, proxy.url + path)

    assert [cookie.split(";")[0] for cookie in cookies] == ["MMAUTHTOKEN=abc", "MMUSERID=u", "MMCSRF=c"]
    assert [attributes(cookie) for cookie in cookies] == [
        {"path=/", "expires=tue, 22 dec 2026 05:00:00 gmt", "max-age=2592000", "httponly", *FOREIGN},
        {"path=/", "expires=tue, 22 dec 2026 05:00:00 gmt", "max-age=2592000", *FOREIGN},
        {"path=/chat", "max-age=2592000", *FOREIGN},
    ]


async def test_a_cookie_is_removed_from_the_partition(
    start_proxy: StartProxy, chat: Upstream, http: ClientSession
) -> None:
    """Signing out removes only a cookie that is described like the one that was set."""
    chat.reply["Set-Cookie"] = REMOVED

    async with start_proxy(EMBED_SITE="cross") as proxy:
        (cookie,) = await set_cookies(http, proxy.url)

    assert attributes(cookie) == {"path=/", "max-age=0", "httponly", *FOREIGN}


FOREIGN = {"secure", "samesite=none", "partitioned"}


def attributes(cookie: str) -> set[str]:
    """Return the attributes in lower case; each must be there once."""
    found = [part.strip().lower() for part in cookie.split(";")[1:]]
    assert len(found) == len(set(found))
    return set(found)
