"""The job kind `budget_warning`: tell administrators once that most of their budget is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bridge.models.budgets import month_after
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from handlers.posts.direct_notes import DirectNotes
from provisioning.administrators import Administrators


@dataclass(frozen=True, slots=True)
class BudgetWarnings:
    notes: DirectNotes
    administrators: Administrators | None
    """None without a service account, which knows them."""
    page: Callable[[OrganizationId], str | None]
    """The page of an organization's administrators, as the web app shows it."""

    async def send(self, job: Job) -> Mapping[str, Any]:
        """Write to each administrator who has an account."""
        assert job.organization_id is not None
        if self.administrators is None:
            return {"skipped": "no_service_account"}
        text = warning(job.payload, self.page(job.organization_id))
        people = await self.administrators.of(job.organization_id)
        mark = {"budget": job.lane, "remark": True}
        posts = [await self.notes.tell(job, user, text, mark) for user in people]
        return {"posts": [post for post in posts if post]}


def warning(payload: Mapping[str, Any], page: str | None) -> str:
    """Return what administrators hear."""
    month = date.fromisoformat(payload["month"])
    again = month_after(month)
    text = (
        f"Your organization has used {payload['percent']} % of its budget for the agent in {month:%B %Y}."
        f" When nothing is left, I answer again from {again.day} {again:%B %Y} on."
    )
    return f"{text} [Look at the usage]({page})" if page else text
