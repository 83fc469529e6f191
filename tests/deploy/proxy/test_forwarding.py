"""The headers that Mattermost gets: the host as it was sent, and the client's address as nginx knows it."""

import pytest
from aiohttp import ClientSession

from tests.support.nginx import Nginx, StartProxy, exchange
from tests.support.upstream import Upstream

SPOOFED = {
    "X-Real-IP": "6.6.6.6",
    "X-Forwarded-For": "6.6.6.6, 7.7.7.7",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=6.6.6.6;host=evil.example",
}


async def test_host_and_origin_arrive_as_sent(proxy: Nginx, chat: Upstream, http: ClientSession) -> None:
    """Mattermost compares Origin with its SiteURL, or with Host."""
    headers = {"Host": "chat.example.com:8443", "Origin": "https://evil.example"}

    async with http.get(proxy.url, headers=headers):
        pass

    seen = chat.only.headers
    assert (seen["Host"], seen["X-Forwarded-Host"]) == ("chat.example.com:8443", "chat.example.com:8443")
    assert seen["Origin"] == "https://evil.example"


@pytest.mark.parametrize("path", ["/", "/login/token"])
async def test_claims_of_a_client_are_replaced(
    proxy: Nginx, chat: Upstream, bridge: Upstream, http: ClientSession, path: str
) -> None:
    """Both upstreams take the first address of a list, which a client could have written."""
    async with http.get(proxy.url + path, headers=SPOOFED):
        pass

    (seen,) = [request.headers for request in chat.seen + bridge.seen]
    assert seen.getall("X-Real-IP") == seen.getall("X-Forwarded-For") == ["127.0.0.1"]
    assert seen.getall("X-Forwarded-Host") == [f"127.0.0.1:{proxy.port}"]
    assert "Forwarded" not in seen


@pytest.mark.parametrize(
    ("trusted", "address"),
    [
        ("127.0.0.1", "7.7.7.7"),
        ("127.0.0.0/8 7.7.0.0/16", "6.6.6.6"),
        ("10.0.0.0/8", "127.0.0.1"),
    ],
)
async def test_a_trusted_proxy_names_the_client(
    start_proxy: StartProxy, chat: Upstream, http: ClientSession, trusted: str, address: str
) -> None:
    """The last address that no trusted proxy has, read from the right."""
    async with start_proxy(TRUSTED_PROXIES=trusted) as proxy, http.get(proxy.url, headers=SPOOFED):
        pass

    seen = chat.only.headers
    assert seen["X-Real-IP"] == seen["X-Forwarded-For"] == address


@pytest.mark.parametrize(
    ("sent", "forwarded"),
    [
        (None, "http"),
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("https, http", "https"),
        ("http,https", "http"),
        ("", "http"),
        ("httpsx", "http"),
        ("javascript", "http"),
    ],
)
async def test_the_scheme_is_the_outer_terminators(
    proxy: Nginx, chat: Upstream, http: ClientSession, sent: str | None, forwarded: str
) -> None:
    """Mattermost makes its cookies Secure only when it reads exactly "https"."""
    async with http.get(proxy.url, headers={} if sent is None else {"X-Forwarded-Proto": sent}):
        pass

    assert chat.only.headers.getall("X-Forwarded-Proto") == [forwarded]


async def test_connections_to_mattermost_are_kept(proxy: Nginx, chat: Upstream) -> None:
    """Two requests take one connection."""
    request = b"GET / HTTP/1.1\r\nHost: h\r\n"

    await exchange(proxy, request + b"\r\n" + request + b"Connection: close\r\n\r\n")

    first, second = chat.seen
    assert first.from_port == second.from_port
