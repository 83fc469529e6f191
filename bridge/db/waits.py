"""What agents have waited for: approvals and answers of people, by the post that it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from asyncpg import Pool

from bridge.db.kinds import ASKING
from bridge.db.pool import database_errors
from bridge.models.approval_records import ApprovalState
from bridge.models.approvals import QuestionOutcome
from bridge.models.audit import Via
from bridge.models.chat import PostId

_OF_POST = f"""
with job as (
    select lane, started, finished from jobs
    where kind in {ASKING}
      and (dedupe = 'post:' || $1 or id = (select job_id from answer_posts where post_id = $1))
), waits as (
    select 'approval' as kind, state, shown ->> 'tool' as tool, created, expires_at, via,
           coalesce(decided_by, decided_person::text) as decider, post_id, thread, channel_id
    from approvals
    union all
    select 'question', state, '', created, expires_at, null, null, post_id, thread, channel_id
    from agent_questions
)
select kind, state, tool, expires_at, via, decider from waits w
where post_id = $1 or exists (
    select from job
    where lane in ('thread:' || w.thread, 'direct:' || w.channel_id)
      and w.created between started and coalesce(finished, now()))
order by created
"""  # noqa: S608  # built of constants


@dataclass(frozen=True, slots=True)
class Wait:
    """An approval or a question of the agent, without a word of the agent but the tool's name."""

    kind: Literal["approval", "question"]
    state: ApprovalState | QuestionOutcome
    tool: str
    expires_at: datetime
    via: Via | None
    """None: nobody has decided here."""
    decider: str | None
    """The account, or else the person, that has decided."""


@dataclass(frozen=True, slots=True)
class Waits:
    pool: Pool

    @database_errors
    async def of_post(self, post_id: PostId) -> Sequence[Wait]:
        """Return those of a question or its answer, or the one that a post asks about; the oldest first."""
        return [Wait(**dict(row.items())) for row in await self.pool.fetch(_OF_POST, post_id)]
