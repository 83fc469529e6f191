"""The whole way in: Equa, Mattermost, a database, and the API between them over real sockets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import ClientResponse, DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from asyncpg import Pool

from bridge import config
from bridge.db.pool import unchecked_pool
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Server as Equa
from bridge.secrets.key_ring import new_key
from handlers.http.app_keys import Limits
from handlers.http.limits import Timeouts
from provisioning.tokens import DESCRIPTION
from tests.support.api import PLATFORM_TOKENS, TOKENS
from tests.support.provisioning import Chat
from tests.support.provisioning import chat as running_chat
from tests.support.services import Built, built

APP = "https://app.example.com"
"""The web app's origin."""

ACME, BOREALIS = demo_data.ACME, demo_data.BOREALIS
SESSION = "/api/v1/mattermost/session"
CONFIG = "/api/v1/mattermost/config"

PATIENT = Timeouts(equa=60, visit=60, diagnosis=60, login=60, session=60, sync=60, body=60)
"""Deadlines that a busy machine keeps too; tests of deadlines bring their own."""


@dataclass(slots=True)
class Front:
    """The API with everything behind it. `visit` and `login` are what browsers do."""

    client: TestClient[web.Request, web.Application]
    app: web.Application
    equa: Equa
    chat: Chat
    pool: Pool
    built: Built
    environ: Mapping[str, str]

    def cookie(self, account: demo_data.Account = demo_data.ADA) -> str:
        """Sign somebody in to Equa and return what their browser sends from then on."""
        return self.equa.store.sign_in(account.id)

    def tokens(self) -> list[str]:
        """Return the tokens of the bridge that are good."""
        tokens = self.chat.store.tokens.values()
        return [each.token for each in tokens if each.description == DESCRIPTION and each.is_active]

    async def visit(
        self, cookie: str | None, organization: object = ACME.id, **headers: str
    ) -> ClientResponse:
        sent = {**({"Cookie": cookie} if cookie else {}), **_named(headers)}
        return await self.client.post(SESSION, json={"organizationId": str(organization)}, headers=sent)

    async def ticket(self, account: demo_data.Account = demo_data.ADA, organization: object = ACME.id) -> str:
        """Let somebody in and return the token of their session."""
        response = await self.visit(self.cookie(account), organization)
        assert response.status == 200, await response.text()
        token: str = (await response.json())["token"]
        return token

    async def login(self, token: str, redirect_to: str | None = None, **headers: str) -> ClientResponse:
        query = {"token": token} | ({} if redirect_to is None else {"redirect_to": redirect_to})
        return await self.client.get(
            "/login/token", params=query, headers=_named(headers), allow_redirects=False
        )


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def front(dsn: str, limits: Limits | None = None, /, **variables: str) -> AsyncIterator[Front]:
    """Put the API together as the daemon does; an empty variable takes one away."""
    async with (
        running_chat() as chat,
        Equa() as equa,
        await unchecked_pool(dsn) as pool,
        served(chat, equa, pool, dsn, limits, **variables) as door,
    ):
        yield door


@asynccontextmanager
async def served(
    chat: Chat,
    equa: Equa,
    pool: Pool,
    dsn: str,
    limits: Limits | None = None,
    /,
    **variables: str,
) -> AsyncIterator[Front]:
    """Serve one process of the API before what is there already."""
    environ = {**_environ(chat, equa, dsn), **variables}
    async with built(config.load(environ), dsn, pool) as process:
        app = process.api(_patient(limits or Limits()))
        async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
            yield Front(client, app, equa, chat, pool, process, environ)


def _patient(limits: Limits) -> Limits:
    return replace(limits, timeouts=PATIENT) if limits.timeouts == Timeouts() else limits


def _environ(chat: Chat, equa: Equa, dsn: str) -> dict[str, str]:
    return {
        "DATABASE_URL": dsn,
        "TOKEN_KEYS": f"k1:{new_key()}",
        "MATTERMOST_URL": chat.server.url,
        "MATTERMOST_PUBLIC_URL": "https://chat.example.com",
        "MATTERMOST_ADMIN_BOT_TOKEN": chat.store.admin_token,
        "MATTERMOST_BOT_TOKEN": chat.bot_token,
        "AGENT_URL": "http://127.0.0.1:9",
        "EQUA_API_URL": equa.api_url,
        "WEB_ORIGINS": APP,
        "GATEWAY_TOKENS": ",".join(TOKENS),
        "PLATFORM_TOKENS": ",".join(PLATFORM_TOKENS),
    }
