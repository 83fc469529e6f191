"""Approvals: what takes decisions, and how they can be made here."""

from functools import partial

from bridge.config import Settings
from bridge.db.approvals import Approvals
from bridge.db.inbox import Inbox
from bridge.db.mappings import Mappings
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.metrics import Metrics
from bridge.models.chat import PostId
from bridge.models.equa import OrganizationId
from bridge.runtime.clients import Clients
from bridge.runtime.policy import organization_bounds
from handlers.approvals import ApprovalDesk
from handlers.http.actions import PATH
from handlers.jobs.approval import ApprovalWays


def approval_desk(
    settings: Settings, clients: Clients, inbox: Inbox, metrics: Metrics
) -> ApprovalDesk | None:
    """Return what takes decisions; None without a bot."""
    if clients.bot is None:
        return None
    pool = inbox.pool
    return ApprovalDesk(
        Approvals(pool),
        inbox,
        Mappings(pool),
        SettingsOfOrganizations(pool, organization_bounds(settings)),
        metrics,
        clients.directory,
        clients.bot,
    )


def approval_ways(settings: Settings) -> ApprovalWays:
    """Return how approvals can be decided: by buttons where Mattermost reaches the bridge."""
    callback = f"{settings.bridge_url}{PATH}" if settings.bridge_url else None
    knows_roles = bool(settings.equa_api_url and settings.equa_service_email)
    return ApprovalWays(callback, knows_roles, partial(_page, settings), partial(_permalink, settings))


def _page(settings: Settings, organization: OrganizationId) -> str | None:
    """Return where the organization's administrators see their agent, as the web app shows it."""
    if not settings.web_origins:
        return None
    return f"{settings.web_origins[0]}/messaging/{organization}/agent"


def _permalink(settings: Settings, post: PostId) -> str:
    return f"{settings.mattermost_public_url or settings.mattermost_url}/_redirect/pl/{post}"
