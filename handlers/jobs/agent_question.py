"""The job kinds `agent_question` and `agent_question_end`: ask for the agent, and show what came of it.

The question is posted once, whatever dies. It is changed once, to its end.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

import structlog

from bridge.db.agent_questions import AgentQuestions
from bridge.db.buttons import Buttons
from bridge.db.inbox import Inbox
from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.agent_questions import QuestionRecord
from bridge.models.approvals import AgentQuestionId
from bridge.models.buttons import Button, action, new_secret
from bridge.models.chat import PAGE_SIZE, Draft, PostId, UserId
from bridge.models.jobs import Job
from bridge.ports import AgentControl
from handlers.jobs import agent_question_text as text
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK
from handlers.posts.posting import Poster
from handlers.posts.refusals import unless_deleted

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class QuestionPosts:
    questions: AgentQuestions
    buttons: Buttons
    poster: Poster
    inbox: Inbox
    username: Callable[[UserId], Awaitable[str | None]]
    """Returns what an account is called; None if nobody says it now."""
    control: AgentControl
    callback: str | None
    """The bridge's address for presses, as Mattermost reaches it; None where it does not."""

    async def ask(self, job: Job) -> Mapping[str, Any]:
        """Post the question in its thread, unless it has ended or the thread is gone; never for a secret."""
        return await unless_deleted(self._ask(job))

    async def show_end(self, job: Job) -> Mapping[str, Any]:
        """Make the post say what has come of the question, without buttons."""
        return await unless_deleted(self._show_end(job))

    async def _ask(self, job: Job) -> Mapping[str, Any]:
        record = await self.questions.get(question_of(job))
        if record is None or record.state != "pending":
            return {"skipped": "ended"}
        async with self.poster.write_limit(record.question.conversation.channel_id):
            there = await self._there(record) if job.attempts > 1 else None
            post = there or await self._asked(job, record)
        if record.question.is_secret:
            return await self._without_answer(record, post)
        await self.buttons.posted("question", record.question.id, post)
        created = (await self.poster.api.post(post)).create_at
        await self.questions.posted(record.question.id, post, created)
        await self.questions.take_early()
        return {"posts": [post]}

    async def _show_end(self, job: Job) -> Mapping[str, Any]:
        record = await self.questions.get(question_of(job))
        if record is None or record.state == "pending" or record.question.is_secret:
            return {"skipped": "nothing_to_show"}
        post = record.post_id or await self._there(record)
        if post is None:
            return {"skipped": "not_posted"}
        try:
            await LeaseGuard(self.inbox, job.id).require()
            with self.poster.budget.first():
                await self.poster.api.replace_post(post, text.ended_message(record), text.ended_props(record))
        except TokenRefused:
            raise
        except MattermostRefused as error:
            # It says until when it waits, and whoever answers too late is heard all the same.
            log.warning("agent_question_not_changed", post=post, reason=error.message)
            return {"skipped": "not_changed"}
        return {"posts": [post]}

    async def _without_answer(self, record: QuestionRecord, post: PostId) -> Mapping[str, Any]:
        await self.control.cancel_question(record.question.id)
        await self.questions.end(record.question.id, "cancelled")
        return {"posts": [post], "refused": "secret"}

    async def _asked(self, job: Job, record: QuestionRecord) -> PostId:
        if record.question.is_secret:
            message, props = text.NO_SECRETS, text.secret_props(record)
        else:
            message = text.pending_message(record, await self.username(record.asker) or "")
            props = text.pending_props(record, await self._actions(record))
        draft = Draft(
            channel_id=record.question.conversation.channel_id,
            root_id=record.thread,
            message=message,
            props=props,
            pending_post_id=str(uuid5(job.key, "ask")),
        )
        return await self.poster.create(draft, LeaseGuard(self.inbox, job.id))

    async def _actions(self, record: QuestionRecord) -> list[dict[str, Any]]:
        """Return new buttons for the choices, once they are stored; none where a press answers nothing."""
        if self.callback is None:
            return []
        secrets = {new_secret(): choice.label for choice in record.question.choices}
        await self.buttons.add({secret: _button(record, label) for secret, label in secrets.items()})
        return [
            action(f"choice{number}", text.button_name(label), "default", self.callback, secret)
            for number, (secret, label) in enumerate(secrets.items(), 1)
        ]

    async def _there(self, record: QuestionRecord) -> PostId | None:
        """Find the post that an earlier attempt has made."""
        api, channel, mark = self.poster.api, record.question.conversation.channel_id, text.mark(record)
        posts = await (
            api.thread(record.thread) if record.thread else api.latest_posts(channel, 0, PAGE_SIZE)
        )
        mine = (post for post in posts if post.user_id == self.poster.me)
        return next((post.id for post in mine if post.props.get(MARK) == mark), None)


def question_of(job: Job) -> AgentQuestionId:
    """Return which question of an agent a job is about."""
    return AgentQuestionId(job.payload["agent_question"])


def _button(record: QuestionRecord, label: str) -> Button:
    channel = record.question.conversation.channel_id
    return Button("question", record.question.id, label, record.organization_id, channel)
