"""`POST /api/v1/mattermost/sync-org/{orgId}` and `GET …/{job}`: an administrator makes the team match.

The roster is read while the request is there, by the service account or with the administrator's own session,
and stored for the job that does the work: what goes on in the background needs nobody's cookie.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from aiohttp import web

from bridge.db.locks import Locks
from bridge.db.memberships import Memberships
from bridge.db.syncs import State, Syncs
from bridge.errors import (
    EquaUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    NotAMember,
    NotFound,
)
from bridge.models.equa import Organization, OrganizationId, Roster
from bridge.models.jobs import Entry, SyncId
from handlers.http import cors, visitors
from handlers.http.app_keys import SERVICES
from handlers.http.errors import error_answer
from handlers.http.events import INBOX
from handlers.http.identifiers import UUID_PATTERN, organization_id
from handlers.http.limits import RateLimiter
from provisioning.roster import RosterSnapshot
from provisioning.roster_reader import RosterReader

log = structlog.get_logger(__name__)

PATH = "/api/v1/mattermost/sync-org/{orgId}"
PATH_OF_ONE = f"{PATH}/{{job}}"

_FIRST_LOOK, _SLOWEST_LOOK = 0.02, 0.5
_AGAIN_AFTER = "60"
"""Seconds until a sync is asked for again that an outage has ended."""


@dataclass(frozen=True, slots=True)
class Syncing:
    """What syncs are asked for with."""

    syncs: Syncs
    memberships: Memberships
    locks: Locks
    roster_reader: RosterReader | None
    """None without a service account."""
    seconds: float = 20
    """How long a request waits for its sync to end."""
    allowance: RateLimiter = field(default_factory=lambda: RateLimiter(burst=6, per_second=1 / 20))
    """By organization: how often a sync may be asked for."""


SYNCING = web.AppKey("syncing", Syncing)


async def start(request: web.Request) -> web.Response:
    """Begin a sync or join the one that goes on, and answer what it comes to if that does not take long."""
    began = asyncio.get_running_loop().time()
    cors.require_origin(request)
    cors.require_json(request)
    organization = organization_id(request.match_info["orgId"])
    await visitors.admin(request, organization)
    syncing = _configured(request)
    syncing.allowance.use(organization)
    sync = await _under_way(request, syncing, organization)
    state = await _watched(syncing, sync, organization, until=began + syncing.seconds)
    if not _has_ended(state):
        return web.json_response({"status": "running", "job": str(sync)}, status=202)
    outcome = _outcome(state)
    return _refusal(outcome) if "error" in outcome else web.json_response(outcome)


async def preflight(request: web.Request) -> web.Response:
    """Answer a browser that asks what a page of another origin may send."""
    organization_id(request.match_info["orgId"])
    if "job" in request.match_info:
        _sync_id(request.match_info["job"])
    return await cors.preflight(request)


async def look(request: web.Request) -> web.Response:
    """Tell how far a sync is, whichever process does it."""
    organization = organization_id(request.match_info["orgId"])
    sync = _sync_id(request.match_info["job"])
    await visitors.admin(request, organization)
    state = await _configured(request).syncs.look(sync, organization)
    if state is None:
        raise NotFound("There is no such sync of this organization.")
    return web.json_response({"job": str(sync), **_shown(state)})


async def _under_way(request: web.Request, syncing: Syncing, organization: OrganizationId) -> SyncId:
    """Return the organization's unfinished sync, or begin one."""
    async with syncing.locks.hold(f"sync-request:{organization}"):
        found = await syncing.syncs.unfinished(organization)
        if found is not None:
            return found
        named, reading = await _read(request, syncing, organization)
        sync = await syncing.syncs.store(named, reading.roster, reading.read_at)
        await request.app[INBOX].put_all([_job(sync, organization)])
        log.info("sync_asked_for", organization=str(organization), sync=str(sync))
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
    return Organization(organization, name), RosterSnapshot(await _roster(request, organization), moment)


async def _roster(request: web.Request, organization: OrganizationId) -> Roster:
    services = request.app[SERVICES]
    assert services.equa is not None  # it has just said who is there
    cookie = services.session_cookies("; ".join(request.headers.getall("Cookie", ())))
    return await services.equa.roster(cookie, organization)


async def _watched(syncing: Syncing, sync: SyncId, organization: OrganizationId, *, until: float) -> State:
    """Return the state in which a sync has ended, or is at that moment of the event loop's time."""
    pause, time = _FIRST_LOOK, asyncio.get_running_loop().time
    while True:
        state = await syncing.syncs.look(sync, organization)
        assert state is not None
        if _has_ended(state) or time() + pause > until:
            return state
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST_LOOK)


def _has_ended(state: State) -> bool:
    return state.outcome is not None or state.job not in ("waiting", "running")


def _outcome(state: State) -> Mapping[str, Any]:
    """Return the report or the error of a sync that has ended; only a fault of ours ends one without."""
    return state.outcome or {
        "status": 500,
        "error": "internal_error",
        "message": "Something went wrong here; the log tells what.",
    }


def _shown(state: State) -> Mapping[str, Any]:
    if not _has_ended(state):
        return {"status": "running", "done": state.done, "total": state.total}
    outcome = _outcome(state)
    if "error" in outcome:
        return {"status": "failed", "error": outcome["error"], "message": outcome["message"]}
    return {"status": "done", **outcome}


def _refusal(outcome: Mapping[str, Any]) -> web.Response:
    response = error_answer(outcome["status"], outcome["error"], outcome["message"])
    if outcome["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = _AGAIN_AFTER
    return response


def _sync_id(text: str) -> SyncId:
    if not re.fullmatch(UUID_PATTERN, text):
        raise InvalidRequest("A job is named by a UUID.")
    return SyncId(UUID(text))


def _configured(request: web.Request) -> Syncing:
    if SYNCING not in request.app:
        raise MattermostNotConfigured(
            "Messaging is not set up: MATTERMOST_URL and MATTERMOST_ADMIN_BOT_TOKEN are needed."
        )
    return request.app[SYNCING]
