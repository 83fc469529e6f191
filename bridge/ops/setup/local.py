"""Create the first administrator of a fresh server over its local socket.

Whoever can open the socket may do everything (`APILocal` in server/channels/api4/handlers.go); it exists
where `MM_SERVICESETTINGS_ENABLELOCALMODE=true` is set.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, DummyCookieJar, UnixConnector

from bridge.errors import StartupError
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.rest.transport import Transport
from bridge.models.chat import User
from bridge.ops.findings import Finding
from bridge.ops.settings import ACCESS_TOKENS, deviations, patch
from bridge.ops.setup.tokens import Tokens

VARIABLE = "MATTERMOST_ADMIN_BOT_TOKEN"

_ROLES = "system_user system_admin"


@asynccontextmanager
async def connect(socket: str, retry_policy: RetryPolicy) -> AsyncIterator[RestOperator]:
    """Yield Mattermost as seen over its local socket."""
    async with ClientSession(connector=UnixConnector(socket), cookie_jar=DummyCookieJar()) as session:
        yield RestOperator(Transport(session, "http://local", "", lambda *_: None, retry_policy))


@dataclass(frozen=True, slots=True)
class LocalSetup:
    local: RestOperator
    remote: RestOperator
    """The same server over TCP, to try tokens."""
    tokens: Tokens
    dry_run: bool

    async def administrator(self, username: str) -> list[Finding]:
        """Create an administrator with a token, unless the present token belongs to one.

        Raises `StartupError` if an account of that name is not an active administrator: it may be anybody's.
        """
        await self._allow_tokens()
        holder = await self.tokens.holder(self.remote, VARIABLE)
        if holder and "system_admin" in holder.roles.split() and not self.tokens.renew:
            return [Finding("administrator", "good", f"@{holder.username}")]
        found = await self.local.admin.user_by_username(username)
        if found is None:
            return await self._create(username)
        if found.is_bot or found.delete_at or "system_admin" not in found.roles.split():
            raise StartupError(
                f"@{username} exists and is no active system administrator:"
                f" choose another --admin-name, or run `mmctl --local roles system-admin {username}`."
            )
        works = holder is not None and holder.id == found.id
        return [Finding("administrator", "good", f"@{username}"), await self._token(found, works=works)]

    async def _create(self, username: str) -> list[Finding]:
        if self.dry_run:
            return [
                Finding("administrator", "planned", f"@{username} would be created"),
                Finding(VARIABLE, "planned", f"would be made for @{username}"),
            ]
        user = await self.local.create_person(username, f"{username}@localhost", _password())
        await self.local.set_roles(user.id, _ROLES)
        created = Finding(
            "administrator", "changed", f"@{username} created, with a password that nobody knows"
        )
        return [created, await self._token(user, works=False)]

    async def _token(self, user: User, *, works: bool) -> Finding:
        return await self.tokens.ensure(self.local, VARIABLE, user, works=works, dry_run=self.dry_run)

    async def _allow_tokens(self) -> None:
        """Enable personal access tokens; without that none can be made."""
        if self.dry_run:
            return
        if found := deviations(await self.local.config(), [ACCESS_TOKENS]):
            await self.local.patch_config(patch(found))
        if found := deviations(await self.local.config(), [ACCESS_TOKENS]):
            raise StartupError(
                f"Mattermost has personal access tokens switched off in its environment: set"
                f" {found[0].variable} there and restart it."
            )


def _password() -> str:
    """Return a random password that `IsPasswordValid` in server/channels/app/users accepts."""
    return f"{secrets.token_urlsafe(32)}aA1!"
