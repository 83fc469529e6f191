"""What the gateway reports about questions of its agents.

Every process hears all of it; the database decides who acts upon it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bridge.db.agent_questions import AgentQuestions
from bridge.db.conversations import Conversations
from bridge.db.inbox import Inbox
from bridge.models.agent_questions import QuestionRecord, question_job
from bridge.models.approvals import (
    AgentQuestion,
    AgentQuestionId,
    ControlEvent,
    Pending,
    QuestionRequested,
    QuestionResolved,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class QuestionEvents:
    questions: AgentQuestions
    conversations: Conversations
    inbox: Inbox

    async def follow(self, event: ControlEvent) -> None:
        """Store what is reported; raise `DatabaseUnavailable` if it has to be given again."""
        match event:
            case QuestionRequested(question):
                await self._requested(question)
            case QuestionResolved(id_, conversation, outcome):
                if await self.questions.end(id_, outcome):
                    log.info("agent_question_ended", question=id_, outcome=outcome)
                    job = question_job("agent_question_end", id_, conversation.organization_id)
                    await self.inbox.put_all([job])
            case Pending(questions=waiting):
                for question in waiting:
                    await self._requested(question)
                await self._vanished(event)

    async def look(self) -> None:
        """End what has expired, take answers that came too early, and store jobs that were left out."""
        await self.questions.take_early()
        await self._ended(await self.questions.expire())
        due = [
            question_job(row["kind"], AgentQuestionId(row["id"]), row["organization_id"])
            for row in await self.questions.due()
        ]
        if due:
            await self.inbox.put_all(due)

    async def _requested(self, question: AgentQuestion) -> None:
        """Take a question of a conversation that somebody has asked in; a key alone proves nothing."""
        if not await self.conversations.has(question.conversation):
            log.warning("agent_question_of_nobody", organization=str(question.conversation.organization_id))
            return
        record = await self.questions.add(question)
        if record and record.state == "pending":
            job = question_job("agent_question", question.id, record.organization_id)
            await self.inbox.put_all([job])

    async def _vanished(self, pending: Pending) -> None:
        age = timedelta(milliseconds=max(0, time.time_ns() // 1_000_000 - pending.at))
        await self._ended(await self.questions.vanished([each.id for each in pending.questions], age))

    async def _ended(self, records: Sequence[QuestionRecord]) -> None:
        jobs = [
            question_job("agent_question_end", each.question.id, each.organization_id) for each in records
        ]
        if jobs:
            await self.inbox.put_all(jobs)
