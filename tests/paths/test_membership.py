"""Membership follows the platform: events in, people in and out of teams, whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from bridge.sandbox import demo_data as sandbox
from bridge.sandbox import equa
from bridge.sandbox.demo_data import Account
from bridge.sandbox.mattermost import RestFault, Server, Store, User
from tests.support.daemon import Daemon, running
from tests.support.environ import environ_of
from tests.support.mattermost import eventually
from tests.support.postgres import expire_leases, jobs
from tests.support.syncing import SERVICE

ACME = sandbox.ACME
PEER = {"Authorization": "Bearer token-of-the-platform"}


@dataclass(frozen=True, slots=True)
class Town:
    """The daemon between a Mattermost and an Equa."""

    dsn: str
    store: Store
    server: Server
    platform: equa.Server
    daemon: Daemon
    http: aiohttp.ClientSession

    def cookie(self, account: Account = sandbox.ADA) -> dict[str, str]:
        return {"Cookie": self.platform.store.sign_in(account.id)}

    async def call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        url = f"{self.daemon.url}/api/v1/mattermost/{path}"
        async with self.http.request(method, url, json=body, headers=headers) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def visit(self, account: Account = sandbox.ADA) -> Any:
        return await self.call("POST", "session", {"organizationId": str(ACME.id)}, self.cookie(account))

    async def tell(self, name: str, account: Account) -> None:
        """Send the event that the platform's hook sends."""
        event = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "https://app.equa.example",
            "type": f"cc.equa.member.{name}",
            "subject": str(ACME.id),
            "data": {
                "userId": str(account.id),
                "name": account.name,
                "email": account.email,
                "role": "Staff",
                "link": "https://app.equa.example/members",
            },
        }
        await self.call("POST", "events", event, PEER)

    async def asked(self, path: str, body: Any) -> int:
        """Ask Mattermost as nobody, and return the status."""
        async with self.http.post(f"{self.server.url}/api/v4/{path}", json=body) as response:
            return response.status

    def teams_of(self, user: User) -> set[str]:
        inside = self.store.teams_of_user[user.id]
        return {team.name for team in self.store.teams.values() if team.id in inside}

    def members(self) -> set[str]:
        team = self.store.team_by_name.get("acme-corp")
        if team is None:
            return set()
        inside = [user for user in self.store.users.values() if self.store.member_of_team(team.id, user.id)]
        return {user.first_name for user in inside} - {""}


@pytest.fixture
async def town(dsn: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with settled(dsn, tmp_path) as built:
        yield built


@asynccontextmanager
async def settled(dsn: str, tmp_path: Path, **changes: str) -> AsyncIterator[Town]:
    store = Store()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(store))
        platform = await stack.enter_async_context(equa.Server())
        variables = {"PLATFORM_TOKENS": "token-of-the-platform", **SERVICE, **changes}
        environ = environ_of(dsn, server, platform, **variables)
        daemon = await stack.enter_async_context(running(environ, tmp_path / "daemon.log"))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        yield Town(dsn, store, server, platform, daemon, http)


async def test_who_is_added_is_in_and_who_is_removed_is_out(town: Town) -> None:
    """Without ever having come, and with the token gone."""
    await town.visit()
    await town.tell("added", sandbox.BEN)
    await eventually(lambda: town.members() == {"Ada", "Ben"})
    ben = (await town.visit(sandbox.BEN))["mmUserId"]
    assert town.store.tokens_of_user[ben]

    await town.tell("removed", sandbox.BEN)

    await eventually(lambda: town.members() == {"Ada"} and not town.store.tokens_of_user[ben])


async def test_a_sync_brings_everybody_in(town: Town) -> None:
    """Asked for by the administrator, done by the daemon."""
    report = await town.call("POST", f"sync-org/{ACME.id}", {}, town.cookie())

    assert (report["created"], report["added"], report["failed"]) == (4, 4, [])
    assert town.members() == {"Ada", "Ben", "Chloe", "Dmitri"}


async def test_an_organization_cannot_get_hold_of_another_s_by_a_wrong_address(town: Town) -> None:
    """Acme's roster lies about Dmitri, who belongs to Borealis too: it neither resets nor reads anything."""
    lie = "mallory@acme.example"
    for line in town.platform.store.organizations[ACME.id].members.values():
        if line.user == sandbox.DMITRI.id:
            line.email = lie
    await town.call("POST", f"sync-org/{ACME.id}", {}, town.cookie())
    borealis = sandbox.BOREALIS.id
    await town.call("POST", f"sync-org/{borealis}", {}, town.cookie(sandbox.ELIF))
    account = town.store.user_by_email[lie]
    assert town.teams_of(account) == {"acme-corp", "borealis-labs"}

    assert await town.asked("users/password/reset/send", {"email": lie}) == 400
    for password in ("", "guessed-1234"):
        assert await town.asked("users/login", {"login_id": lie, "password": password}) in (400, 401)
    assert account.notify_props["email"] == "false"

    session = await town.call(
        "POST", "session", {"organizationId": str(borealis)}, town.cookie(sandbox.DMITRI)
    )
    assert session["mmUserId"] == account.id
    assert (account.email, account.notify_props["email"]) == (sandbox.DMITRI.email, "true")
    assert town.teams_of(account) == {"acme-corp", "borealis-labs"}
    for address in (lie, account.email):
        await town.asked("users/password/reset/send", {"email": address})
    assert (account.password, account.auth_service) == ("", "equa")


async def test_without_a_bot_syncs_are_done_all_the_same(dsn: str, tmp_path: Path) -> None:
    """What needs no bot is not left lying; a notice and a greeting are, for a process that has one."""
    async with settled(dsn, tmp_path, MATTERMOST_BOT_TOKEN="") as town:
        report = await town.call("POST", f"sync-org/{ACME.id}", {}, town.cookie())
        await town.tell("removed", sandbox.BEN)

        await eventually(lambda: town.members() == {"Ada", "Chloe", "Dmitri"})
        assert await town.daemon.stop() == 0

    assert (report["added"], report["failed"]) == (4, [])
    waiting = {("notice", "waiting"), ("welcome", "waiting")}
    assert await jobs(dsn) == {("sync", "done"), ("membership", "done"), *waiting}


async def test_a_killed_sync_is_finished_by_the_next_process(town: Town) -> None:
    """Whoever asks then hears how it has ended."""
    fault = town.server.faults.rest(RestFault("before", delay=3, path="/members/batch"))
    asking = asyncio.create_task(town.call("POST", f"sync-org/{ACME.id}", {}, town.cookie()))
    await eventually(lambda: len(town.store.users) >= 2 + 4)
    await town.daemon.kill()
    with pytest.raises(aiohttp.ClientError):
        await asking
    fault.times = 0

    await expire_leases(town.dsn)
    await town.daemon.start()
    await town.daemon.ready()

    await eventually(lambda: town.members() == {"Ada", "Ben", "Chloe", "Dmitri"})
    report = await town.call("POST", f"sync-org/{ACME.id}", {}, town.cookie())
    assert (report["added"] + report["unchanged"], report["failed"]) == (4, [])
    assert len(town.store.users) == 2 + 4
