"""The bot: identify its accounts, then listen, answer and post notices until cancelled."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog

from bridge.config import Settings
from bridge.db.agent_habits import AgentHabits
from bridge.db.agent_questions import AgentQuestions
from bridge.db.answers import Answers
from bridge.db.approvals import Approvals
from bridge.db.budgets import Budgets
from bridge.db.buttons import Buttons
from bridge.db.conversation_starts import ConversationStarts
from bridge.db.feedback import Feedback
from bridge.db.locks import Locks
from bridge.db.mappings import Mappings
from bridge.db.memberships import Memberships
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.db.positions import Positions
from bridge.db.repairs import RepairRequests
from bridge.db.repeats import Repeats
from bridge.db.teams import Teams
from bridge.documents.reader import DocumentReader
from bridge.errors import TokenRefused
from bridge.ingest.approvals import ApprovalReactions as ReactionsToApprovals
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.hearing import Hearing
from bridge.ingest.intake import AHEAD, Intake
from bridge.ingest.interventions import Interventions
from bridge.ingest.listener import Listener
from bridge.ingest.notice_listener import NoticeListener
from bridge.ingest.post_acks import PostAcks
from bridge.ingest.ratings import Ratings
from bridge.ingest.stopping import IsAdmin
from bridge.ingest.tampering import Tampering
from bridge.mattermost.websocket.socket import Interest, Socket
from bridge.metrics import Metrics
from bridge.models.agent import FilesForAgent
from bridge.models.chat import User
from bridge.models.jobs import JobKind
from bridge.models.organization_settings import NO_BUDGET
from bridge.models.proxies import NO_PROXIES, Proxies
from bridge.models.usage import NO_PRICES, Prices
from bridge.outage import retry_until_available
from bridge.ports import Agent, AgentControl, MattermostApi
from bridge.routing import Bot, Policy
from bridge.runtime.admin_check import AdminCheck
from bridge.runtime.approvals import approval_desk, approval_ways
from bridge.runtime.clients import Clients
from bridge.runtime.conversations import conversation_check
from bridge.runtime.health import BOT_TOKEN, NOTICE_TOKEN, BotState
from bridge.runtime.job_handlers import (
    agent_question_handlers,
    approval_handlers,
    bot_handlers,
    budget_handlers,
    notice_handlers,
    notice_hint_handlers,
)
from bridge.runtime.policy import question_policy
from bridge.worker import Handler, Worker
from handlers.approvals import ApprovalDesk
from handlers.jobs.agent_answer import AgentAnswers
from handlers.jobs.agent_message import AgentMessages
from handlers.jobs.agent_question import QuestionPosts
from handlers.jobs.approval import ApprovalPosts, ApprovalWays
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
from handlers.jobs.hint import Hints, HintTexts
from handlers.jobs.lease_guard import SURE
from handlers.jobs.mention import Mentions
from handlers.jobs.notice import Notices
from handlers.jobs.posting import Poster
from handlers.jobs.questions import Questions
from handlers.jobs.remarker import Remarker
from handlers.jobs.signs import Signs
from handlers.jobs.speakers import Speakers
from handlers.jobs.stop_signals import StopSignals
from handlers.jobs.welcome import Welcomes
from handlers.jobs.welcome_text import welcome_text
from handlers.jobs.write_budget import WriteBudget
from provisioning.administrators import Administrators
from provisioning.default_channels import NOTICES
from provisioning.member_check import MemberCheck
from provisioning.roster_reader import RosterReader

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """The bot's token and server, and the channel in which it listens."""

    url: str
    token: str = field(repr=False)
    channel: str
    proxies: Proxies = NO_PROXIES
    policy: Policy = field(default_factory=Policy)
    notice_token: str = field(default="", repr=False)
    """Of the account that posts notices; empty if the bot does."""
    suggestions: Sequence[str] = ()
    """Questions to begin with."""


