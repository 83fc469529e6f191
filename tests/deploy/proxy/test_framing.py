"""Which sites may show the chat in a frame."""

import pytest
from aiohttp import ClientSession

from tests.support.nginx import Nginx, StartProxy
from tests.support.upstream import Upstream

OURS = "frame-ancestors 'self' https://app.example.com"
OF_10_4 = "script-src 'self' cdn.rudderlabs.com 'sha256-a/b='"


async def policies(http: ClientSession, url: str) -> list[str]:
    async with http.get(url) as response:
        assert "X-Frame-Options" not in response.headers
        return response.headers.getall("Content-Security-Policy", [])


@pytest.mark.parametrize(
    ("upstream", "browser"),
    [
        pytest.param(
            f"frame-ancestors 'self' teams.microsoft.com; {OF_10_4}", f"{OURS}; {OF_10_4}", id="10.4"
        ),
        ("frame-ancestors 'self' ; script-src 'self'", f"{OURS}; script-src 'self'"),
        ("script-src 'self'; frame-ancestors x.com", f"{OURS}; script-src 'self'"),
        ("script-src 'self';frame-ancestors x.com;img-src *", f"{OURS}; script-src 'self';img-src *"),
        ("script-src 'self'; Frame-Ancestors\tx.com ;", f"{OURS}; script-src 'self'"),
        ("frame-ancestors", OURS),
        ("frame-ancestors a.com; script-src 'self'; frame-ancestors b.com", f"{OURS}; script-src 'self'"),
        ("script-src 'self', frame-ancestors b.com", f"{OURS}; script-src 'self',"),
        ("frame-ancestors-to-be x.com", f"{OURS}; frame-ancestors-to-be x.com"),
        ("report-uri /frame-ancestors", f"{OURS}; report-uri /frame-ancestors"),
        ("script-src 'none'", f"{OURS}; script-src 'none'"),
        (" ; ", OURS),
    ],
)
async def test_only_frame_ancestors_is_replaced(
    proxy: Nginx, chat: Upstream, http: ClientSession, upstream: str, browser: str
) -> None:
    """The rest of Mattermost's policy stays, wherever its frame-ancestors stands."""
    chat.reply["X-Frame-Options"] = "SAMEORIGIN"
    chat.reply["Content-Security-Policy"] = upstream

    assert await policies(http, proxy.url) == [browser]


async def test_of_two_policies_none_overrules_ours(proxy: Nginx, chat: Upstream, http: ClientSession) -> None:
    """A browser obeys every policy it gets."""
    chat.reply.add("Content-Security-Policy", "frame-ancestors a.com; script-src 'self'")
    chat.reply.add("Content-Security-Policy", "frame-ancestors b.com; img-src *")

    (policy,) = await policies(http, proxy.url)

    assert policy.startswith(f"{OURS}; script-src 'self'")
    assert policy.count("frame-ancestors") == 1


@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8", "application/xhtml+xml"])
async def test_a_page_without_a_policy_gets_ours(
    proxy: Nginx, chat: Upstream, http: ClientSession, content_type: str
) -> None:
    """Taking X-Frame-Options away must not leave a page open to every site."""
    chat.reply["Content-Type"] = content_type
    chat.reply["X-Frame-Options"] = "SAMEORIGIN"

    assert await policies(http, proxy.url) == [OURS]


async def test_json_without_a_policy_stays_without(proxy: Nginx, chat: Upstream, http: ClientSession) -> None:
    """An answer of the API is no page."""
    chat.reply["Content-Type"] = "application/json"

    assert await policies(http, f"{proxy.url}/api/v4/users/me") == []


@pytest.mark.parametrize(
    ("reply", "rest"),
    [
        ({"X-Frame-Options": "DENY", "Content-Security-Policy": "Frame-ancestors 'none'"}, ""),
        (
            {"X-Frame-Options": "deny", "Content-Security-Policy": "img-src data:; style-src 'none'"},
            "; img-src data:; style-src 'none'",
        ),
        ({"Content-Security-Policy": "img-src *; frame-ancestors 'none'"}, "; img-src *"),
        ({"X-Frame-Options": "DENY", "Content-Type": "text/html"}, ""),
    ],
)
async def test_what_is_for_no_frame_stays_so(
    proxy: Nginx, chat: Upstream, http: ClientSession, reply: dict[str, str], rest: str
) -> None:
    """Mattermost keeps uploaded files and fetched images out of every frame, its own included."""
    chat.reply.extend(reply)

    assert await policies(http, f"{proxy.url}/api/v4/files/f") == [f"frame-ancestors 'none'{rest}"]


async def test_errors_keep_the_policy(proxy: Nginx, chat: Upstream, http: ClientSession) -> None:
    """A 404 page of Mattermost is framed like any other."""
    chat.status = 404
    chat.reply["Content-Type"] = "text/html"

    assert await policies(http, f"{proxy.url}/nothing") == [OURS]


async def test_the_login_page_of_the_bridge_may_be_framed(
    proxy: Nginx, bridge: Upstream, http: ClientSession
) -> None:
    """The frame starts at /login/token, and what that says must be seen in it."""
    bridge.reply["Content-Type"] = "text/html"

    assert await policies(http, f"{proxy.url}/login/token?token=t") == [OURS]


@pytest.mark.parametrize(
    ("configured", "policy"),
    [
        ("", "frame-ancestors 'self'"),
        (
            "https://a.example.com  https://*.b.example.com:8443",
            "frame-ancestors 'self' https://a.example.com https://*.b.example.com:8443",
        ),
    ],
)
async def test_ancestors_are_configured(
    start_proxy: StartProxy, chat: Upstream, http: ClientSession, configured: str, policy: str
) -> None:
    """Without FRAME_ANCESTORS only the chat's own pages may frame it."""
    chat.reply["Content-Type"] = "text/html"

    async with start_proxy(FRAME_ANCESTORS=configured) as proxy:
        assert await policies(http, proxy.url) == [policy]
