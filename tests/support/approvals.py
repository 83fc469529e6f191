"""Hosts whose people Equa knows, so that their roles can be looked up when they decide about a tool call."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiohttp import ClientSession
from asyncpg import Pool

from bridge.db.memberships import Memberships
from bridge.models.approvals import Approval, ApprovalId
from bridge.models.chat import ChannelId, PostId
from bridge.models.conversations import Conversation
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Server as Equa
from bridge.sandbox.equa import Store as EquaStore
from bridge.sandbox.equa.records import User as EquaUser
from bridge.sandbox.mattermost import Post, User
from bridge.sandbox.mattermost.events import Event
from tests.support.hosts import Company, Hosts

ADMIN = demo_data.PERMISSIONS["Owner"]
STAFF = demo_data.STAFF
ACME = demo_data.ACME.id
SETTING = "AllowedUntrustedInternalConnections"


@dataclass
class Deciding:
    """Who decides: of each company the first person is an ordinary member, the last an administrator."""

    hosts: Hosts
    equa: Equa
    pool: Pool
    session: ClientSession
    port: int
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            **self.hosts.environ,
            "EQUA_API_URL": self.equa.api_url,
            "EQUA_SERVICE_EMAIL": demo_data.SERVICE.email,
            "EQUA_SERVICE_PASSWORD": demo_data.PASSWORD,
            "BRIDGE_URL": f"http://127.0.0.1:{self.port}",
            "WEB_ORIGINS": "https://app.example.com",
        }

    @property
    def acme(self) -> Company:
        return self.hosts.companies[0]

    async def equa_user(self, user: User) -> EquaUser:
        """Return who an account is mapped to."""
        person = await self.pool.fetchval(
            "select id from mattermost_user_mappings where mattermost_user_id = $1", user.id
        )
        return self.equa.store.users[person]

    async def permit(self, company: Company, user: User, permissions: Iterable[str]) -> None:
        """Give somebody a role of these permissions in place of the one that they have."""
        person = await self.equa_user(user)
        self.equa.store.remove_member(company.id, person.id)
        self.equa.store.add_member(company.id, person, permissions)

    async def press(self, user: User, post: Post, action: str) -> tuple[int, Any]:
        """Let somebody press a button; return what Mattermost answers."""
        token = self.tokens.get(user.id)
        if token is None:
            token = self.tokens[user.id] = self.hosts.store.create_token(user).token
        url = f"{self.hosts.server.url}/api/v4/posts/{post.id}/actions/{action}"
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(url, json={}, headers=headers) as response:
            return response.status, await response.json()

    def approval_posts(self, post: Post) -> list[Post]:
        """Return the posts of a thread that ask for an approval."""
        return [each for each in self.hosts.replies(post) if "approval" in mark(each)]

    async def asked(self, text: str = "@equabot please pay 100", *, by: int = 0) -> tuple[Post, Post]:
        """Ask something that needs an approval; return the question, and the post with its buttons."""
        question = self.hosts.ask(self.acme, text, by=by)
        await self.hosts.until(lambda: bool(self.approval_posts(question)))
        (post,) = self.approval_posts(question)
        await self.until_posted(post)
        return question, post

    async def until_posted(self, post: Post) -> None:
        """Wait until the bridge knows its own post."""
        found = "select count(*) from approvals where post_id = $1"
        async with asyncio.timeout(60):
            while not await self.pool.fetchval(found, post.id):
                await asyncio.sleep(0.01)

    async def state(self) -> str:
        """Return the state of the one approval."""
        found: str = await self.pool.fetchval("select state from approvals")
        return found

    async def states(self) -> list[str]:
        """Return the states of all approvals, the oldest first."""
        return [row["state"] for row in await self.pool.fetch("select state from approvals order by created")]

    def key(self, question: Post) -> str:
        """Return the session key of a question's thread as the gateway stores it."""
        return f"agent:main:mattermost:{self.acme.id}:{question.channel_id}:{question.id}"

    async def report(self, body: Mapping[str, Any], port: int | None = None) -> str:
        """Report a press as Mattermost does; return what whoever has pressed is shown."""
        status, answer = await self.raw(json.dumps(body).encode(), port)
        assert status == 200, answer
        said: str = answer["ephemeral_text"]
        return said

    async def raw(self, body: bytes, port: int | None = None, *, forwarded: bool = False) -> tuple[int, Any]:
        """Send bytes to where presses are reported."""
        url = f"http://127.0.0.1:{port or self.port}/api/v1/mattermost/actions"
        headers = {
            "Content-Type": "application/json",
            **({"X-Forwarded-For": "1.2.3.4"} if forwarded else {}),
        }
        async with self.session.post(url, data=body, headers=headers) as response:
            return response.status, await response.json()

    async def page(
        self, user: User, approval: str = "", decision: str = "", organization: UUID | None = None
    ) -> tuple[int, Any]:
        """Look at the approvals as somebody's page does, or decide about one."""
        cookie = self.equa.store.sign_in((await self.equa_user(user)).id)
        path = f"/api/v1/mattermost/approvals/{organization or self.acme.id}"
        url = f"http://127.0.0.1:{self.port}{path}" + (f"/{approval}" if approval else "")
        method, body = ("POST", {"decision": decision}) if approval else ("GET", None)
        async with self.session.request(method, url, json=body, headers={"Cookie": cookie}) as response:
            return response.status, await response.json()

    @asynccontextmanager
    async def ephemeral(self, *users: User) -> AsyncIterator["Shown"]:
        """Give what these people alone are shown from now on."""
        shown = Shown(frozenset(user.id for user in users))
        self.hosts.store.listeners.append(shown.hear)
        try:
            yield shown
        finally:
            self.hosts.store.listeners.remove(shown.hear)

    async def audited(self) -> list[tuple[str, str, str | None, str]]:
        """Return kind, outcome, role and way of each row about approvals, the oldest first."""
        rows = await self.pool.fetch(
            "select kind, outcome, role, via from audit where kind like 'approval%' order by id"
        )
        return [tuple(row.values()) for row in rows]


