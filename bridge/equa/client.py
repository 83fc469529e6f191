"""Equa asked with a person's cookie session: who they are and what they may do."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable
from functools import partial
from hashlib import sha256
from typing import TypeVar

from aiohttp import ClientSession

from bridge.equa import read
from bridge.equa.http import ROSTER_SECONDS, Server
from bridge.equa.permissions import holds_any
from bridge.equa.reply import SIGN_IN
from bridge.equa.responses import Answers
from bridge.errors import NotAMember, NotAnAdmin, NotSignedIn
from bridge.models.equa import Organization, OrganizationId, Organizations, Person, Roster

T = TypeVar("T")

KEPT_SECONDS = 10.0
KEPT_ANSWERS = 10_000


class EquaClient:
    """Sends a person's cookies, unchanged, to `url` only.

    Only a yes is kept, for 10 s from the question and under a hash of the cookies: somebody who has just
    signed in or become a member gets in at once.
    """

    def __init__(
        self,
        session: ClientSession,
        *,
        url: str,
        admin_permissions: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = Server(session, url)
        self._admin_permissions = frozenset(admin_permissions)
        self._answers = Answers(seconds=KEPT_SECONDS, size=KEPT_ANSWERS, clock=clock)

    async def person(self, cookie: str) -> Person:
        return await self._kept(cookie, "person", partial(self._person, cookie))

    async def member(self, cookie: str, organization: OrganizationId) -> tuple[Person, Organization]:
        person = await self.person(cookie)
        ask = partial(self._membership, cookie, organization)
        return person, await self._kept(cookie, ("member", organization), ask)

    async def organizations(self, cookie: str) -> Organizations:
        reply = await self._server.request("GET", "/organization", cookie=cookie)
        return read.organizations(reply.value("organizations", {403: NotSignedIn(SIGN_IN)}))

    async def admin(self, cookie: str, organization: OrganizationId, *, afresh: bool = False) -> Person:
        if afresh:
            person = await self._person(cookie)
            await self._admin(cookie, organization, person)
            return person
        person = await self.person(cookie)
        ask = partial(self._admin, cookie, organization, person)
        await self._kept(cookie, ("admin", organization), ask)
        return person

    async def organization_name(self, cookie: str, organization: OrganizationId) -> str:
        return await self._kept(cookie, ("name", organization), partial(self._name, cookie, organization))

    async def roster(self, cookie: str, organization: OrganizationId) -> Roster:
        path = f"/organization/{organization}/member"
        reply = await self._server.request("GET", path, cookie=cookie, seconds=ROSTER_SECONDS)
        # In a thread: 10,000 lines take 0.1 s, for which every socket of the daemon would wait.
        return await asyncio.to_thread(reply.roster, _not_a_member())

    async def ping(self) -> None:
        """Raise `EquaUnavailable` unless Equa answers a stranger's `GET /user/current`.

        Equa's own `/health` stands at the root of its server, which `EQUA_API_URL` need not lead to.
        """
        reply = await self._server.request("GET", "/user/current")
        if reply.status not in (401, 403):
            reply.value("user")

    async def _person(self, cookie: str) -> Person:
        reply = await self._server.request("GET", "/user/current", cookie=cookie)
        person = read.person(reply.value("user", {403: NotSignedIn(SIGN_IN)}))
        if person is None:
            raise NotSignedIn(SIGN_IN)
        return person

    async def _membership(self, cookie: str, organization: OrganizationId) -> Organization:
        reply = await self._server.request("GET", "/organization", cookie=cookie)
        found = read.membership(reply.value("organizations", {403: _not_a_member()}), organization)
        if found is None:
            raise _not_a_member()
        return found

    async def _admin(self, cookie: str, organization: OrganizationId, person: Person) -> None:
        reply = await self._server.request(
            "GET", f"/organization/{organization}/user/{person.id}", cookie=cookie
        )
        refusal = NotAnAdmin("Only administrators of this organization may do that.")
        if not holds_any(reply.value("permissions", {403: refusal, 404: refusal}), self._admin_permissions):
            raise refusal

    async def _name(self, cookie: str, organization: OrganizationId) -> str:
        reply = await self._server.request("GET", f"/organization/{organization}", cookie=cookie)
        return reply.organization_name(_not_a_member())

    async def _kept(self, cookie: str, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        return await self._answers.get((sha256(cookie.encode()).digest(), question), ask)


def _not_a_member() -> NotAMember:
    return NotAMember("You are not a member of this organization.")
