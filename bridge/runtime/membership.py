"""What keeps teams like their organizations, put together: events, syncs and the reconciling."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from asyncpg import Pool

from bridge import equa
from bridge.config import Settings
from bridge.db.periodic_tasks import PeriodicTasks
from bridge.db.syncs import Syncs
from bridge.mattermost.rest import bulk
from bridge.metrics import Metrics
from bridge.models.jobs import JobKind
from bridge.ports import EquaDirectory
from bridge.runtime.reconcile import Reconciler
from bridge.runtime.sign_in import SignInServices
from bridge.worker import Handler
from handlers.http.sync import Syncing
from handlers.jobs.membership import Memberships, refuse
from handlers.jobs.sync import SyncJobs
from provisioning.roster_reader import RosterReader
from provisioning.sync import TeamSync


@dataclass(frozen=True, slots=True)
class MembershipServices:
    """None is what is not configured: all of it without an administrator's token."""

    jobs: Mapping[JobKind, Handler]
    syncs: Syncs
    sync: TeamSync | None = None
    syncing: Syncing | None = None
    roster_reader: RosterReader | None = None
    reconciler: Reconciler | None = None


@asynccontextmanager
async def opened(
    settings: Settings, sign_in_services: SignInServices, pool: Pool, metrics: Metrics
) -> AsyncIterator[MembershipServices]:
    """Give what is configured."""
    syncs = Syncs(pool)
    token = settings.mattermost_admin_bot_token
    if not (settings.mattermost_url and token and sign_in_services.sign_in_service):
        yield MembershipServices({"membership": Handler(refuse), "sync": Handler(refuse)}, syncs)
        return
    provisioner = sign_in_services.sign_in_service.provisioner
    memberships = provisioner.tables.memberships
    async with AsyncExitStack() as stack:
        directory = await _directory(settings, stack)
        rest = bulk.connect(settings.mattermost_url, token.get_secret_value(), metrics.rest_call)
        sync = TeamSync(provisioner, await stack.enter_async_context(rest))
        roster_reader = RosterReader(directory, memberships) if directory else None
        yield MembershipServices(
            jobs={
                "membership": Handler(Memberships(provisioner, roster_reader).apply),
                "sync": Handler(SyncJobs(sync, syncs).run),
            },
            syncs=syncs,
            sync=sync,
            syncing=Syncing(syncs, memberships, provisioner.locks, roster_reader),
            roster_reader=roster_reader,
            reconciler=Reconciler(sync, roster_reader, PeriodicTasks(pool), metrics)
            if roster_reader
            else None,
        )


async def _directory(settings: Settings, stack: AsyncExitStack) -> EquaDirectory | None:
    """Return Equa as the service account sees it."""
    password = settings.equa_service_password
    if not (settings.equa_api_url and settings.equa_service_email and password):
        return None
    return equa.ServiceAccount(
        await stack.enter_async_context(equa.make_session()),
        url=settings.equa_api_url,
        cookies=settings.equa_session_cookies,
        email=settings.equa_service_email,
        password=password.get_secret_value(),
    )
