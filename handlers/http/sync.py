"""`POST /api/v1/mattermost/sync-org/{orgId}`: an administrator makes the team match the roster.

The roster is read while the request is there, by the service account or with the administrator's own session,
and stored for the job that does the work: what goes on in the background needs nobody's cookie.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web

from bridge.db.syncs import State
from bridge.errors import EquaUnavailable, MattermostNotConfigured, NotAMember, NotAnAdmin, SyncRefused
from bridge.models.equa import Organization, OrganizationId
from bridge.models.jobs import Entry, SyncId
from handlers.http import visitors
from handlers.http.app_keys import LIMITS, SERVICES, Syncing
from handlers.http.errors import error_answer
from handlers.http.models import OfOrganization, parsed, reply
from handlers.http.route import CHANGE_ERRORS, JSON, Reply, Route
from handlers.http.sync_outcome import Report, Started, has_ended, outcome_of
from provisioning.roster import RosterSnapshot

log = structlog.get_logger(__name__)

_FIRST_LOOK, _SLOWEST_LOOK = 0.02, 0.5
_RETRY_AFTER = "60"
"""Seconds until a sync that an outage has ended should be requested again."""


async def start(request: web.Request) -> web.Response:
    """Begin a sync or join the one that is under way; answer with its outcome if that does not take long."""
    began = asyncio.get_running_loop().time()
    organization = parsed(OfOrganization, request.match_info).org_id
    await visitors.admin(request, organization)
    syncing = configured(request)
    request.app[LIMITS].syncs.use(organization)
    sync = await _under_way(request, syncing, organization)
    state = await _watched(syncing, sync, organization, until=began + request.app[LIMITS].timeouts.sync)
    if not has_ended(state):
        return reply(Started(job=sync), HTTPStatus.ACCEPTED)
    outcome = outcome_of(state)
    return _refusal(outcome) if "error" in outcome else reply(Report.model_validate(outcome))


def configured(request: web.Request) -> Syncing:
    """Return the service that starts syncs; raise `MattermostNotConfigured` without it."""
    syncing = request.app[SERVICES].syncing
    if syncing is None:
        raise MattermostNotConfigured(
            "Messaging is not set up: MATTERMOST_URL and MATTERMOST_ADMIN_BOT_TOKEN are needed."
        )
    return syncing


async def _under_way(request: web.Request, syncing: Syncing, organization: OrganizationId) -> SyncId:
    """Return the organization's unfinished sync, or begin one."""
    async with syncing.locks.acquire(f"sync-request:{organization}"):
        found = await syncing.syncs.unfinished(organization)
        if found is not None:
            return found
        named, snapshot = await _read(request, syncing, organization)
        sync = await syncing.syncs.store(named, snapshot.roster, snapshot.read_at)
        await request.app[SERVICES].inbox.put_all([_job(sync, organization)])
        log.info("sync_requested", organization=str(organization), sync=str(sync))
        return sync


def _job(sync: SyncId, organization: OrganizationId) -> Entry:
    lane = f"organization:{organization}"
    return Entry("sync", lane, organization, f"sync:{sync}", {"sync": str(sync)})


async def _read(
    request: web.Request, syncing: Syncing, organization: OrganizationId
) -> tuple[Organization, RosterSnapshot]:
    """Return the organization's name and roster; the service account sees all of it, a person perhaps not."""
    if syncing.roster_reader:
        try:
            return await syncing.roster_reader.named(organization)
        except (NotAMember, EquaUnavailable) as error:
            log.warning("service_account_failed", organization=str(organization), reason=error.message)
    moment = await syncing.memberships.now()
    name = await visitors.organization_name(request, organization)
    roster = await visitors.roster(request, organization)
    return Organization(organization, name), RosterSnapshot(roster, moment)


async def _watched(syncing: Syncing, sync: SyncId, organization: OrganizationId, *, until: float) -> State:
    """Return the final state of a sync, or its state at the deadline, a time of the event loop."""
    pause, time = _FIRST_LOOK, asyncio.get_running_loop().time
    while True:
        state = await syncing.syncs.look(sync, organization)
        assert state is not None
        if has_ended(state) or time() + pause > until:
            return state
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST_LOOK)


def _refusal(outcome: Mapping[str, Any]) -> web.Response:
    response = error_answer(outcome["status"], outcome["error"], outcome["message"])
    if outcome["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = _RETRY_AFTER
    return response


ROUTE = Route(
    method="POST",
    path="/api/v1/mattermost/sync-org/{orgId}",
    handler=start,
    operation="syncOrganization",
    summary="Make an organization's team match its roster",
    description="For its administrators. While one goes on, another request joins it. Only people that the"
    " bridge has put there are removed, and nobody while the roster may be incomplete.",
    caller="person",
    cors=True,
    path_model=OfOrganization,
    body={JSON: {"type": "object"}},
    replies={
        200: Reply("What was done.", Report),
        202: Reply("It takes longer; ask at `…/{job}`.", Started),
    },
    errors=(*CHANGE_ERRORS, NotAnAdmin, NotAMember, SyncRefused),
)
