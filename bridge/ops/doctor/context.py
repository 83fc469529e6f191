"""What every check of the doctor may need, and advice that several of them give."""

from dataclasses import dataclass

from aiohttp import ClientSession
from pydantic import SecretStr

from bridge import embedded
from bridge.config import Settings
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.rest.transport import Transport

ADMIN = "MATTERMOST_ADMIN_BOT_TOKEN"  # the name of a variable, like the next two
BOT = "MATTERMOST_BOT_TOKEN"
NOTICE = "MATTERMOST_NOTICE_TOKEN"

ABOVE = "see Mattermost and its accounts above"
ABOVE_AND_BELOW = f"{ABOVE}, and the database below"

NOT_RUNNING = "checked when the database runs"
"""Of the embedded one, which runs with the daemon."""

_MAX_WAIT = RetryPolicy(timeout=8, tries=2, total=4)


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    session: ClientSession
    """A session that keeps no cookies."""
    seconds: float = 12
    """Deadline of a check that has none of its own."""
    ask: bool = False
    """Whether the agent is asked a question, which costs an answer of a model."""

    @property
    def url(self) -> str:
        """Mattermost's address; empty if it is not configured."""
        return self.settings.mattermost_url or ""

    @property
    def public_url(self) -> str:
        return self.settings.mattermost_public_url or self.url

    def operator(self, token: SecretStr | None) -> RestOperator:
        return RestOperator(Transport(self.session, self.url, secret(token), lambda *_: None, _MAX_WAIT))

    @property
    def dsn(self) -> str | None:
        """The address of the database; None while the embedded one does not run."""
        if self.settings.database_url:
            return self.settings.database_url.get_secret_value()
        return embedded.dsn_of_running(self.settings.bridge_data_dir)


def secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
