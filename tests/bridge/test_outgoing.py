"""Every outgoing client goes through the configured proxy, and around it where NO_PROXY says so."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bridge.agent import make_agent, make_session
from bridge.equa import EquaClient
from bridge.equa import make_session as equa_session
from bridge.errors import AgentMisconfigured, AgentUnavailable, EquaUnavailable, Unavailable
from bridge.mattermost.rest.client import connect
from bridge.mattermost.rest.transport import client_session
from bridge.mattermost.websocket.socket import Interest, Socket
from bridge.models.chat import UserId
from bridge.models.proxies import Proxies
from bridge.ops.doctor.web import fetch
from tests.support.agent import TOKEN, agent_served, question, text_of
from tests.support.certificates import loopback_tls
from tests.support.forward_proxy import ForwardProxy
from tests.support.hosts import Hosts

LOGIN = "Basic " + base64.b64encode(b"ada:p@ss").decode()


@pytest.fixture
async def proxy() -> AsyncIterator[ForwardProxy]:
    async with ForwardProxy(LOGIN).served() as served:
        yield served


@pytest.fixture
def proxies(proxy: ForwardProxy) -> Proxies:
    url = proxy.url.replace("http://", "http://ada:p%40ss@")
    return Proxies(url, url)


async def test_the_agent_is_asked_through_the_proxy(proxy: ForwardProxy, proxies: Proxies) -> None:
    """In absolute form, each request with the login, on a connection that is used again too."""
    async with agent_served() as (sandbox, url), make_session(proxies) as session:
        agent = make_agent("openai", session, url=url, token=TOKEN, agent_id="", model="equabot", timeout=5)
        answers = [await text_of(agent.answer(question())) for _ in range(3)]

    assert all("Ada Lovelace" in answer for answer in answers)
    assert proxy.lines == [f"POST {url}/v1/chat/completions"] * 3
    assert proxy.logins == [LOGIN] * 3
    assert not any("proxy-authorization" in call.headers for call in sandbox.calls)


async def test_an_exception_is_asked_directly(proxy: ForwardProxy) -> None:
    exceptions = Proxies(proxy.url, proxy.url, ("127.0.0.0/8",))
    async with agent_served() as (_, url), make_session(exceptions) as session:
        agent = make_agent("openai", session, url=url, token=TOKEN, agent_id="", model="equabot", timeout=5)
        assert "Ada Lovelace" in await text_of(agent.answer(question()))

    assert proxy.lines == []


async def test_a_proxy_that_wants_a_login_is_for_the_administrator(proxy: ForwardProxy) -> None:
    """It refuses before the agent hears of the question."""
    without = Proxies(proxy.url, proxy.url)
    async with make_session(without) as session:
        agent = make_agent(
            "openai", session, url="http://127.0.0.1:1", token="", agent_id="", model="", timeout=5
        )
        with pytest.raises(AgentMisconfigured, match="proxy"):
            await text_of(agent.answer(question()))
        tls = make_agent(
            "openai", session, url="https://127.0.0.1:1", token="", agent_id="", model="", timeout=5
        )
        with pytest.raises(AgentUnavailable, match="proxy"):
            await text_of(tls.answer(question()))


async def test_a_proxy_that_is_away_is_an_outage() -> None:
    async with ForwardProxy().served() as gone:
        url = gone.url
    gone_proxies = Proxies(url, url)
    async with make_session(gone_proxies) as session, equa_session(gone_proxies) as other:
        agent = make_agent(
            "gateway", session, url="http://127.0.0.1:1", token="", agent_id="", model="", timeout=5
        )
        equa = EquaClient(other, url="http://127.0.0.1:1", admin_permissions=())
        with pytest.raises(AgentUnavailable, match="The proxy to the agent"):
            await text_of(agent.answer(question()))
        with pytest.raises(Unavailable, match="through the proxy"):
            await fetch(session, "http://127.0.0.1:1/x")
        with pytest.raises(EquaUnavailable):
            await equa.ping()


async def test_mattermost_is_reached_through_the_proxy(
    hosts: Hosts, proxy: ForwardProxy, proxies: Proxies
) -> None:
    """REST in absolute form, the websocket by CONNECT."""
    url, token = hosts.server.url, hosts.bot_token.token
    async with connect(url, token, lambda *_: None, proxies) as api:
        me = await api.me()
        interest = Interest("agent", UserId(me.id))
        connected = asyncio.Event()

        def changed(state: str) -> None:
            if state == "connected":
                connected.set()

        async with Socket(url, token, interest, api.me, changed, proxies=proxies), asyncio.timeout(60):
            await connected.wait()

    assert proxy.lines[0] == f"GET {url}/api/v4/users/me"
    assert f"CONNECT {url.removeprefix('http://')}" in proxy.lines
    assert set(proxy.logins) == {LOGIN}


@pytest.mark.parametrize("make", [make_session, equa_session, client_session])
async def test_tls_goes_through_a_tunnel(
    proxy: ForwardProxy,
    proxies: Proxies,
    make: Callable[[Proxies], ClientSession],
    tmp_path: Path,
) -> None:
    """The proxy gets the login, and the server does not."""
    ours, theirs = loopback_tls(tmp_path)
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Proxy-Authorization"))
        return web.Response(text="Hello.")

    app = web.Application()
    app.router.add_get("/", answer)
    async with serving_tls(app, ours) as url, make(proxies) as session:
        texts = [await _text(session, url, theirs) for _ in range(2)]

    assert texts == ["Hello."] * 2
    assert set(proxy.lines) == {f"CONNECT {url.removeprefix('https://').rstrip('/')}"}
    assert set(proxy.logins) == {LOGIN}
    assert seen == [None, None]


async def _text(session: ClientSession, url: str, context: ssl.SSLContext) -> str:
    async with session.get(url, ssl=context) as response:
        return await response.text()


@asynccontextmanager
async def serving_tls(app: web.Application, context: ssl.SSLContext) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        host, port = runner.addresses[0][:2]
        yield f"https://{host}:{port}/"
    finally:
        await runner.cleanup()
