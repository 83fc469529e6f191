"""The handlers of the job kinds that the bot does, put together from what its account works with."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bridge.config import Settings
from bridge.db.agent_habits import AgentHabits
from bridge.db.agent_questions import AgentQuestions
from bridge.db.answers import Answers
from bridge.db.buttons import Buttons
from bridge.db.conversation_starts import ConversationStarts
from bridge.db.memberships import Memberships
from bridge.documents.reader import DocumentReader
from bridge.ingest.intake import AHEAD
from bridge.ingest.unanswered import Unanswered
from bridge.mattermost.websocket.socket import Socket
from bridge.models.jobs import JobKind
from bridge.models.usage import NO_PRICES
from bridge.ports import AgentControl
from bridge.runtime.approvals import approval_ways
from bridge.runtime.bot_parts import BotParts
from bridge.runtime.conversations import conversation_check
from bridge.runtime.job_handlers import (
    agent_question_handlers,
    approval_handlers,
    bot_handlers,
    budget_handlers,
)
from bridge.worker import Handler
from handlers.answers.asking import Asking
from handlers.answers.attachments import Attachments
from handlers.answers.bot_commands import BotCommands
from handlers.answers.budgets import BudgetGate
from handlers.answers.questions import Questions
from handlers.answers.signs import Signs
from handlers.answers.speakers import Speakers
from handlers.jobs.agent_answer import AgentAnswers
from handlers.jobs.agent_message import AgentMessages
from handlers.jobs.agent_question import QuestionPosts
from handlers.jobs.approval import ApprovalPosts
from handlers.jobs.approval_decision import ApprovalDecisions
from handlers.jobs.approval_reaction import ApprovalReactions
from handlers.jobs.approval_reminder import ApprovalReminders
from handlers.jobs.budget_warning import BudgetWarnings
from handlers.jobs.direct import DirectMessages
from handlers.jobs.mention import Mentions
from handlers.jobs.welcome import Welcomes
from handlers.jobs.welcome_text import welcome_text
from handlers.posts.channel_posts import ChannelPosts
from handlers.posts.direct_notes import DirectNotes
from handlers.posts.posting import Poster
from handlers.posts.remarker import Remarker
from provisioning.member_check import MemberCheck


@dataclass(frozen=True, slots=True)
class BotJobs:
    """What the bot does, posting as its account."""

    parts: BotParts
    poster: Poster
    socket: Socket
    """Shows the bot as typing."""
    reader: DocumentReader = field(default_factory=DocumentReader)

    def called(self, username: str) -> Mapping[JobKind, Handler]:
        """Return the handlers of what depends on the account's name."""
        posts, mentions = self.parts.channel_posts(self.poster), self._mentions(username)
        help_text = mentions.commands.help_text
        welcomes = Welcomes(posts, self.parts.inbox, self.parts.settings.agent_channel, help_text)
        hints = self.parts.hints(self.poster)
        asked = bot_handlers(mentions, self._direct(mentions), hints, self._messages(posts), welcomes)
        control = self.parts.control
        return {**asked, **(self._agent_questions(control, username) if control else {})}

    def nameless(self) -> Mapping[JobKind, Handler]:
        """Return the handlers of the others."""
        posts = self.parts.channel_posts(self.poster)
        notices = {} if self.parts.notices else self.parts.notice_handlers(posts)
        return {**self._approvals(), **self._budget_warnings(), **notices}

    def _messages(self, posts: ChannelPosts) -> AgentMessages:
        parts = self.parts
        check = conversation_check(parts.bot, parts.pool, parts.roster_reader)
        return AgentMessages(posts, check, parts.inbox, image_hosts(parts.settings))

    def _mentions(self, username: str) -> Mentions:
        parts, poster = self.parts, self.poster
        now = time.time_ns() // 1_000_000
        return Mentions(
            parts.inbox,
            poster,
            self._questions(username),
            self._asking(),
            parts.signals.stops,
            Signs(parts.bot, poster.me, self.socket.typing),
            parts.metrics,
            self._commands(username),
            BudgetGate(parts.budgets, parts.inbox),
            answered_until=now + (AHEAD if parts.failed_over else 0),
            # What was on its way to Mattermost at a failover may come after a channel was read.
            unanswered=Unanswered() if parts.failed_over else parts.unanswered,
            control=parts.control,
        )

    def _questions(self, username: str) -> Questions:
        parts = self.parts
        answers, speakers = Answers(parts.pool), Speakers(parts.bot)
        attachments = Attachments(self._remarker, self.reader, parts.metrics, parts.settings.agent_files)
        remembers = parts.agent.remembers
        return Questions(parts.bot, answers, speakers, self.poster.me, username, remembers, attachments)

    def _asking(self) -> Asking:
        parts, settings = self.parts, self.parts.settings
        return Asking(
            parts.agent,
            self.poster,
            Answers(parts.pool),
            AgentHabits(parts.pool),
            parts.signals,
            parts.metrics,
            image_hosts(settings),
            stream=settings.agent_stream == "on",
            prices=settings.agent_prices or NO_PRICES,
            server=f"{settings.agent_kind} {settings.agent_url} {settings.agent_id}",
        )

    def _commands(self, username: str) -> BotCommands:
        settings = self.parts.settings
        text = welcome_text(username, settings.agent_channel, settings.agent_suggestions)
        return BotCommands(ConversationStarts(self.parts.pool), self._remarker, username, text)

    def _direct(self, mentions: Mentions) -> DirectMessages:
        parts = self.parts
        check = MemberCheck(Memberships(parts.pool), parts.roster_reader, parts.bot.is_in_team)
        return DirectMessages(parts.bot, parts.inbox, check, mentions, mentions.commands)

    def _agent_questions(self, control: AgentControl, username: str) -> Mapping[JobKind, Handler]:
        parts = self.parts
        questions, callback = AgentQuestions(parts.pool), approval_ways(parts.settings).callback
        posts = QuestionPosts(
            questions,
            Buttons(parts.pool),
            self.poster,
            parts.inbox,
            parts.desk.username,
            control,
            callback,
        )
        answers = AgentAnswers(questions, parts.inbox, self._remarker, control, username)
        return agent_question_handlers(posts, answers)

    def _approvals(self) -> Mapping[JobKind, Handler]:
        parts = self.parts
        desk, control = parts.desk, parts.control
        ways = approval_ways(parts.settings)
        posts = ApprovalPosts(desk, Buttons(parts.pool), self.poster, ways)
        decisions = ApprovalDecisions(desk.approvals, parts.inbox, control) if control else None
        reminders = ApprovalReminders(posts, parts.administrators)
        return approval_handlers(posts, decisions, reminders, ApprovalReactions(desk))

    def _budget_warnings(self) -> Mapping[JobKind, Handler]:
        parts = self.parts
        notes, page = DirectNotes(self.poster, parts.inbox), approval_ways(parts.settings).page
        return budget_handlers(BudgetWarnings(notes, parts.administrators, page))

    @property
    def _remarker(self) -> Remarker:
        return Remarker(self.poster, self.parts.inbox)


def image_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts whose images an answer may show: the chat's own, and those that are allowed."""
    chat = (settings.mattermost_url, settings.mattermost_public_url)
    own = {host for url in chat if url and (host := urlsplit(url).hostname)}
    return frozenset({*own, *settings.agent_image_hosts})
