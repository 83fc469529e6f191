"""Equa asked with a person's own session: who they are and what they may do."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable
from functools import partial
from hashlib import sha256
from typing import TypeVar

from aiohttp import ClientSession

from bridge.equa import read
from bridge.equa.cookies import relayed
from bridge.equa.http import ROSTER_SECONDS, Server
from bridge.equa.permissions import holds_any
from bridge.equa.reply import SIGN_IN
from bridge.equa.responses import Answers
from bridge.errors import NotAMember, NotAnAdmin, NotSignedIn
from bridge.models.equa import Organization, OrganizationId, Person, Roster

T = TypeVar("T")

KEPT_SECONDS = 10.0
KEPT_ANSWERS = 10_000


class EquaClient:
    """Relays of a person's cookies those named in `cookies`, unchanged and to `url` only.

    Only a yes is kept, for 10 s from the question and under a hash of the cookies: who has just signed in or
    become a member gets in at once.
    """

    def __init__(
        self,
        session: ClientSession,
        *,
        url: str,
        cookies: Collection[str],
        admin_permissions: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = Server(session, url)
        self._cookies = frozenset(cookies)
        self._admin_permissions = frozenset(admin_permissions)
        self._answers = Answers(seconds=KEPT_SECONDS, size=KEPT_ANSWERS, clock=clock)

    async def person(self, cookie: str) -> Person:
        own = self._own(cookie)
        return await self._kept(own, "person", partial(self._person, own))

    async def member(self, cookie: str, organization: OrganizationId) -> tuple[Person, Organization]:
        person = await self.person(cookie)
        own = self._own(cookie)
        ask = partial(self._membership, own, organization)
        return person, await self._kept(own, ("member", organization), ask)

    async def admin(self, cookie: str, organization: OrganizationId) -> Person:
        person = await self.person(cookie)
        own = self._own(cookie)
        ask = partial(self._admin, own, organization, person)
        await self._kept(own, ("admin", organization), ask)
        return person

    async def organization_name(self, cookie: str, organization: OrganizationId) -> str:
        own = self._own(cookie)
        return await self._kept(own, ("name", organization), partial(self._name, own, organization))

    async def roster(self, cookie: str, organization: OrganizationId) -> Roster:
        path = f"/organization/{organization}/member"
        reply = await self._server.request("GET", path, cookie=self._own(cookie), seconds=ROSTER_SECONDS)
        # In a thread: 10,000 lines take 0.1 s, for which every socket of the daemon would wait.
        return await asyncio.to_thread(reply.roster, _not_a_member())

    async def ping(self) -> None:
        """Raise `EquaUnavailable` unless Equa answers a stranger's `GET /user/current`.

        Equa's own `/health` stands at the root of its server, which `EQUA_API_URL` need not lead to.
        """
        reply = await self._server.request("GET", "/user/current")
        if reply.status not in (401, 403):
            reply.value("user")

    async def _person(self, own: str) -> Person:
        reply = await self._server.request("GET", "/user/current", cookie=own)
        person = read.person(reply.value("user", {403: NotSignedIn(SIGN_IN)}))
        if person is None:
            raise NotSignedIn(SIGN_IN)
        return person

    async def _membership(self, own: str, organization: OrganizationId) -> Organization:
        reply = await self._server.request("GET", "/organization", cookie=own)
        found = read.membership(reply.value("organizations", {403: _not_a_member()}), organization)
        if found is None:
            raise _not_a_member()
        return found

    async def _admin(self, own: str, organization: OrganizationId, person: Person) -> None:
        reply = await self._server.request(
            "GET", f"/organization/{organization}/user/{person.id}", cookie=own
        )
        refusal = NotAnAdmin("Only administrators of this organization may do that.")
        if not holds_any(reply.value("permissions", {403: refusal, 404: refusal}), self._admin_permissions):
            raise refusal

    async def _name(self, own: str, organization: OrganizationId) -> str:
        reply = await self._server.request("GET", f"/organization/{organization}", cookie=own)
        return reply.organization_name(_not_a_member())

    def _own(self, cookie: str) -> str:
        own = relayed(cookie, self._cookies)
        if not own:
            raise NotSignedIn(SIGN_IN)
        return own

    async def _kept(self, own: str, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        return await self._answers.get((sha256(own.encode()).digest(), question), ask)


def _not_a_member() -> NotAMember:
    return NotAMember("You are not a member of this organization.")
