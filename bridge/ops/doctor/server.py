"""The doctor's checks of the Mattermost server, with the administrator's token."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from aiohttp import ClientSession

from bridge.mattermost.rest.server_admin import Limits, RestOperator
from bridge.models.chat import User
from bridge.ops import isolation
from bridge.ops.doctor.checks import Check, absent
from bridge.ops.doctor.context import ABOVE, ADMIN, Context
from bridge.ops.doctor.web import Page, fetch
from bridge.ops.findings import Finding
from bridge.ops.settings import Deviation, Site, deviations, shown
from bridge.ops.site import site_of

OLDEST, NEWEST = (10, 4), (11, 6)
"""Oldest and newest version that the bridge was tried with."""

_NEAR = 0.9
"""Share of the user limit from which it counts as near."""

_SKEW = 5.0
"""Seconds that clocks may differ; a Date header is up to one second old."""


def checks(context: Context) -> list[Check]:
    """Return the checks of the server; without an administrator's token it is only pinged."""
    if not context.url:
        return [absent("Mattermost", "set MATTERMOST_URL", required=True)]
    token = context.settings.mattermost_admin_bot_token
    server = ServerChecks(context.session, context.operator(token), site_of(context.settings, context.url))
    ping = Check("Mattermost", server.ping, "see MATTERMOST_URL, and whether Mattermost runs")
    if not token:
        return [ping, absent("administrator", f"set {ADMIN}", required=True)]
    new_token = f"set {ADMIN} to the token of an active system administrator"
    return [
        ping,
        Check("administrator", server.administrator, ABOVE, token=ADMIN, if_refused=new_token),
        Check("people", server.limits, ABOVE, token=ADMIN),
        Check("settings", server.settings, ABOVE, token=ADMIN),
        Check("roles", server.roles, ABOVE, token=ADMIN),
    ]


@dataclass(frozen=True, slots=True)
class ServerChecks:
    session: ClientSession
    operator: RestOperator
    """With the administrator's token."""
    site: Site

    async def ping(self) -> Sequence[Finding]:
        page = await fetch(self.session, f"{self.site.url}/api/v4/system/ping")
        if not _is_well(page):
            todo = "see MATTERMOST_URL, whatever stands between, and Mattermost's log"
            return [Finding("Mattermost", "bad", f"answers HTTP {page.status} to a ping", todo)]
        reached = Finding("Mattermost", "good", f"{self.site.url} answers in {page.seconds * 1000:.0f} ms")
        return [reached, version(page.headers.get("X-Version-Id", "")), clock(page)]

    async def administrator(self) -> Sequence[Finding]:
        return [administrator(await self.operator.me())]

    async def settings(self) -> Sequence[Finding]:
        wanted = self.site.settings()
        found = deviations(await self.operator.config(), wanted)
        return [*map(setting, found)] or [Finding("settings", "good", f"all {len(wanted)} as they should be")]

    async def roles(self) -> Sequence[Finding]:
        found = await self.operator.roles([wanted.role for wanted in isolation.WANTED])
        missing = isolation.remaining({name: role.permissions for name, role in found.items()})
        todo = "run `equabot-bridge setup`"
        findings = [Finding(f"role {each.role}", "bad", f"setup {each}", todo) for each in missing]
        return findings or [
            Finding("roles", "good", "people see only their organization, and cannot break its channels")
        ]

    async def limits(self) -> Sequence[Finding]:
        return [limits(await self.operator.limits())]


def version(version_id: str) -> Finding:
    """Judge the header X-Version-Id: version, build, hash of the settings, and whether there is a licence."""
    match = re.match(r"(\d+)\.(\d+)(?:\.\d+)?", version_id)
    if not match:
        return Finding("version", "warning", "unknown: no X-Version-Id came with the answer")
    found = (int(match[1]), int(match[2]))
    if found < OLDEST:
        return Finding(
            "version", "warning", f"{match[0]}, older than any that was tried", "update it to 10.4 at least"
        )
    if found[0] >= 11 and version_id.endswith(".false"):
        text = f"{match[0]} without a licence: at most 250 people may be active, from 200 on it warns"
        return Finding("version", "warning", text, "before that get a licence, or stay with 10.x")
    if found > NEWEST:
        return Finding("version", "warning", f"{match[0]}, newer than any that was tried")
    return Finding("version", "good", match[0])


def clock(page: Page) -> Finding:
    """Compare the server's clock (its Date header) with ours."""
    try:
        skew = parsedate_to_datetime(page.headers.get("Date", "")).timestamp() + 0.5 - page.asked_at
    except ValueError:
        return Finding("clock", "warning", "unknown: no Date came with the answer")
    if abs(skew) <= _SKEW:
        return Finding("clock", "good", "as here")
    way = "ahead of" if skew > 0 else "behind"
    return Finding("clock", "warning", f"{abs(skew):.0f} s {way} this one", "let both follow a time server")


def administrator(me: User) -> Finding:
    if "system_admin" in me.roles.split():
        return Finding("administrator", "good", f"@{me.username}")
    todo = f"give it that role (`mmctl roles system-admin {me.username}`) or use another account's token"
    return Finding("administrator", "bad", f"@{me.username} is not a system administrator", todo)


def setting(deviation: Deviation) -> Finding:
    found = f"is {shown(deviation.found)}: {deviation.setting.why}"
    todo = f"set {deviation.variable} in Mattermost's environment"
    if not deviation.setting.fixed:
        todo = f"run `equabot-bridge setup`, or {todo}"
    return Finding(deviation.setting.path, "bad" if deviation.setting.must else "warning", found, todo)


def limits(found: Limits | None) -> Finding:
    """Judge how near the limit of active people is (server/channels/app/limits.go)."""
    if found is None or not found.most:
        return Finding("people", "good", "no limit")
    text = f"{found.active} of at most {found.most} are active"
    todo = "deactivate accounts in Mattermost that nobody uses, or get a licence"
    if found.active >= found.most:
        return Finding("people", "bad", f"{text}: nobody new gets in", todo)
    near = found.active >= _NEAR * found.most or found.active >= found.warned_from
    return Finding("people", "warning" if near else "good", text, todo if near else "")


def _is_well(page: Page) -> bool:
    with suppress(ValueError):
        answer = json.loads(page.body)
        return page.status == 200 and isinstance(answer, dict) and answer.get("status") == "OK"
    return False
