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
from bridge.mattermost.websocket.socket import Socket
from bridge.models.jobs import JobKind
from bridge.models.usage import NO_PRICES
from bridge.ports import AgentControl
from bridge.runtime.accounts import Accounts
from bridge.runtime.approvals import approval_ways
from bridge.runtime.conversations import conversation_check
from bridge.runtime.job_handlers import (
    agent_question_handlers,
    approval_handlers,
    bot_handlers,
    budget_handlers,
)
from bridge.worker import Handler
from handlers.jobs.agent_answer import AgentAnswers
from handlers.jobs.agent_message import AgentMessages
from handlers.jobs.agent_question import QuestionPosts
from handlers.jobs.approval import ApprovalPosts
from handlers.jobs.approval_decision import ApprovalDecisions
from handlers.jobs.approval_reaction import ApprovalReactions
from handlers.jobs.approval_reminder import ApprovalReminders
from handlers.jobs.asking import Asking
from handlers.jobs.attachments import Attachments
from handlers.jobs.bot_commands import BotCommands
from handlers.jobs.budget_warning import BudgetWarnings
from handlers.jobs.budgets import BudgetGate
from handlers.jobs.channel_posts import ChannelPosts
from handlers.jobs.direct import DirectMessages
from handlers.jobs.direct_notes import DirectNotes
from handlers.jobs.mention import Mentions
from handlers.jobs.posting import Poster
from handlers.jobs.questions import Questions
from handlers.jobs.remarker import Remarker
from handlers.jobs.signs import Signs
from handlers.jobs.speakers import Speakers
from handlers.jobs.welcome import Welcomes
from handlers.jobs.welcome_text import welcome_text
from provisioning.member_check import MemberCheck


@dataclass(frozen=True, slots=True)
class BotJobs:
    """What the bot does, posting as its account."""

    accounts: Accounts
    poster: Poster
    socket: Socket
    """Shows the bot as typing."""
    reader: DocumentReader = field(default_factory=DocumentReader)

    def called(self, username: str) -> Mapping[JobKind, Handler]:
        """Return the handlers of what depends on the account's name."""
        posts, mentions = self.accounts.channel_posts(self.poster), self._mentions(username)
        help_text = mentions.commands.help_text
        welcomes = Welcomes(posts, self.accounts.inbox, self.accounts.settings.agent_channel, help_text)
        hints = self.accounts.hints(self.poster)
        asked = bot_handlers(mentions, self._direct(mentions), hints, self._messages(posts), welcomes)
        control = self.accounts.control
        return {**asked, **(self._agent_questions(control, username) if control else {})}

    def nameless(self) -> Mapping[JobKind, Handler]:
        """Return the handlers of the others."""
        posts = self.accounts.channel_posts(self.poster)
        notices = {} if self.accounts.notices else self.accounts.notice_handlers(posts)
        return {**self._approvals(), **self._budget_warnings(), **notices}

    def _messages(self, posts: ChannelPosts) -> AgentMessages:
        accounts = self.accounts
        check = conversation_check(accounts.bot, accounts.pool, accounts.roster_reader)
        return AgentMessages(posts, check, accounts.inbox, image_hosts(accounts.settings))

    def _mentions(self, username: str) -> Mentions:
        accounts, poster = self.accounts, self.poster
        now = time.time_ns() // 1_000_000
        return Mentions(
            accounts.inbox,
            poster,
            self._questions(username),
            self._asking(),
            accounts.signals.stops,
            Signs(accounts.bot, poster.me, self.socket.typing),
            accounts.metrics,
            self._commands(username),
            BudgetGate(accounts.budgets, accounts.inbox),
            answered_until=now + (AHEAD if accounts.failed_over else 0),
            control=accounts.control,
        )

    def _questions(self, username: str) -> Questions:
        accounts = self.accounts
        answers, speakers = Answers(accounts.pool), Speakers(accounts.bot)
        attachments = Attachments(
            self._remarker, self.reader, accounts.metrics, accounts.settings.agent_files
        )
        remembers = accounts.agent.remembers
        return Questions(accounts.bot, answers, speakers, self.poster.me, username, remembers, attachments)

    def _asking(self) -> Asking:
        accounts, settings = self.accounts, self.accounts.settings
        return Asking(
            accounts.agent,
            self.poster,
            Answers(accounts.pool),
            AgentHabits(accounts.pool),
            accounts.signals,
            accounts.metrics,
            image_hosts(settings),
            stream=settings.agent_stream == "on",
            prices=settings.agent_prices or NO_PRICES,
            server=f"{settings.agent_kind} {settings.agent_url} {settings.agent_id}",
        )

    def _commands(self, username: str) -> BotCommands:
        settings = self.accounts.settings
        text = welcome_text(username, settings.agent_channel, settings.agent_suggestions)
        return BotCommands(ConversationStarts(self.accounts.pool), self._remarker, username, text)

    def _direct(self, mentions: Mentions) -> DirectMessages:
        accounts = self.accounts
        check = MemberCheck(Memberships(accounts.pool), accounts.roster_reader, accounts.bot.is_in_team)
        return DirectMessages(accounts.bot, accounts.inbox, check, mentions, mentions.commands)

    def _agent_questions(self, control: AgentControl, username: str) -> Mapping[JobKind, Handler]:
        accounts = self.accounts
        questions, callback = AgentQuestions(accounts.pool), approval_ways(accounts.settings).callback
        posts = QuestionPosts(
            questions,
            Buttons(accounts.pool),
            self.poster,
            accounts.inbox,
            accounts.desk.username,
            control,
            callback,
        )
        answers = AgentAnswers(questions, accounts.inbox, self._remarker, control, username)
        return agent_question_handlers(posts, answers)

    def _approvals(self) -> Mapping[JobKind, Handler]:
        accounts = self.accounts
        desk, control = accounts.desk, accounts.control
        ways = approval_ways(accounts.settings)
        posts = ApprovalPosts(desk, Buttons(accounts.pool), self.poster, ways)
        decisions = ApprovalDecisions(desk.approvals, accounts.inbox, control) if control else None
        reminders = ApprovalReminders(posts, accounts.administrators)
        return approval_handlers(posts, decisions, reminders, ApprovalReactions(desk))

    def _budget_warnings(self) -> Mapping[JobKind, Handler]:
        accounts = self.accounts
        notes, page = DirectNotes(self.poster, accounts.inbox), approval_ways(accounts.settings).page
        return budget_handlers(BudgetWarnings(notes, accounts.administrators, page))

    @property
    def _remarker(self) -> Remarker:
        return Remarker(self.poster, self.accounts.inbox)


def image_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts whose images an answer may show: the chat's own, and those that are allowed."""
    chat = (settings.mattermost_url, settings.mattermost_public_url)
    own = {host for url in chat if url and (host := urlsplit(url).hostname)}
    return frozenset({*own, *settings.agent_image_hosts})
