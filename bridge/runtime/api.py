"""The HTTP API with everything that its handlers need."""

from functools import partial

from aiohttp import web

from bridge.config import Settings
from bridge.db.mappings import Mappings
from bridge.equa.cookies import relayed
from bridge.metrics import Metrics
from bridge.runtime.clients import Clients
from bridge.runtime.health import HealthCheck
from bridge.runtime.services import Services
from handlers.http import app_keys
from handlers.http.app import make_app
from handlers.http.events import INBOX
from handlers.http.mapping_cache import MappingCache
from handlers.http.sync import SYNCING, Syncing
from provisioning.provisioner import Provisioner


def make_api(
    settings: Settings, clients: Clients, services: Services, health: HealthCheck, metrics: Metrics
) -> web.Application:
    """Return the application."""
    app = make_app(
        app_keys.Services(
            mappings=MappingCache(Mappings(health.pool)),
            gateway_tokens=tuple(token.get_secret_value() for token in settings.gateway_tokens),
            metrics=metrics,
            health=health.look,
            public_url=settings.mattermost_public_url or settings.mattermost_url,
            web_origins=settings.web_origins,
            equa=clients.equa,
            session_cookies=partial(relayed, names=frozenset(settings.equa_session_cookies)),
            sign_in_service=services.sign_in,
        )
    )
    app[INBOX] = services.tables.inbox
    if services.provisioner:
        app[SYNCING] = _syncing(services, services.provisioner)
    return app


def _syncing(services: Services, provisioner: Provisioner) -> Syncing:
    tables = services.tables
    return Syncing(services.syncs, tables.memberships, provisioner.locks, services.roster_reader)
