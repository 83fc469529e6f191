"""The job kind `repair`: put a team right in which somebody changed a default channel or removed the bot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bridge.metrics import Metrics
from bridge.models.chat import TeamId
from bridge.models.jobs import Job
from provisioning.provisioner import Provisioner

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Repairs:
    provisioner: Provisioner
    metrics: Metrics

    async def run(self, job: Job) -> Mapping[str, Any]:
        """Put the team right; nothing is left to do for one that is no organization's any more."""
        payload = job.payload
        team = await self.provisioner.repair_team(TeamId(payload["team_id"]))
        if team is None:
            return {"skipped": "team_not_mapped"}
        self.metrics.repaired(payload["cause"])
        log.warning(
            "team_repaired",
            organization=str(job.organization_id),
            cause=payload["cause"],
            channel=payload["channel"],
            by=payload["by"],
            repairs=team.repairs,
        )
        return {"repairs": list(team.repairs)}
