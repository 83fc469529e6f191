"""`equabot-bridge setup`: prepare a Mattermost server. Can be repeated, and then changes nothing."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge import config
from bridge.config import Settings
from bridge.config_values import OwnToken
from bridge.errors import ConfigurationError, MattermostUnavailable, StartupError
from bridge.log import configure
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.ops.findings import failed
from bridge.ops.setup import env_file, local
from bridge.ops.setup import options as setup_options
from bridge.ops.setup.bots import BotMaker
from bridge.ops.setup.buttons import ButtonSetup
from bridge.ops.setup.cleanup import Cleanup
from bridge.ops.setup.local import LocalSetup
from bridge.ops.setup.report import Report
from bridge.ops.setup.server import Setup, administrator, attempt
from bridge.ops.setup.sign_in import Choices, Secret, SignInSetup
from bridge.ops.setup.tokens import Tokens
from bridge.ops.sign_in_settings import VARIABLE as SIGN_IN_SECRET
from bridge.ops.site import site_of

_USED = (
    "MATTERMOST_URL",
    "MATTERMOST_PUBLIC_URL",
    "MATTERMOST_ADMIN_BOT_TOKEN",
    "AGENT_CHANNEL",
    "BRIDGE_URL",
    "WEB_ORIGINS",
    "LOG_FORMAT",
)
"""The variables that this command reads; it ignores those of the daemon, such as AGENT_URL."""

_TOKENS = (local.VARIABLE, "MATTERMOST_BOT_TOKEN", "MATTERMOST_NOTICE_TOKEN")

_MAX_WAIT = RetryPolicy(timeout=20, tries=3, total=5)


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Run all steps; return 1 if one of them fails."""
    file = Path(options.write_env) if options.write_env else None
    kept = env_file.read(file) if file else {}
    present = {**kept, **{name: text for name, text in environ.items() if text.strip()}}
    settings = config.load({name: text for name, text in present.items() if name in _USED})
    configure("error", settings.log_format)
    report = Report(as_json=options.json, file=file)
    given_tokens = {name: present[name].strip() for name in _TOKENS if name in present}
    tokens = Tokens(given_tokens, report.keep, kept_here=file is not None, renew=options.new_token)
    shared = setup_options.checked(OwnToken, present.get(SIGN_IN_SECRET, ""), SIGN_IN_SECRET)
    secret = Secret(shared, report.keep, kept_here=file is not None, renew=options.new_sign_in_secret)
    url = _url(settings, tokens, options.local_socket)
    choices = setup_options.choices(options)
    if file and not options.dry_run:
        env_file.write(file, {})
    try:
        await _Run(options, settings, url, tokens, secret, choices, report).all()
        report.summarize()
    finally:
        report.close()
    return 1 if failed(report.findings) else 0


def _url(settings: Settings, tokens: Tokens, socket: str | None) -> str:
    missing = []
    if not settings.mattermost_url:
        missing.append("MATTERMOST_URL: missing")
    if local.VARIABLE not in tokens.present and not socket:
        missing.append(f"{local.VARIABLE}: missing; --local-socket makes a fresh server's first one")
    if missing or not settings.mattermost_url:
        raise ConfigurationError(missing)
    return settings.mattermost_url


@dataclass(frozen=True, slots=True)
class _Run:
    options: Namespace
    settings: Settings
    url: str
    tokens: Tokens
    secret: Secret
    choices: Choices
    report: Report

    async def all(self) -> None:
        async with client_session(self.settings.proxies) as session:
            nobody = RestOperator(Transport(session, self.url, "", lambda *_: None, _MAX_WAIT))
            if self.options.local_socket and await self._locally(nobody):
                return
            operator = nobody.acting(self.tokens.present[local.VARIABLE])
            with _reached(f"MATTERMOST_URL is {self.url}."):
                await administrator(operator)
                await self._steps(operator)

    async def _locally(self, nobody: RestOperator) -> bool:
        """Create the administrator; return True if nothing is left, as after a dry run over the socket."""
        socket = self.options.local_socket
        async with local.connect(socket, _MAX_WAIT) as operator:
            with _reached(f"Tried its local mode at {socket} (MM_SERVICESETTINGS_ENABLELOCALMODE=true)."):
                making = LocalSetup(operator, nobody, self.tokens, self.options.dry_run)
                self.report.add(await making.administrator(self.options.admin_name))
                if self.options.dry_run:
                    await self._steps(operator)
        if local.VARIABLE not in self.tokens.present and not self.options.dry_run:
            raise StartupError(f"Without {local.VARIABLE} nothing else can be done.")
        return bool(self.options.dry_run)

    async def _steps(self, operator: RestOperator) -> None:
        setup = Setup(operator, self.options.dry_run)
        bots = BotMaker(operator, self.tokens, self.options.dry_run)
        site = site_of(self.settings, self.url)
        self.report.add(await attempt("settings", setup.settings(site)))
        self.report.add(await attempt("roles", setup.roles()))
        wanted = setup_options.bots(self.options)
        for bot in wanted:
            self.report.add(await attempt(bot.subject, bots.ensure(bot)))
        sign_in = SignInSetup(operator, self.secret, self.choices, self.options.dry_run)
        self.report.add(await attempt("sign-in with Equa", sign_in.ensure(site)))
        known = self.settings.bridge_url or ""
        buttons = ButtonSetup(operator, self.choices.bridge_url or known, bool(known), self.options.dry_run)
        self.report.add(await attempt("buttons", buttons.ensure()))
        if not (self.options.local_socket and self.options.dry_run):  # there is no account on the socket
            cleanup = Cleanup(operator, self.settings.agent_channel, self.options.dry_run)
            accounts = [await bots.account(bot) for bot in wanted]
            self.report.add(await attempt("other accounts", cleanup.accounts(*accounts)))


@contextmanager
def _reached(where: str) -> Iterator[None]:
    """Add the address to the error of a server that does not answer."""
    try:
        yield
    except MattermostUnavailable as error:
        raise StartupError(f"{error.message} {where}") from error
