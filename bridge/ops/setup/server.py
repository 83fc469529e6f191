"""Prepare a Mattermost server. Each step can be repeated, and then changes nothing."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from bridge.errors import (
    BridgeError,
    MattermostFull,
    MattermostNotConfigured,
    MattermostRefused,
    StartupError,
    TokenRefused,
)
from bridge.mattermost.rest.responses import NotMattermost
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.models.chat import User
from bridge.ops import isolation
from bridge.ops.findings import Finding, Mark
from bridge.ops.settings import Config, Deviation, Setting, Site, deviations, patch, shown

REFUSED = (
    "Mattermost refuses MATTERMOST_ADMIN_BOT_TOKEN: it was revoked, its account was deactivated,"
    " or MM_SERVICESETTINGS_ENABLEUSERACCESSTOKENS=true is missing in Mattermost's environment."
)


async def administrator(operator: RestOperator) -> User:
    """Return the owner of the token; raise `StartupError` unless it is a system administrator."""
    try:
        me = await operator.me()
    except TokenRefused:
        raise StartupError(REFUSED) from None
    if "system_admin" not in me.roles.split():
        raise StartupError(
            f"MATTERMOST_ADMIN_BOT_TOKEN belongs to @{me.username}, which is not a system administrator:"
            f" give the account that role (`mmctl roles system-admin {me.username}`) or use another account."
        )
    return me


@dataclass(frozen=True, slots=True)
class Setup:
    operator: RestOperator
    dry_run: bool

    async def settings(self, site: Site) -> list[Finding]:
        """Correct the settings that every server needs."""
        config = await self.operator.config()
        wanted = site.with_public_url(config).settings()
        found = await self.correct(config, wanted)
        return found or [Finding("settings", "good", f"all {len(wanted)} as they should be")]

    async def correct(self, config: Config, wanted: Sequence[Setting]) -> list[Finding]:
        """Correct settings, and report those that the server's environment fixes.

        `config` has the present ones.
        """
        before = deviations(config, wanted)
        if not self.dry_run and before:
            await self.operator.patch_config(patch(each for each in before if not each.setting.fixed))
        left = before if self.dry_run or not before else deviations(await self.operator.config(), wanted)
        pinned = {each.setting.path for each in left}
        return [self._setting(each, pinned=each.setting.path in pinned) for each in before]

    async def roles(self) -> list[Finding]:
        """Change the roles so that people see only their organization and cannot break its channels."""
        found = await self.operator.roles([wanted.role for wanted in isolation.WANTED])
        missing = isolation.remaining({name: role.permissions for name, role in found.items()})
        for change in missing if not self.dry_run else ():
            role = found[change.role]
            await self.operator.set_permissions(role, change.applied(role.permissions))
        mark: Mark = "planned" if self.dry_run else "changed"
        findings = [Finding(f"role {each.role}", mark, str(each)) for each in missing]
        return findings or [
            Finding("roles", "good", "people see only their organization, and cannot break its channels")
        ]

    def _setting(self, deviation: Deviation, *, pinned: bool) -> Finding:
        setting = deviation.setting
        change = f"{shown(deviation.found)} → {shown(deviation.target)}"
        if self.dry_run:
            return Finding(setting.path, "planned", f"{change} (otherwise {setting.why})")
        if not pinned:
            return Finding(setting.path, "changed", change)
        origin = (
            "which only the server's environment changes"
            if setting.fixed
            else "from the server's environment"
        )
        return Finding(
            setting.path,
            "bad" if setting.must else "warning",
            f"stays {shown(deviation.found)}, {origin}: {setting.why}",
            f"set {deviation.variable} there and restart it",
        )


async def attempt(subject: str, step: Awaitable[list[Finding]]) -> list[Finding]:
    """Return the findings of a step. A refusal becomes a finding, so that the next steps still run."""
    try:
        return await step
    except TokenRefused:
        raise
    except (MattermostRefused, MattermostNotConfigured, MattermostFull, NotMattermost) as error:
        return [Finding(subject, "bad", error.message, _advice(error))]


def _advice(error: BridgeError) -> str:
    if isinstance(error, MattermostRefused) and error.request_id:
        return f"look for {error.request_id} in Mattermost's log"
    if isinstance(error, NotMattermost):
        return "let the proxy in front of Mattermost pass this request on, and run setup again"
    return "correct that in Mattermost, and run setup again"
