"""The way into the chat, through the real daemon."""

import asyncio
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from asyncpg import Pool

from bridge.db.sealed_tokens import SealedTokens
from bridge.sandbox import demo_data as sandbox
from bridge.sandbox.equa import Server as Equa
from provisioning.tokens import DESCRIPTION
from tests.support.daemon import Daemon, running
from tests.support.hosts import Hosts
from tests.support.sealed import entry

OLD, NEW = entry("k1"), entry("k2")


@dataclass(slots=True)
class Town:
    """Equa beside the other hosts, and what a daemon has to know of all."""

    hosts: Hosts
    equa: Equa

    def environ(self, **variables: str) -> Mapping[str, str]:
        return {
            **self.hosts.environ,
            "MATTERMOST_ADMIN_BOT_TOKEN": self.hosts.store.admin_token,
            "EQUA_API_URL": self.equa.api_url,
            "TOKEN_KEYS": OLD,
            **variables,
        }

    async def visit(self, daemon: Daemon) -> Any:
        headers = {"Cookie": self.equa.store.sign_in(sandbox.ADA.id)}
        body = {"organizationId": str(sandbox.ACME.id)}
        url = f"{daemon.url}/api/v1/mattermost/session"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=body, headers=headers) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()

    async def enter(self, daemon: Daemon, token: str) -> str:
        """Follow the way of a browser and return as whom Mattermost then knows it."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            query = {"token": token, "redirect_to": "/acme-corp/channels/agent"}
            async with browser.get(
                f"{daemon.url}/login/token", params=query, allow_redirects=False
            ) as response:
                assert (response.status, response.headers["Location"]) == (303, query["redirect_to"])
            async with browser.get(f"{self.hosts.server.url}/api/v4/users/me") as response:
                name: str = (await response.json())["username"]
                return name

    def tokens(self) -> list[str]:
        tokens = self.hosts.store.tokens.values()
        return [each.token for each in tokens if each.description == DESCRIPTION and each.is_active]


@pytest.fixture
async def town(hosts: Hosts) -> AsyncIterator[Town]:
    async with Equa() as equa:
        yield Town(hosts, equa)


@asynccontextmanager
async def begun(environ: Mapping[str, str], log: Path) -> AsyncIterator[Daemon]:
    """Start a daemon that need not become ready."""
    daemon = Daemon(environ, log)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.kill()


async def test_somebody_opens_messaging(town: Town, tmp_path: Path) -> None:
    """From the Equa session to being known in Mattermost; the daemon's end and start change nothing."""
    async with running(town.environ(), tmp_path / "first.log") as daemon:
        session = await town.visit(daemon)
        assert await town.enter(daemon, session["token"]) == "ada"
        assert await daemon.stop() == 0
    (token,) = town.tokens()

    async with running(town.environ(), tmp_path / "second.log") as daemon:
        again = await town.visit(daemon)
        assert await town.enter(daemon, again["token"]) == "ada"

    assert (again["teamName"], again["mmUserId"]) == (session["teamName"], session["mmUserId"])
    assert town.tokens() == [token]


async def test_a_new_key_takes_over_by_itself(town: Town, pool: Pool, tmp_path: Path) -> None:
    """Put in front, it has sealed everything soon after the start; then the old one may go."""
    async with running(town.environ(), tmp_path / "first.log") as daemon:
        await town.visit(daemon)
    async with running(town.environ(TOKEN_KEYS=f"{NEW},{OLD}"), tmp_path / "second.log"):
        async with asyncio.timeout(60):
            while await SealedTokens(pool).counts() != {"k2": 1}:
                await asyncio.sleep(0.02)
    async with running(town.environ(TOKEN_KEYS=NEW), tmp_path / "third.log") as daemon:
        assert await town.enter(daemon, (await town.visit(daemon))["token"]) == "ada"

    assert len(town.tokens()) == 1


@pytest.mark.parametrize("keys", [NEW, entry("k1")], ids=["missing", "wrong"])
async def test_without_its_keys_it_does_not_start(town: Town, tmp_path: Path, keys: str) -> None:
    """It names the key, and ends with 1."""
    async with running(town.environ(), tmp_path / "first.log") as daemon:
        await town.visit(daemon)
    async with begun(town.environ(TOKEN_KEYS=keys), tmp_path / "second.log") as daemon:
        assert daemon.process
        async with asyncio.timeout(60):
            assert await daemon.process.wait() == 1

    *_, sentence = (tmp_path / "second.log").read_text().splitlines()
    assert "sealed with the key k1" in sentence
    assert "keys drop k1 --lost" in sentence
    assert "Traceback" not in (tmp_path / "second.log").read_text()


async def test_an_embedded_database_has_its_keys_beside_it(town: Town, tmp_path: Path) -> None:
    """Made at the first start, and kept."""
    environ = {**town.environ(), "BRIDGE_DATA_DIR": str(tmp_path / "data")}
    del environ["TOKEN_KEYS"], environ["DATABASE_URL"]
    file = tmp_path / "data" / "token-keys"
    async with running(environ, tmp_path / "first.log") as daemon:
        await town.visit(daemon)
        assert await daemon.stop() == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = file.read_text()
    tokens = town.tokens()
    async with running(environ, tmp_path / "second.log") as daemon:
        assert await town.enter(daemon, (await town.visit(daemon))["token"]) == "ada"

    assert file.read_text() == kept
    assert town.tokens() == tokens
