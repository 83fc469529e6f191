"""Make a Mattermost ready, step by step; each step can be repeated and then changes nothing."""

from collections.abc import Awaitable
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
from bridge.ops.settings import Deviation, Site, deviations, patch, shown

REFUSED = (
    "Mattermost refuses MATTERMOST_ADMIN_BOT_TOKEN: it was revoked, its account was deactivated,"
    " or MM_SERVICESETTINGS_ENABLEUSERACCESSTOKENS=true is missing in Mattermost's environment."
)


async def administrator(operator: RestOperator) -> User:
    """Return whose token it is; raise `StartupError` unless a system administrator's."""
    try:
        me = await operator.me()
    except TokenRefused:
        raise StartupError(REFUSED) from None
    if "system_admin" not in me.roles.split():
        raise StartupError(
            f"MATTERMOST_ADMIN_BOT_TOKEN belongs to @{me.username}, who is no system administrator: give the"
            f" account that role (`mmctl roles system-admin {me.username}`) or set another account's token."
        )
    return me


@dataclass(frozen=True, slots=True)
class Setup:
    operator: RestOperator
    dry_run: bool

    async def settings(self, site: Site) -> list[Finding]:
        """Change the settings that are not as wanted, and tell which the server would not let go."""
        config = await self.operator.config()
        wanted = site.settled(config).settings()
        before = deviations(config, wanted)
        if not self.dry_run and before:
            await self.operator.patch_config(patch(before))
        left = before if self.dry_run or not before else deviations(await self.operator.config(), wanted)
        pinned = {each.setting.path for each in left}
        told = [self._setting(each, pinned=each.setting.path in pinned) for each in before]
        return told or [Finding("settings", "good", f"all {len(wanted)} as they should be")]

    async def roles(self) -> list[Finding]:
        """Change the roles so that people see their own organization only."""
        found = await self.operator.roles([wanted.role for wanted in isolation.WANTED])
        changes = isolation.changes({name: role.permissions for name, role in found.items()})
        for change in changes if not self.dry_run else ():
            role = found[change.role]
            await self.operator.set_permissions(role, change.applied(role.permissions))
        mark: Mark = "planned" if self.dry_run else "changed"
        told = [Finding(f"role {each.role}", mark, str(each)) for each in changes]
        return told or [Finding("roles", "good", "people see their own organization only")]

    def _setting(self, deviation: Deviation, *, pinned: bool) -> Finding:
        setting = deviation.setting
        change = f"{shown(deviation.found)} → {shown(deviation.target)}"
        if self.dry_run:
            return Finding(setting.path, "planned", f"{change} (else {setting.why})")
        if not pinned:
            return Finding(setting.path, "changed", change)
        return Finding(
            setting.path,
            "bad" if setting.must else "warning",
            f"stays {shown(deviation.found)}, which the server has from its environment: {setting.why}",
            f"set {deviation.variable} there and restart it",
        )


async def told(subject: str, step: Awaitable[list[Finding]]) -> list[Finding]:
    """Return what a step finds; a refusal is a finding too, so that the steps after it are taken."""
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
        return "let whatever stands in front of Mattermost pass it on, and run setup again"
    return "mend that in Mattermost, and run setup again"
