"""The step of setup that lets people sign in with Equa: the shared secret and Mattermost's settings."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops import sign_in_settings
from bridge.ops.findings import Finding
from bridge.ops.settings import Config, Setting, Site, deviations
from bridge.ops.setup.server import Setup
from bridge.ops.sign_in_settings import SUBJECT


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator decides: by an option, or at the terminal where there is one."""

    bridge_url: str
    """The bridge as Mattermost reaches it; empty if no option names it."""
    no_passwords: bool
    """Whether an option switches sign-in by e-mail and username off."""
    ask_bridge_url: Callable[[], str]
    """Asks for the address; an empty answer leaves the sign-in out."""
    ask_no_passwords: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Secret:
    """`SIGN_IN_SECRET` as it is present, and how a new one is kept."""

    present: str = field(repr=False)
    keep: Callable[[str, str], None]
    """Called with the variable and the secret before Mattermost gets it."""
    kept_here: bool = False
    """True if `present` comes from the place that keeps it: a secret that is not there is lost."""
    renew: bool = False


@dataclass(frozen=True, slots=True)
class SignInSetup:
    operator: RestOperator
    secret: Secret
    choices: Choices
    dry_run: bool

    async def ensure(self, site: Site) -> list[Finding]:
        """Give both sides the same secret, and Mattermost the bridge's addresses."""
        config = await self.operator.config()
        if sign_in_settings.provider(config) == "other":
            return [_other_provider(config)]
        inner_url = (
            self.choices.bridge_url or sign_in_settings.bridge_url(config) or self.choices.ask_bridge_url()
        )
        if not inner_url:
            return [self._left_out()]
        public_url = site.with_public_url(config).public_url or site.url
        wanted = (*sign_in_settings.endpoints(public_url, inner_url), *sign_in_settings.RECOMMENDED)
        shared = await self._share(config)
        changed = await self._correct(config, wanted)
        done = changed or [Finding(SUBJECT, "good", f"Mattermost asks the bridge at {inner_url}")]
        return [shared, *done, *await self._passwords()]

    async def _correct(self, config: Config, wanted: Sequence[Setting]) -> list[Finding]:
        return await Setup(self.operator, self.dry_run).correct(config, wanted)

    async def _share(self, config: Config) -> Finding:
        """Give Mattermost the secret; make one if there is none."""
        present = self.secret.present
        if present and not self.secret.renew:
            return await self._give(config, present)
        if sign_in_settings.has_secret(config) and not self.secret.kept_here and not self.secret.renew:
            found = "Mattermost has one, which is not in the environment"
            todo = "put it there, or make another with --new-sign-in-secret"
            return Finding(sign_in_settings.VARIABLE, "warning", found, todo)
        return await self._make()

    async def _give(self, config: Config, secret: str) -> Finding:
        """Over its API Mattermost shows only that it has a secret, so it is given every time."""
        if not self.dry_run:
            await self.operator.patch_config(sign_in_settings.secret_patch(secret))
        if sign_in_settings.may_have(config, secret):
            return Finding(sign_in_settings.VARIABLE, "good", "known to Mattermost, which shows it to nobody")
        if self.dry_run:
            return Finding(sign_in_settings.VARIABLE, "planned", "would be given to Mattermost")
        return Finding(sign_in_settings.VARIABLE, "changed", "given to Mattermost")

    async def _make(self) -> Finding:
        if self.dry_run:
            return Finding(sign_in_settings.VARIABLE, "planned", "would be made and given to Mattermost")
        made = secrets.token_urlsafe(32)
        self.secret.keep(sign_in_settings.VARIABLE, made)
        await self.operator.patch_config(sign_in_settings.secret_patch(made))
        return Finding(sign_in_settings.VARIABLE, "changed", "made and given to Mattermost")

    async def _passwords(self) -> list[Finding]:
        """Switch sign-in by e-mail and username off, if the operator agrees."""
        config = await self.operator.config()
        nobody_gets_in = sign_in_settings.provider(config) != "bridge" and not self.dry_run
        if nobody_gets_in or not deviations(config, sign_in_settings.NO_PASSWORDS):
            return []
        if self.choices.no_passwords or self.choices.ask_no_passwords():
            return await self._correct(config, sign_in_settings.NO_PASSWORDS)
        found = "sign-in by e-mail and username is on: people see a form for a password that they do not have"
        return [Finding("passwords", "warning", found, "switch it off with --no-passwords")]

    def _left_out(self) -> Finding:
        todo = "name the bridge, as Mattermost reaches it, with --bridge-url"
        if self.secret.present:
            found = f"{sign_in_settings.VARIABLE} is set, and Mattermost does not know where the bridge is"
            return Finding(SUBJECT, "bad", found, todo)
        found = "not set up: a renewed token signs other devices out, and Mattermost's apps let nobody in"
        return Finding(SUBJECT, "absent", found, todo)


def _other_provider(config: Config) -> Finding:
    provider = sign_in_settings.endpoint(config, "AuthEndpoint") or "somebody else"
    found = f"Mattermost's GitLab sign-in asks {provider}"
    todo = "if nobody needs that, switch it off (System Console, Authentication, GitLab) and run setup again"
    return Finding(SUBJECT, "warning", found, todo)
