"""The server that the contract is held against, and the people and places that tests make on it."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import pytest
from websockets.asyncio.client import connect

from tests.contract.client import DEADLINE, Api, Socket

PASSWORD = "Contract-1234"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody on the server, with a personal access token."""

    id: str
    name: str
    api: Api

    @property
    def token(self) -> str:
        return self.api.token


@dataclass(frozen=True, slots=True)
class Scene:
    """A team with two people and a bot in one channel of it."""

    team_id: str
    team_name: str
    channel_id: str
    ada: Account
    bob: Account
    bot: Account


class Mattermost:
    """A sandbox or a real server; every name that it gives out is random."""

    def __init__(
        self,
        kind: Literal["sandbox", "real"],
        http: aiohttp.ClientSession,
        url: str,
        admin_token: str,
        open_sockets: Callable[[str], int] | None = None,
    ) -> None:
        self.kind = kind
        self._open_sockets = open_sockets
        self.url = url
        self._http = http
        self.admin = Api(http, url, admin_token)
        self.nobody = Api(http, url)
        self.version: tuple[int, ...] = ()
        self._made: list[str] = []

    async def find_version(self) -> None:
        """Read the version, which decides what can be expected."""
        config = await self.nobody.get("/config/client?format=old")
        self.version = tuple(int(part) for part in config["Version"].split("."))

    def needs(self, *version: int) -> None:
        """Skip the test on a server older than that."""
        if self.version < version:
            pytest.skip(f"needs Mattermost {'.'.join(map(str, version))}")

    def name(self, prefix: str = "t") -> str:
        """Return a name that nobody has."""
        return prefix + secrets.token_hex(6)

    async def user(self, **fields: Any) -> dict[str, Any]:
        """Create a person."""
        name = self.name("u")
        given = {"username": name, "email": f"{name}@example.test", "password": PASSWORD, **fields}
        user = await self.admin.post("/users", given)
        assert isinstance(user, dict)
        self._made.append(user["id"])
        return user

    async def retire(self) -> None:
        """Deactivate the people made here: a server without a licence has room for few (11.x: 250)."""
        for user_id in self._made:
            await self.admin.call("DELETE", f"/users/{user_id}")

    async def account(self, **fields: Any) -> Account:
        """Create a person with a token."""
        user = await self.user(**fields)
        return await self._with_token(user["id"], user["username"])

    async def bot(self) -> Account:
        """Create a bot with a token."""
        bot = await self.admin.post("/bots", {"username": self.name("b"), "display_name": "A bot"})
        return await self._with_token(bot["user_id"], bot["username"])

    async def _with_token(self, user_id: str, name: str) -> Account:
        token = await self.admin.post(f"/users/{user_id}/tokens", {"description": "contract"})
        return Account(user_id, name, self.admin.as_(token["token"]))

    async def team(self, *members: Account) -> dict[str, Any]:
        """Create a team for invited people."""
        name = self.name()
        team = await self.admin.post("/teams", {"name": name, "display_name": name, "type": "I"})
        if members:
            rows = [{"team_id": team["id"], "user_id": each.id} for each in members]
            await self.admin.post(f"/teams/{team['id']}/members/batch", rows)
        assert isinstance(team, dict)
        return team

    async def channel(
        self, team_id: str, *members: Account, kind: str = "O", name: str = ""
    ) -> dict[str, Any]:
        """Create a channel of a team, of any name unless one is given; the administrator is in it."""
        name = name or self.name("c")
        fields = {"team_id": team_id, "name": name, "display_name": name, "type": kind}
        channel = await self.admin.post("/channels", fields)
        for each in members:
            await self.admin.post(f"/channels/{channel['id']}/members", {"user_id": each.id})
        await self._announced(channel["id"], len(members))
        assert isinstance(channel, dict)
        return channel

    async def _announced(self, channel_id: str, count: int) -> None:
        """Wait for the system posts about added members, which a real server writes after its answer."""
        async with asyncio.timeout(DEADLINE):
            while True:
                shown = await self.admin.get(f"/channels/{channel_id}/posts")
                kinds = [post["type"] for post in shown["posts"].values()]
                if kinds.count("system_add_to_channel") >= count:
                    return
                await asyncio.sleep(0.05)

    async def scene(self) -> Scene:
        """Create a team with two people and a bot in one channel."""
        ada, bob, bot = await self.account(), await self.account(), await self.bot()
        team = await self.team(ada, bob, bot)
        channel = await self.channel(team["id"], ada, bob, bot)
        return Scene(team["id"], team["name"], channel["id"], ada, bob, bot)

    @asynccontextmanager
    async def socket(
        self, token: str = "", *, query: str = "", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Socket]:
        """Open a websocket, with the token in the Authorization header if there is one."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        url = f"{self.url.replace('http', 'ws', 1)}/api/v4/websocket{query}"
        connection = await connect(
            url, additional_headers=sent, proxy=None, max_size=None, ping_interval=None, max_queue=None
        )
        async with Socket(connection) as socket:
            yield socket

    async def noticed_cut(self, account: Account) -> None:
        """Wait until the server has noticed that all sockets of the account are gone.

        A real server says nothing of it, and is given a moment.
        """
        if self._open_sockets is None:
            await asyncio.sleep(0.2)
            return
        async with asyncio.timeout(60):
            while self._open_sockets(account.id):
                await asyncio.sleep(0.005)

    @asynccontextmanager
    async def greeted(self, account: Account) -> AsyncIterator[Socket]:
        """Open a websocket and read its hello."""
        async with self.socket(account.token) as socket:
            hello = await socket.receive()
            assert hello["event"] == "hello"
            yield socket

    @asynccontextmanager
    async def configured(self, **sections: Mapping[str, Any]) -> AsyncIterator[None]:
        """Change settings for the length of a test."""
        async with self.configured_by(self.admin, **sections):
            yield

    @asynccontextmanager
    async def configured_by(self, admin: Api, **sections: Mapping[str, Any]) -> AsyncIterator[None]:
        """Change settings as another administrator, one whom the change does not shut out."""
        before = await admin.get("/config")
        kept = {name: {key: before[name][key] for key in values} for name, values in sections.items()}
        await admin.put("/config/patch", sections)
        try:
            yield
        finally:
            await admin.put("/config/patch", kept)

    @asynccontextmanager
    async def permitted(self, role: str, permissions: list[str]) -> AsyncIterator[None]:
        """Change the permissions of a role for the length of a test."""
        found = await self.admin.get(f"/roles/name/{role}")
        await self.admin.put(f"/roles/{found['id']}/patch", {"permissions": permissions})
        try:
            yield
        finally:
            await self.admin.put(f"/roles/{found['id']}/patch", {"permissions": found["permissions"]})


def size_of(body: object) -> int:
    """Return how many bytes a body has as JSON."""
    return len(json.dumps(body).encode())


async def next_millisecond() -> None:
    """Let the clock of posts go on: what is compared by create_at must differ in it."""
    await asyncio.sleep(0.002)