@dataclass(frozen=True, slots=True)
class BotRunner:
    account: Account
    bot: MattermostApi
    notices: MattermostApi | None
    """The account that posts notices; None if the bot does."""
    agent: Agent
    worker: Worker
    """Gets its handlers once the owners of both tokens are known."""
    metrics: Metrics
    state: BotState
    signals: StopSignals
    desk: ApprovalDesk
    ways: ApprovalWays
    """How people can decide about tool calls of the agent."""
    budgets: Budgets
    is_admin: IsAdmin | None = None
    """Says who may stop the answers of others; None where nobody can be asked."""
    image_hosts: Collection[str] = ()
    """Hosts whose images an answer may show."""
    stream: bool = True
    """Whether answers grow."""
    files: FilesForAgent = "all"
    prices: Prices = NO_PRICES
    server: str = ""
    """The agent's server, and its name there."""
    roster_reader: RosterReader | None = None
    """Says who is a member of an organization; None without a service account."""
    control: AgentControl | None = None
    """The side channel to the agent's gateway."""
    failed_over: bool = False
    """Whether the database has just failed over, and may lack what was done last."""
    locks: Locks | None = None
    """With them the limits of people hold in all processes together."""
    post_acks: PostAcks = field(default_factory=PostAcks)
    reader: DocumentReader = field(default_factory=DocumentReader)
    budget: WriteBudget = field(default_factory=WriteBudget)

    async def run(self) -> None:
        """Listen and answer, and post notices, until cancelled; neither waits for the other's token."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer(), name="answer mentions")
            if self.notices:
                group.create_task(self._post_notices(self.notices), name="post notices")
                group.create_task(self._hint_at_bot(self.notices), name="hint at the bot")

    async def _answer(self) -> None:
        if self.failed_over:
            # Other processes may still be posting answers to questions that the new primary does not know.
            await asyncio.sleep(SURE)
        user = await self._identify(self.bot, BOT_TOKEN)
        poster = await self._poster(self.bot, user)
        inbox, pool = self.worker.inbox, self.worker.inbox.pool
        me = Bot(user.id, user.username, self.account.channel)
        socket = self.state.socket = self._socket(me)
        intake = Intake(
            inbox,
            Mappings(pool),
            me,
            self.account.policy,
            lambda: self.state.notice_account,
            is_admin=self.is_admin,
            locks=self.locks,
        )
        catch_up = CatchUp(self.bot, Positions(pool), intake, me.agent_channel)
        await retry_until_available("begin", catch_up.begin)
        posts = ChannelPosts(Teams(pool), poster)
        check = conversation_check(self.bot, pool, self.roster_reader)
        messages = AgentMessages(posts, check, inbox, self.image_hosts)

        def answer_as(username: str) -> None:
            """Answer under this name of the account from now on."""
            self.state.bot_account = username
            hints = Hints(Remarker(poster, inbox), self._hint_texts())
            mentions = self._mentions(poster, socket, username)
            welcomes = Welcomes(posts, inbox, self.account.channel, mentions.commands.help_text)
            self.worker.register(bot_handlers(mentions, self._direct(mentions), hints, messages, welcomes))
            if self.control:
                self.worker.register(self._agent_questions(self.control, poster, username))

        tampering = Tampering(RepairRequests(pool))
        interventions = Interventions(self.signals.stops, Repeats(pool), intake, self.bot)
        async with socket:
            answer_as(me.username)
            self.worker.register(self._approvals(poster))
            self.worker.register(self._budgets(poster))
            if not self.notices:
                self.worker.register(notice_handlers(self._notices(posts)))
            await Listener(
                socket,
                intake,
                catch_up,
                self.post_acks,
                self.metrics,
                answer_as,
                tampering,
                Hearing(catch_up),
                interventions=interventions,
                ratings=Ratings(Feedback(pool), self.bot),
                approvals=ReactionsToApprovals(Approvals(pool), inbox, self.bot),
            ).run()

    def _mentions(self, poster: Poster, socket: Socket, username: str) -> Mentions:
        inbox, pool = self.worker.inbox, self.worker.inbox.pool
        answers, speakers = Answers(pool), Speakers(self.bot)
        attachments = Attachments(Remarker(poster, inbox), self.reader, self.metrics, self.files)
        return Mentions(
            inbox,
            poster,
            Questions(self.bot, answers, speakers, poster.me, username, self.agent.remembers, attachments),
            Asking(
                self.agent,
                poster,
                answers,
                AgentHabits(pool),
                self.signals,
                self.metrics,
                self.image_hosts,
                stream=self.stream,
                prices=self.prices,
                server=self.server,
            ),
            self.signals.stops,
            Signs(self.bot, poster.me, socket.typing),
            self.metrics,
            self._commands(poster, username),
            BudgetGate(self.budgets, inbox),
            answered_until=time.time_ns() // 1_000_000 + (AHEAD if self.failed_over else 0),
            control=self.control,
        )

    def _approvals(self, poster: Poster) -> Mapping[JobKind, Handler]:
        desk, inbox = self.desk, self.worker.inbox
        posts = ApprovalPosts(desk, Buttons(inbox.pool), poster, self.ways)
        decisions = ApprovalDecisions(desk.approvals, inbox, self.control) if self.control else None
        reminders = ApprovalReminders(posts, self._administrators())
        return approval_handlers(posts, decisions, reminders, ApprovalReactions(desk))

    def _budgets(self, poster: Poster) -> Mapping[JobKind, Handler]:
        notes = DirectNotes(poster, self.worker.inbox)
        return budget_handlers(BudgetWarnings(notes, self._administrators(), self.ways.page))

    def _administrators(self) -> Administrators | None:
        directory = self.desk.directory
        return Administrators(directory, Memberships(self.worker.inbox.pool)) if directory else None

    def _agent_questions(
        self, control: AgentControl, poster: Poster, username: str
    ) -> Mapping[JobKind, Handler]:
        inbox, questions = self.worker.inbox, AgentQuestions(self.worker.inbox.pool)
        posts = QuestionPosts(
            questions,
            Buttons(inbox.pool),
            poster,
            inbox,
            self.desk.username,
            control,
            self.ways.callback,
        )
        answers = AgentAnswers(questions, inbox, Remarker(poster, inbox), control, username)
        return agent_question_handlers(posts, answers)

    def _commands(self, poster: Poster, username: str) -> BotCommands:
        inbox = self.worker.inbox
        text = welcome_text(username, self.account.channel, self.account.suggestions)
        return BotCommands(ConversationStarts(inbox.pool), Remarker(poster, inbox), username, text)

    def _direct(self, mentions: Mentions) -> DirectMessages:
        inbox = self.worker.inbox
        check = MemberCheck(Memberships(inbox.pool), self.roster_reader, self.bot.is_in_team)
        return DirectMessages(self.bot, inbox, check, mentions, mentions.commands)

    async def _post_notices(self, api: MattermostApi) -> None:
        poster = await self._poster(api, await self._identify(api, NOTICE_TOKEN))
        inbox = self.worker.inbox
        self.worker.register(notice_handlers(self._notices(ChannelPosts(Teams(inbox.pool), poster))))

    def _notices(self, posts: ChannelPosts) -> Notices:
        return Notices(posts, self.worker.inbox, SettingsOfOrganizations(self.worker.inbox.pool))

    async def _hint_at_bot(self, api: MattermostApi) -> None:
        """Send people who address the notice account to the bot."""
        user = await self._identify(api, NOTICE_TOKEN)
        poster, inbox = await self._poster(api, user), self.worker.inbox
        me = Bot(user.id, user.username, self.account.channel)
        self.state.notice_account = user.username
        if not self.state.bot_account:
            self.state.bot_account = (await self._identify(self.bot, BOT_TOKEN)).username
        hints = Hints(Remarker(poster, inbox), self._hint_texts())
        self.worker.register(notice_hint_handlers(hints))
        interest = Interest("", me.user_id)
        async with Socket(
            self.account.url, self.account.notice_token, interest, api.me, proxies=self.account.proxies
        ) as socket:
            await NoticeListener(
                socket,
                api,
                inbox,
                Mappings(inbox.pool),
                me,
                Tampering(RepairRequests(inbox.pool)),
                NOTICES,
                self._notices_are_called,
            ).run()

    def _notices_are_called(self, username: str) -> None:
        self.state.notice_account = username

    def _hint_texts(self) -> HintTexts:
        return HintTexts(self.account.channel, lambda: self.state.bot_account, self.account.policy)

    async def _poster(self, api: MattermostApi, user: User) -> Poster:
        size = await retry_until_available("max_post_size", api.max_post_size)
        log.info("account", username=user.username, max_post_size=size)
        return Poster(api, user.id, size, self.post_acks, self.budget)

    def _socket(self, me: Bot) -> Socket:
        interest = Interest(me.agent_channel, me.user_id)
        changed = self.metrics.socket_state
        return Socket(
            self.account.url,
            self.account.token,
            interest,
            self.bot.me,
            changed=changed,
            proxies=self.account.proxies,
        )

    async def _identify(self, api: MattermostApi, variable: str) -> User:
        """Return the owner of a token, as soon as the server accepts it."""

        async def identify() -> User:
            try:
                user = await api.me()
            except TokenRefused:
                self._refused(variable)
                raise
            self.state.refused_tokens.discard(variable)
            return user

        return await retry_until_available("identify", identify)

    def _refused(self, variable: str) -> None:
        log.error("token_refused", variable=variable)
        self.state.refused_tokens.add(variable)
        if variable == BOT_TOKEN:
            self.metrics.socket_state("unauthorised")


def make_bot(  # noqa: PLR0913, PLR0917 - the daemon's parts
    settings: Settings,
    clients: Clients,
    worker: Worker,
    metrics: Metrics,
    state: BotState,
    signals: StopSignals,
    control: AgentControl | None = None,
    *,
    roster_reader: RosterReader | None = None,
    failed_over: bool = False,
    held_locks: Locks | None = None,
) -> BotRunner | None:
    """Return the bot; None, and a line in the log, if none is configured."""
    url, token = settings.mattermost_url, settings.mattermost_bot_token
    desk = approval_desk(settings, clients, worker.inbox, metrics)
    if not (url and token and clients.bot and clients.agent and desk):
        log.warning("no_bot", reason="MATTERMOST_BOT_TOKEN is not set: no mention answered, no notice posted")
        return None
    policy, notices = question_policy(settings), settings.mattermost_notice_token
    notice_token = notices.get_secret_value() if notices else ""
    account = Account(
        url,
        token.get_secret_value(),
        settings.agent_channel,
        settings.proxies,
        policy,
        notice_token,
        settings.agent_suggestions,
    )
    return BotRunner(
        account,
        clients.bot,
        clients.notices,
        clients.agent,
        worker,
        metrics,
        state,
        signals,
        desk,
        approval_ways(settings),
        Budgets(worker.inbox.pool, settings.budget or NO_BUDGET),
        AdminCheck(worker.inbox.pool, clients.directory).holds if clients.directory else None,
        image_hosts(settings),
        stream=settings.agent_stream == "on",
        files=settings.agent_files,
        prices=settings.agent_prices or NO_PRICES,
        server=f"{settings.agent_kind} {settings.agent_url} {settings.agent_id}",
        roster_reader=roster_reader,
        failed_over=failed_over,
        locks=held_locks,
        control=control,
    )


def image_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts whose images an answer may show: the chat's own, and those that are allowed."""
    chat = (settings.mattermost_url, settings.mattermost_public_url)
    own = {host for url in chat if url and (host := urlsplit(url).hostname)}
    return frozenset({*own, *settings.agent_image_hosts})
