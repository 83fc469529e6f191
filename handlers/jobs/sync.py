"""The job kind `sync`: a whole team is made to match the roster that was read when it was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from bridge.db.syncs import SyncInput, Syncs
from bridge.errors import BridgeError, MattermostUnavailable, OwnTokenRefused
from bridge.models.jobs import Job, SyncId
from provisioning.report import Counts, Progress
from provisioning.roster import RosterSnapshot
from provisioning.sync import TeamSync

GOOD_FOR = timedelta(hours=1)
"""How long a sync uses the roster that it was asked for with, through outages and crashes."""


@dataclass(frozen=True, slots=True)
class SyncJobs:
    sync: TeamSync
    syncs: Syncs

    async def run(self, job: Job) -> Mapping[str, Any]:
        """Sync and store the outcome; a repeat goes on where the last attempt ended."""
        sync = SyncId(UUID(job.payload["sync"]))
        request = await self.syncs.input(sync)
        if request is None:
            return {"skipped": "ended"}
        organization = request.organization.id
        had_team = await self.sync.provisioner.tables.teams.find(organization) is not None
        outcome = await self._outcome(sync, request)
        await self.syncs.end(sync, outcome)
        if not had_team:
            await self.sync.provisioner.tables.inbox.wake(organization)
        return {"sync": outcome.get("error", "done")}

    async def _outcome(self, sync: SyncId, request: SyncInput) -> Mapping[str, Any]:
        """Return the report, or an error that another try would not cure."""
        if await self.sync.provisioner.tables.memberships.now() - request.read_at > GOOD_FOR:
            return _error(MattermostUnavailable("Mattermost was away for too long; please start it again."))
        try:
            report = await self.sync.run(
                request.organization,
                RosterSnapshot(request.roster, request.read_at),
                before=Counts(request.created, request.added, request.removed),
                on_progress=_ProgressStore(self.syncs, sync).store,
            )
        except OwnTokenRefused as error:
            return _error(error)
        except BridgeError as error:
            if error.retryable:
                raise
            return _error(error)
        return report.as_json()


@dataclass(frozen=True, slots=True)
class _ProgressStore:
    syncs: Syncs
    sync: SyncId

    async def store(self, progress: Progress) -> None:
        counts = progress.counts
        await self.syncs.progress(
            self.sync,
            done=progress.done,
            total=progress.total,
            counts=(counts.created, counts.added, counts.removed),
        )


def _error(error: BridgeError) -> Mapping[str, Any]:
    return {"status": error.status, "error": error.code, "message": error.message}
