"""/login/token goes to the bridge, nothing else does, and its ticket is written down nowhere."""

import json

import pytest
from aiohttp import ClientSession
from yarl import URL

from tests.support.nginx import Nginx, StartProxy
from tests.support.upstream import Upstream

TICKET = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("path", ["/login/token", "//login/token", "/login/./token", "/login/%74oken"])
async def test_a_ticket_reaches_the_bridge(
    proxy: Nginx, chat: Upstream, bridge: Upstream, http: ClientSession, path: str
) -> None:
    """The bridge sees one spelling of the path, and the query as it was."""
    bridge.status = 303
    bridge.reply["Location"] = "/acme-corp/channels/agent"
    query = f"token={TICKET}&redirect_to=%2Facme-corp%2Fchannels%2Fagent"

    async with http.get(URL(f"{proxy.url}{path}?{query}", encoded=True), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/acme-corp/channels/agent")

    assert bridge.only.target == f"/login/token?{query}"
    assert chat.seen == []


@pytest.mark.parametrize(
    "path", ["/login/equa/authorize", "//login/equa/authorize", "/login/%65qua/authorize"]
)
async def test_the_sign_in_reaches_the_bridge(
    proxy: Nginx, chat: Upstream, bridge: Upstream, http: ClientSession, path: str
) -> None:
    """With Mattermost's question as it was, and with both cookies on the way back."""
    bridge.status = 302
    bridge.reply["Location"] = "https://chat.example.com/signup/gitlab/complete?code=c&state=s%3D"
    query = "response_type=code&client_id=equabot-bridge&redirect_uri=https%3A%2F%2Fchat%2Fc&state=a%3D%3D"

    async with http.get(URL(f"{proxy.url}{path}?{query}", encoded=True), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, bridge.reply["Location"])

    assert bridge.only.target == f"/login/equa/authorize?{query}"
    assert chat.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/login/equa/token",
        "/login/equa/user",
        "/login/equa/",
        "//login/equa/token",
        "/login/equa//token",
        "/login/equa/%74oken",
        "/login%2Fequa%2Ftoken",
        "/login/equa/x/../user",
        "/login/equa/token/",
        "/login/equa/user?access_token=x",
        "/login/equa/authorize/../token",
        "/login/equa/authorize/",
    ],
)
async def test_what_mattermost_asks_inside_is_not_reached_from_outside(
    proxy: Nginx, chat: Upstream, bridge: Upstream, http: ClientSession, path: str
) -> None:
    """In no spelling and by no method."""
    for method in ("GET", "POST"):
        async with http.request(method, URL(proxy.url + path, encoded=True)) as response:
            assert response.status == 404

    assert chat.seen == bridge.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login",
        "/login/token/",
        "/login/tokens",
        "/Login/Token",
        "/login/token/../../metrics",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/api/v1/mattermost/config",
        "/messaging/0a000000-0000-4000-8000-00000000000a",
        "/static/messaging.js",
        "/api/v4/system/ping?get_server_status=true",
        "/a%20b%2Fc?x=%2F",
    ],
)
async def test_everything_else_is_mattermosts(
    proxy: Nginx, chat: Upstream, bridge: Upstream, http: ClientSession, path: str
) -> None:
    """The chat's host shows nothing of the bridge's health, metrics and API; targets arrive unchanged."""
    async with http.get(URL(proxy.url + path, encoded=True)) as response:
        assert response.status == 200

    assert chat.only.target == path
    assert bridge.seen == []


async def test_no_query_is_logged(start_proxy: StartProxy, http: ClientSession) -> None:
    """The access log has the path alone, and no Referer, which could be the same URL."""
    async with start_proxy() as proxy:
        url = f"{proxy.url}/login/token?token={TICKET}"
        for target in (url, f"{proxy.url}/api/v4/x?access_token={TICKET}"):
            async with http.get(target, headers={"Referer": url}):
                pass

    lines = [json.loads(line) for line in proxy.access_log.read_text().splitlines()]
    assert [line["path"] for line in lines] == ["/login/token", "/api/v4/x"]
    assert TICKET not in proxy.access_log.read_text() + proxy.error_log.read_text()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_ticket_is_not_logged_when_the_bridge_is_away(
    start_proxy: StartProxy, http: ClientSession, method: str
) -> None:
    """nginx would write the request line beside "connection refused", while the ticket is still good."""
    async with (
        start_proxy(BRIDGE_UPSTREAM="http://127.0.0.1:1") as proxy,
        http.request(method, f"{proxy.url}/login/token?token={TICKET}") as response,
    ):
        assert response.status == 502

    (line,) = map(json.loads, proxy.access_log.read_text().splitlines())
    assert (line["path"], line["status"], line["upstream_status"]) == ("/login/token", 502, "502")
    assert TICKET not in proxy.access_log.read_text() + proxy.error_log.read_text()


async def test_a_ticket_is_not_logged_when_it_is_malformed(
    start_proxy: StartProxy, chat: Upstream, http: ClientSession
) -> None:
    """Bodies and headers that nginx itself refuses are complained of without the query."""
    async with start_proxy() as proxy:
        url = f"{proxy.url}/login/token?token={TICKET}"
        async with http.get(url, headers={"Content-Length": "1000000000"}) as response:
            assert response.status == 413
        async with http.get(url, headers={"X-Long": "x" * 33_000}) as response:
            assert response.status == 400

    assert TICKET not in proxy.access_log.read_text() + proxy.error_log.read_text()
