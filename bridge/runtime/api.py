"""The HTTP API with everything that its handlers need."""

from collections.abc import Sequence
from functools import partial

from aiohttp import web
from pydantic import SecretStr

from bridge.config import Settings
from bridge.db.agent_questions import AgentQuestions
from bridge.db.audit import Audit
from bridge.db.budgets import Budgets
from bridge.db.buttons import Buttons
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.db.sign_ins import Client
from bridge.db.usage_report import UsageReports
from bridge.equa.cookies import relayed
from bridge.metrics import Metrics
from bridge.runtime.approvals import approval_desk
from bridge.runtime.clients import Clients
from bridge.runtime.conversations import conversation_check
from bridge.runtime.health import HealthCheck
from bridge.runtime.policy import organization_bounds
from bridge.runtime.services import Services
from handlers.agent_questions import QuestionDesk
from handlers.http import app_keys
from handlers.http.app import make_app
from handlers.http.app_keys import FileUploads, OAuth, Syncing
from handlers.http.mapping_cache import MappingCache
from handlers.http.oauth import CLIENT_ID, COMPLETION

LOG_PAUSE = 0.002
"""Seconds. Under load a turn of the event loop takes as long: who kills the process loses no more lines."""


def make_api(  # noqa: PLR0913 - what the application is made of
    settings: Settings,
    clients: Clients,
    services: Services,
    health: HealthCheck,
    metrics: Metrics,
    *,
    log_pause: float = 0.0,
) -> web.Application:
    """Return the application; lines about the requests of `log_pause` seconds are written together."""
    pool = services.tables.inbox.pool
    desk = approval_desk(settings, clients, services.tables.inbox, metrics)
    return make_app(
        app_keys.Services(
            mappings=MappingCache(services.tables.teams),
            inbox=services.tables.inbox,
            metrics=metrics,
            health=health.look,
            gateway_tokens=_secrets(settings.gateway_tokens),
            platform_tokens=_secrets(settings.platform_tokens),
            public_url=_public_url(settings),
            web_origins=settings.web_origins,
            equa=clients.equa,
            equa_session=partial(relayed, names=frozenset(settings.equa_session_cookies)),
            sign_in_service=services.sign_in,
            oauth=_oauth(settings, services),
            syncing=_syncing(services),
            uploads=_uploads(clients, services),
            organization_settings=SettingsOfOrganizations(pool, organization_bounds(settings)),
            audit=Audit(pool),
            usage=UsageReports(pool),
            budgets=Budgets(pool),
            buttons=Buttons(pool),
            presses={
                **({"approval": desk.pressed} if desk else {}),
                "question": QuestionDesk(AgentQuestions(pool), services.tables.inbox).pressed,
            },
            approvals=desk,
        ),
        log_pause=log_pause,
    )


def _public_url(settings: Settings) -> str | None:
    return settings.mattermost_public_url or settings.mattermost_url


def _oauth(settings: Settings, services: Services) -> OAuth | None:
    secret, public_url = settings.sign_in_secret, _public_url(settings)
    if secret is None or public_url is None or services.sign_in_provider is None:
        return None
    client = Client(CLIENT_ID, public_url + COMPLETION)
    return OAuth(services.sign_in_provider, client, secret.get_secret_value())


def _secrets(tokens: Sequence[SecretStr]) -> tuple[str, ...]:
    return tuple(token.get_secret_value() for token in tokens)


def _uploads(clients: Clients, services: Services) -> FileUploads | None:
    if clients.bot is None:
        return None
    inbox = services.tables.inbox
    check = conversation_check(clients.bot, inbox.pool, services.roster_reader)
    return FileUploads(clients.bot, check, inbox)


def _syncing(services: Services) -> Syncing | None:
    if services.provisioner is None:
        return None
    memberships, locks = services.tables.memberships, services.provisioner.locks
    return Syncing(services.syncs, memberships, locks, services.roster_reader)
