"""The real daemon through visits, logins, mentions and failures: no secret gets out anywhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp
import pytest

from bridge.sandbox import demo_data as sandbox
from bridge.sandbox.agent.faults import ErrorObject
from bridge.sandbox.equa import Server as Equa
from bridge.sandbox.equa import away
from bridge.sandbox.mattermost import RestFault
from provisioning.tokens import DESCRIPTION
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts
from tests.support.processes import installed
from tests.support.sealed import entry

API = "/api/v1/mattermost"
APP = "https://app.example.com"
SERVICE_PASSWORD = "service-password-of-equa-4711"
LOGIN = "/login/token"


@dataclass(slots=True)
class Outlook:
    """The daemon as the world outside sees it; everything that it says is kept."""

    daemon: Daemon
    hosts: Hosts
    equa: Equa
    secrets: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, *, known: bool = False, **more: object) -> tuple[int, str]:
        """Send a request and keep its answer; `known` is the one part of it that may be a secret."""
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, self.daemon.url + path, allow_redirects=False, **more) as response,  # type: ignore[arg-type]  # aiohttp's own keywords
        ):
            body = await response.text()
            headers = [f"{name}: {value}" for name, value in response.headers.items()]
            if known:
                headers = [header for header in headers if not header.startswith("Set-Cookie: MMAUTHTOKEN=")]
            self.said += headers if known and path.endswith("/session") else [*headers, body]
            return response.status, body

    async def visit(self, cookie: str, organization: object, **headers: str) -> str:
        """Open Messaging and return what it answers."""
        value = cookie.partition("=")[2]
        self.secrets |= {value, unquote(value)}
        sent = {"Cookie": cookie, **headers}
        body = {"organizationId": str(organization)}
        status, text = await self.ask("POST", f"{API}/session", known=True, json=body, headers=sent)
        if status != 200:
            self.said.append(text)
        return text

    def found(self) -> set[str]:
        """Return the secrets that stand in anything that was said."""
        return {secret for secret in self.secrets for text in self.said if secret in text}


@asynccontextmanager
async def outlook(hosts: Hosts, log: Path) -> AsyncIterator[Outlook]:
    async with Equa() as equa:
        environ = {
            **hosts.environ,
            "MATTERMOST_ADMIN_BOT_TOKEN": hosts.store.admin_token,
            "MATTERMOST_NOTICE_TOKEN": hosts.store.create_token(hosts.bot).token,
            "EQUA_API_URL": equa.api_url,
            "EQUA_SERVICE_EMAIL": sandbox.SERVICE.email,
            "EQUA_SERVICE_PASSWORD": SERVICE_PASSWORD,
            "TOKEN_KEYS": f"{entry('k2')},{entry('k1')}",
            "WEB_ORIGINS": APP,
            "LOG_LEVEL": "debug",
        }
        async with running(environ, log, installed) as daemon:
            yield Outlook(daemon, hosts, equa, set(_secrets(environ)))


def _secrets(environ: Mapping[str, str]) -> list[str]:
    """Return what of the configuration nobody is to see."""
    names = [name for name in environ if name.endswith(("_TOKEN", "_PASSWORD"))]
    keys = [part.partition(":")[2] for part in environ["TOKEN_KEYS"].split(",")]
    password = urlsplit(environ["DATABASE_URL"]).password
    assert password
    return [
        *(environ[name] for name in names),
        *environ["GATEWAY_TOKENS"].split(","),
        *environ["PLATFORM_TOKENS"].split(","),
        *keys,
        password,
    ]


@pytest.fixture
async def seen(hosts: Hosts, tmp_path: Path) -> AsyncIterator[Outlook]:
    async with outlook(hosts, tmp_path / "daemon.log") as built:
        yield built


async def _visits(seen: Outlook) -> list[str]:
    """Open Messaging in every way and return the tickets."""
    ada = seen.equa.store.sign_in(sandbox.ADA.id)
    tickets = []
    for organization in (sandbox.ACME.id, sandbox.ACME.id, sandbox.BOREALIS.id, "no-uuid"):
        text = await seen.visit(ada, organization)
        if '"token"' in text:
            tickets.append(json.loads(text)["token"])
    await seen.visit("connect.sid=s%3Abogus-session-4712.signature", sandbox.ACME.id)
    await seen.visit(ada, sandbox.ACME.id, Origin="https://evil.example")
    await seen.ask("GET", f"{API}/config", headers={"Cookie": ada, "Origin": APP})
    seen.secrets.update(tickets)
    return tickets


async def _logins(seen: Outlook, tickets: list[str]) -> None:
    """Sign in with each, then use each again, and send what is no HTTP."""
    for ticket in tickets:
        for place, known in (("//evil.example", False), ("/acme-corp", True), ("/acme-corp", False)):
            query = {"token": ticket, "redirect_to": place}
            status, _ = await seen.ask("GET", LOGIN, known=known, params=query)
            assert status == {"//evil.example": 400}.get(place, 303 if known else 401)
        reader, writer = await asyncio.open_connection("127.0.0.1", seen.daemon.port)
        writer.write(f"GET {LOGIN}?token={ticket} HTTP/9.9 nonsense\r\n\r\n".encode())
        async with asyncio.timeout(60):
            assert b" 400 " in await reader.read()
        writer.close()
        await writer.wait_closed()


async def _failures(seen: Outlook, company: Company) -> None:
    """Let everybody outside fail once."""
    seen.equa.controls.fail(away())
    await seen.visit(seen.equa.store.sign_in(sandbox.BEN.id), sandbox.ACME.id)
    seen.equa.controls.clear()
    seen.hosts.server.faults.rest(RestFault(status=400, error_id="api.x", path="/users/email", times=1))
    await seen.visit(seen.equa.store.sign_in(sandbox.BEN.id), sandbox.ACME.id)
    seen.hosts.server.faults.rest(RestFault(cut=True, path="/users/me/teams", times=6))
    await seen.visit(seen.equa.store.sign_in(sandbox.ADA.id), sandbox.ACME.id)
    seen.hosts.agent.fail(ErrorObject())
    await seen.hosts.answered(seen.hosts.ask(company, "@equabot who is on our team?"), seconds=60)
    for token in ("the-first-peers-token", "wrong"):
        headers = {"Authorization": f"Bearer {token}"}
        await seen.ask("GET", f"{API}/team-mapping/{company.team.id}", headers=headers)


def _command_line(daemon: Daemon) -> str:
    assert daemon.process
    return Path(f"/proc/{daemon.process.pid}/cmdline").read_text()


async def test_no_secret_gets_out(seen: Outlook, acme: Company) -> None:
    """Not in the log at its most talkative, in no answer but the one where it belongs, nor anywhere else."""
    tickets = await _visits(seen)
    await _logins(seen, tickets)
    await _failures(seen, acme)
    for path in ("/metrics", "/openapi.json", "/readyz", "/healthz", "/nowhere"):
        await seen.ask("GET", path)
    seen.said.append(_command_line(seen.daemon))
    store = seen.hosts.store
    seen.secrets.update(each.token for each in store.tokens.values() if each.description == DESCRIPTION)
    seen.secrets.update(
        user.password
        for user in store.users.values()
        if user.email.endswith("@example.com") and user.password
    )
    await seen.daemon.stop()
    seen.said.append(seen.daemon.log.read_text())

    assert len(tickets) == 2
    assert '"route": "/login/token"' in seen.said[-1]
    assert len(seen.secrets) > 15
    assert all(len(secret) >= 8 for secret in seen.secrets)
    assert seen.found() == set()
