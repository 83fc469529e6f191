"""The step of setup that lets Mattermost ask the bridge when a button is pressed."""

from dataclasses import dataclass

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops import sign_in_settings
from bridge.ops.button_settings import SUBJECT, WITHOUT, missing
from bridge.ops.findings import Finding
from bridge.ops.setup.server import Setup


@dataclass(frozen=True, slots=True)
class ButtonSetup:
    operator: RestOperator
    bridge_url: str
    """As an option or `BRIDGE_URL` names it; empty if neither does."""
    is_set: bool
    """Whether `BRIDGE_URL` names it, so that the bridge knows it too."""
    dry_run: bool

    async def ensure(self) -> list[Finding]:
        """Let Mattermost ask the bridge, and no other host that it may not ask already."""
        config = await self.operator.config()
        url = self.bridge_url or sign_in_settings.bridge_url(config)
        if not url:
            return [Finding(SUBJECT, "absent", f"not set up: {WITHOUT}", "name the bridge with --bridge-url")]
        wanted = await missing(config, url)
        done = await Setup(self.operator, self.dry_run).correct(config, wanted) if wanted else []
        if not done:
            done = [Finding(SUBJECT, "good", f"Mattermost may ask the bridge at {url}")]
        if not self.is_set:
            done.append(Finding("BRIDGE_URL", "warning", f"not set: {WITHOUT}", f"set BRIDGE_URL={url}"))
        return done
