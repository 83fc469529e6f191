"""The job kind `agent_answer`: hand the asker's answer to the agent that waits for it.

It is never a new message to the agent: that would wait behind the question. Only if the question has ended
meanwhile, what the person has posted is asked like any other post.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bridge.db.agent_questions import AgentQuestions
from bridge.db.inbox import Inbox
from bridge.errors import QuestionRefused
from bridge.models.agent_questions import QuestionRecord, question_job
from bridge.models.approvals import Answers, QuestionOutcome, Resolution
from bridge.models.jobs import Entry, Job, JobKind, Mention
from bridge.ports import AgentControl
from bridge.text.mentions import strip_mention
from handlers.jobs.agent_question import question_of
from handlers.jobs.agent_question_text import NotUnderstood, answers
from handlers.posts.parts import ReplyTarget
from handlers.posts.refusals import unless_deleted
from handlers.posts.remarker import Remarker

log = structlog.get_logger(__name__)

NOT_ACCEPTED = "The agent does not take this answer. Please give another one."

_PRESSED = "choice"


@dataclass(frozen=True, slots=True)
class AgentAnswers:
    questions: AgentQuestions
    inbox: Inbox
    remarker: Remarker
    control: AgentControl
    username: str
    """The bot's, which the answer may begin with."""

    async def hand_over(self, job: Job) -> Mapping[str, Any]:
        """Give the answer to the agent; may be repeated."""
        return await unless_deleted(self._hand_over(job))

    async def _hand_over(self, job: Job) -> Mapping[str, Any]:
        record = await self.questions.get(question_of(job))
        if record is None:
            return {"skipped": "question_unknown"}
        if not await self.questions.claim(record.question.id, str(job.id), job.payload.get(_PRESSED)):
            return await self._late(job, record)
        try:
            given = self._answers(job, record)
            resolution = await self.control.resolve_question(record.question.id, given)
        except NotUnderstood as error:
            return await self._asked_again(job, record, str(error))
        except QuestionRefused:
            return await self._asked_again(job, record, NOT_ACCEPTED)
        return await self._settled(job, record, resolution)

    async def lost(self, job: Job, error: Exception, reason: str) -> Mapping[str, Any] | None:
        """Ask what was posted like any other post, because the agent does not wait for it any more."""
        record = await self.questions.get(question_of(job))
        log.error("agent_answer_not_sent", question=question_of(job), reason=reason, exc_info=error)
        if record is None:
            return None
        await self._end(record, "withdrawn")
        return await self._late(job, record)

    def _answers(self, job: Job, record: QuestionRecord) -> Answers:
        if _PRESSED in job.payload:
            return {record.question.inquiries[0].id: [job.payload[_PRESSED]]}
        return answers(record, strip_mention(job.payload["message"], self.username))

    async def _settled(self, job: Job, record: QuestionRecord, resolution: Resolution) -> Mapping[str, Any]:
        # A repeat finds answered what its earlier attempt has answered.
        if resolution.applied or (job.attempts > 1 and record.state in ("pending", "answered")):
            await self._end(record, "answered")
            return {"answered": record.question.id}
        outcome = resolution.outcome
        await self._end(record, outcome if outcome in ("cancelled", "expired") else "withdrawn")
        return await self._late(job, record)

    async def _asked_again(self, job: Job, record: QuestionRecord, sentence: str) -> Mapping[str, Any]:
        """Say why it is no answer, and wait for another one."""
        await self.questions.give_back(record.question.id, str(job.id))
        if _PRESSED in job.payload:
            return {"skipped": "not_accepted"}
        message = _mention(job)
        target = ReplyTarget(message.channel_id, record.thread, message.post_id)
        return {"posts": [await self.remarker.say(job, target, sentence)], "refused": "no_answer"}

    async def _late(self, job: Job, record: QuestionRecord) -> Mapping[str, Any]:
        """Ask what was posted like any other post; a button is shown as ended."""
        if _PRESSED in job.payload:
            return {"skipped": "ended"}
        message = _mention(job)
        kind: JobKind = "direct" if record.is_direct else "mention"
        dedupe = f"late:{message.post_id}"
        asked = Entry(kind, record.lane, record.organization_id, dedupe, message.payload())
        await self.inbox.put_all([asked])
        return {"asked": "too_late_for_an_answer"}

    async def _end(self, record: QuestionRecord, outcome: QuestionOutcome) -> None:
        await self.questions.end(record.question.id, outcome)
        job = question_job("agent_question_end", record.question.id, record.organization_id)
        await self.inbox.put_all([job])


def _mention(job: Job) -> Mention:
    return Mention.of({key: value for key, value in job.payload.items() if key != "agent_question"})