@dataclass
class Shown:
    """The sentences that somebody alone is shown."""

    users: frozenset[str]
    _sentences: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def hear(self, event: Event) -> None:
        if event.name == "ephemeral_message" and event.broadcast.user_id in self.users:
            self._sentences.put_nowait(json.loads(event.data["post"])["message"])

    async def next(self) -> str:
        async with asyncio.timeout(60):
            return await self._sentences.get()


def waiting_approval(id_: str = "a1") -> Approval:
    """Return a tool call that waits for a minute, in a thread of Acme."""
    now = time.time_ns() // 1_000_000
    return Approval(
        ApprovalId(id_),
        "plugin",
        Conversation(ACME, ChannelId("c" * 26), PostId("t" * 26)),
        run_id="",
        title="Pay 100",
        description="Pay 100 to Acme.",
        tool="equa_pay",
        severity="info",
        decisions=("allow-once", "deny"),
        created_at=now,
        expires_at=now + 60_000,
    )


def mark(post: Post) -> Mapping[str, Any]:
    found: Mapping[str, Any] = post.props.get("equabot_bridge", {})
    return found


def buttons(post: Post) -> dict[str, dict[str, Any]]:
    """Return the buttons below a post by their ids, with what only the server sees."""
    return {
        action["id"]: action
        for attachment in post.props.get("attachments", ())
        for action in attachment.get("actions", ())
    }


@asynccontextmanager
async def deciding(hosts: Hosts, pool: Pool, port: int) -> AsyncIterator[Deciding]:
    """Give the hosts of `hosts`, known to an Equa."""
    hosts.store.settings.patch({"ServiceSettings": {SETTING: "127.0.0.1"}})
    store = EquaStore()
    store.add_account(demo_data.SERVICE)
    async with Equa(store) as equa, ClientSession() as session:
        built = Deciding(hosts, equa, pool, session, port)
        for company in hosts.companies:
            await _known(store, company, pool)
        yield built


async def _known(store: EquaStore, company: Company, pool: Pool) -> None:
    store.add_company(demo_data.Company(company.id, company.name, (), (), ()))
    for user in company.people:
        person = await pool.fetchval(
            "select id from mattermost_user_mappings where mattermost_user_id = $1", user.id
        )
        known = store.add_account(demo_data.Account(person, user.username, user.username, "Somebody"))
        await Memberships(pool).join(company.id, person, verdict_age=timedelta())
        await Memberships(pool).joined(company.id, person)
        store.add_member(company.id, known, ADMIN if user is company.people[-1] else STAFF)
