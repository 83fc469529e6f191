"""The job kind `direct`: what somebody writes to the bot alone.

One direct channel is one lane, so that a choice of an organization and the questions around it keep their
order. Whoever asks is looked up anew for every question, and a question goes to the organization of its own
conversation or to none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, assert_never

import structlog

from bridge.db.inbox import Inbox
from bridge.errors import AgentFailed, EquaUnavailable, LeaseLost
from bridge.models.conversation_starts import Candidate, ConversationStart
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job, Mention
from bridge.organization_choice import AskWhich, Choice, Chosen, Left, Nowhere, Switched, choose, wanted
from bridge.ports import MattermostApi
from bridge.text.commands import Command, command
from handlers.answers.bot_commands import BotCommands
from handlers.jobs import choice_texts
from handlers.jobs.mention import EditedIntoCommand, Mentions
from handlers.posts.parts import ReplyTarget
from handlers.posts.refusals import unless_deleted
from handlers.posts.remarks import BEGUN_ANEW, HOW_TO_GET_IN
from provisioning.member_check import MemberCheck

log = structlog.get_logger(__name__)

Result = Mapping[str, Any]

_PATIENCE = 20.0
"""Seconds for which Equa is asked again before the author hears that it is away."""

_MOST_COMMANDS = 10
"""How often a message may become a command while it is worked on."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A direct message, when it is its turn."""

    job: Job
    message: Mention
    person: PersonId
    command: Command | None
    conversation: ConversationStart | None
    candidates: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class DirectMessages:
    api: MattermostApi
    inbox: Inbox
    member_check: MemberCheck
    mentions: Mentions
    commands: BotCommands

    async def answer(self, job: Job) -> Result:
        """Answer a direct message; may be repeated."""
        return await unless_deleted(self._answered_as_edited(job))

    async def _answered_as_edited(self, job: Job) -> Result:
        """Begin again each time that the message is edited into a command while the agent works on it."""
        for _ in range(_MOST_COMMANDS):
            try:
                return await self._answered(job)
            except EditedIntoCommand as edited:
                # A later attempt looks for what was shown of an answer.
                payload = {**job.payload, "message": str(edited)}
                job = replace(job, payload=payload, attempts=job.attempts + 1)
        raise AgentFailed("The message was edited too often while it was worked on.")

    async def _answered(self, job: Job) -> Result:
        message = Mention.of(job.payload)
        user = await self.api.user(message.user_id)
        if user.is_bot or user.delete_at:
            return {"skipped": "other_bot" if user.is_bot else "deactivated"}
        if message.person_id is None:
            return await self._said(job, HOW_TO_GET_IN, "no_organization")
        offered = await self.commands.starts.offered(job.id, job.lane)
        asked = _Asked(
            job,
            message,
            message.person_id,
            command(message.message, self.commands.username, listed=bool(offered)),
            await self.commands.starts.at(job.lane, message.create_at),
            await self.commands.starts.candidates(message.person_id, message.user_id),
        )
        try:
            mine = await self._mine(asked, _likely(asked, offered))
        except EquaUnavailable as error:
            return await self._unknown(job, error)
        if mine and asked.command == "help":
            return await self._said(job, self.commands.help_text, "help")
        chosen = asked.conversation.organization_id if asked.conversation else None
        return await self._done(asked, choose(asked.command, mine, chosen, offered))

    async def _mine(self, asked: _Asked, likely: Sequence[Candidate]) -> Sequence[Candidate]:
        """Return the author's organizations; the one that is likely meant is enough if they are in it."""
        found = await self._members_of(asked, likely)
        return found or await self._members_of(asked, asked.candidates)

    async def _members_of(self, asked: _Asked, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        return await self.member_check.among(candidates, asked.person, asked.message.user_id)

    async def _unknown(self, job: Job, error: EquaUnavailable) -> Result:
        """Try again for a while, then ask the author to; an answer that is stored waits for Equa."""
        age = (datetime.now(UTC) - job.created).total_seconds()
        if job.answer is not None or age < _PATIENCE > (error.retry_after or 0):
            raise error
        log.warning("membership_unknown", reason=error.message)
        return await self._said(job, choice_texts.TRY_LATER, "membership_unknown")

    async def _done(self, asked: _Asked, choice: Choice) -> Result:
        job = asked.job
        match choice:
            case Nowhere():
                return await self._said(job, HOW_TO_GET_IN, "no_organization")
            case AskWhich(organizations, unknown):
                reason = "organization_unknown" if unknown else "organization_asked"
                offer = [str(each.organization_id) for each in organizations]
                text = choice_texts.which(organizations, unknown)
                return {**await self._said(job, text, reason), "offered": offer}
            case Left(now, organizations):
                return await self._left(asked, now, organizations)
            case Switched(organization):
                return await self._switched(asked, organization)
            case Chosen(organization, begins):
                return await self._asked(asked, organization, begins=begins)
            case _:
                assert_never(choice)

    async def _left(self, asked: _Asked, now: Candidate | None, others: Sequence[Candidate]) -> Result:
        if now:
            await self._begun(asked, now)
        offer = [] if now else [str(each.organization_id) for each in others]
        text = choice_texts.left(now, others)
        return {**await self._said(asked.job, text, "left_organization"), "offered": offer}

    async def _switched(self, asked: _Asked, organization: Candidate) -> Result:
        """Begin a conversation; questions that waited for the choice belong to it."""
        job = asked.job
        waiting = await self.commands.starts.unanswered(job.id, job.lane)
        since = min([asked.message.create_at, *(each["create_at"] for each in waiting)])
        await self._begun(asked, organization, since)
        text = choice_texts.switched(organization, self.commands.username)
        result = await self._said(job, text, "organization_chosen")
        await self.inbox.put_all(
            [
                Entry("direct", job.lane, organization.organization_id, f"again:{each['post_id']}", each)
                for each in waiting
            ]
        )
        return result

    async def _asked(self, asked: _Asked, organization: Candidate, *, begins: bool) -> Result:
        conversation = asked.conversation
        if begins or conversation is None or asked.command == "new":
            conversation = await self._begun(asked, organization)
        if asked.command == "new":
            return await self._said(asked.job, BEGUN_ANEW, "begun_anew")
        job = replace(asked.job, organization_id=organization.organization_id)
        if job.organization_id != asked.job.organization_id and not await self.inbox.assign(
            job.id, organization.organization_id
        ):
            raise LeaseLost
        footer = choice_texts.footer(organization) if len(asked.candidates) > 1 else ""
        return await self.mentions.answered(
            job, replace(asked.message, conversation=conversation, footer=footer)
        )

    async def _begun(
        self, asked: _Asked, organization: Candidate, since: int | None = None
    ) -> ConversationStart:
        message = asked.message
        return await self.commands.starts.begin(
            asked.job.lane,
            message.post_id,
            message.create_at if since is None else since,
            organization.organization_id,
        )

    async def _said(self, job: Job, text: str, reason: str) -> Result:
        """Say something of our own, which is no answer; return it with the reason for `why`."""
        message = Mention.of(job.payload)
        await self.mentions.abandon(job, message)
        target = ReplyTarget(message.channel_id, message.thread, message.post_id)
        return {"posts": [await self.commands.remarker.say(job, target, text)], "skipped": reason}


def _likely(asked: _Asked, offered: Sequence[OrganizationId]) -> Sequence[Candidate]:
    """Return the organization that a choice names, or the one that a question continues with."""
    if named := wanted(asked.command, asked.candidates, offered):
        return [named]
    if asked.command is not None or asked.conversation is None:
        return []
    chosen = asked.conversation.organization_id
    return [each for each in asked.candidates if each.organization_id == chosen]
