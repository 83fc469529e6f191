"""The service account: Equa asked in the background, while no person is there whose session would do."""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog
from aiohttp import ClientSession

from bridge.equa import read
from bridge.equa.cookies import renewed
from bridge.equa.http import QUESTION_SECONDS, ROSTER_SECONDS, Server
from bridge.equa.permissions import holds_any
from bridge.equa.reply import Reply
from bridge.equa.values import decode
from bridge.errors import EquaUnavailable, NotAMember
from bridge.models.equa import OrganizationId, PersonId, Roster

log = structlog.get_logger(__name__)

REFUSED_SECONDS = 900.0
"""Between two tries with credentials that were refused: only the operator can help, and each try may count
towards locking the account."""

AWAY_SECONDS = 5.0
"""Between two tries to log in while Equa does not answer."""


@dataclass(frozen=True, slots=True)
class _Pause:
    """No login before `until`, and why."""

    until: float
    reason: str


class ServiceAccount:
    """Asks with a session of its own, kept in memory only and renewed when Equa has ended it.

    One login at a time, whoever asks. Refused credentials are a state: until `REFUSED_SECONDS` have passed
    every question raises `EquaUnavailable` without asking Equa.
    """

    def __init__(  # noqa: PLR0913 - what the configuration says of the account, each by its name
        self,
        session: ClientSession,
        *,
        url: str,
        cookies: Collection[str],
        admin_permissions: Collection[str] = (),
        email: str,
        password: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = Server(session, url)
        self._cookies = frozenset(cookies)
        self._admin_permissions = frozenset(admin_permissions)
        self._credentials = {"email": email, "password": password}
        self._clock = clock
        self._cookie = ""
        self._pause: _Pause | None = None
        self._logging_in = asyncio.Lock()

    async def organization_name(self, organization: OrganizationId) -> str:
        reply = await self._get(f"/organization/{organization}", QUESTION_SECONDS)
        return reply.organization_name(_not_shown())

    async def roster(self, organization: OrganizationId) -> Roster:
        reply = await self._get(f"/organization/{organization}/member", ROSTER_SECONDS)
        return await asyncio.to_thread(reply.roster, _not_shown())

    async def is_admin(self, organization: OrganizationId, person: PersonId) -> bool:
        reply = await self._get(f"/organization/{organization}/user/{person}", QUESTION_SECONDS)
        try:
            permissions = reply.value("permissions", {403: _not_shown(), 404: _not_shown()})
        except NotAMember:
            return False
        return holds_any(permissions, self._admin_permissions)

    async def sign_in(self) -> None:
        """Log in unless there is a session; raise `EquaUnavailable` with what the operator can do."""
        await self._session(ended="")

    async def _get(self, path: str, seconds: float) -> Reply:
        ended = ""
        for _ in range(2):
            cookie = await self._session(ended)
            reply = await self._server.request("GET", path, cookie=cookie, seconds=seconds)
            if reply.status != 401:
                self._keep(cookie, reply)
                return reply
            ended = cookie
        self._forget(ended)
        raise self._paused(REFUSED_SECONDS, "Equa does not accept the session that it has just given.")

    async def _session(self, ended: str) -> str:
        """Return the cookie of the session; log in if there is none, or only the one that has ended."""
        async with self._logging_in:
            self._forget(ended)
            if not self._cookie:
                self._cookie = await self._login()
            return self._cookie

    async def _login(self) -> str:
        if self._pause and self._clock() < self._pause.until:
            raise EquaUnavailable(self._pause.reason, retry_after=self._pause.until - self._clock())
        try:
            reply = await self._server.request("POST", "/user/login", json=self._credentials)
            cookie = self._renewed("", reply)
            refusal = _refusal(reply, cookie)
        except EquaUnavailable as error:
            raise self._paused(error.retry_after or AWAY_SECONDS, error.message) from None
        if refusal:
            raise self._paused(REFUSED_SECONDS, refusal)
        self._pause = None
        return cookie

    def _keep(self, cookie: str, reply: Reply) -> None:
        """Take over a session that the answer renews, unless there is a newer one."""
        if cookie == self._cookie:
            self._cookie = self._renewed(cookie, reply)

    def _renewed(self, cookie: str, reply: Reply) -> str:
        return renewed(cookie, reply.set_cookies, self._cookies)

    def _forget(self, ended: str) -> None:
        if ended and self._cookie == ended:
            self._cookie = ""

    def _paused(self, seconds: float, reason: str) -> EquaUnavailable:
        log.warning("equa_login_failed", reason=reason, next_try_in=seconds)
        self._pause = _Pause(self._clock() + seconds, reason)
        return EquaUnavailable(reason, retry_after=seconds)


def _refusal(reply: Reply, cookie: str) -> str:
    """Return what is wrong with the answer to a login; empty if it gave a session."""
    if reply.status in (400, 401, 403):
        return f"Equa refused EQUA_SERVICE_EMAIL and EQUA_SERVICE_PASSWORD (HTTP {reply.status})."
    if reply.status not in (200, 201):
        return f"Equa answered HTTP {reply.status} to a login: is EQUA_API_URL right?"
    if read.person(decode(reply.body, "login")) is None:
        return (
            "Equa wants more than a password: EQUA_SERVICE_EMAIL has to be an account without second factor."
        )
    if not cookie:
        return "Equa's login set none of EQUA_SESSION_COOKIES; in production it sets them over https only."
    return ""


def _not_shown() -> NotAMember:
    return NotAMember("Equa does not show this organization to the service account.")
