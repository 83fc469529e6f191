"""The bot: identify its account, listen and answer until cancelled; beside it runs the notice account."""

import asyncio
from dataclasses import dataclass

import structlog

from bridge.config import Settings
from bridge.db.approvals import Approvals
from bridge.db.budgets import Budgets
from bridge.db.feedback import Feedback
from bridge.db.locks import Locks
from bridge.db.mappings import Mappings
from bridge.db.positions import Positions
from bridge.db.repairs import RepairRequests
from bridge.db.repeats import Repeats
from bridge.ingest.approvals import ApprovalReactions
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.hearing import Hearing
from bridge.ingest.intake import Intake
from bridge.ingest.interventions import Interventions
from bridge.ingest.listener import Listener
from bridge.ingest.ratings import Ratings
from bridge.ingest.tampering import Tampering
from bridge.mattermost.websocket.socket import Interest, Socket
from bridge.metrics import Metrics
from bridge.models.organization_settings import NO_BUDGET
from bridge.outage import retry_until_available
from bridge.ports import AgentControl
from bridge.routing import Bot
from bridge.runtime.admin_check import AdminCheck
from bridge.runtime.approvals import approval_desk
from bridge.runtime.bot_jobs import BotJobs
from bridge.runtime.bot_parts import BotParts
from bridge.runtime.clients import Clients
from bridge.runtime.health import BotState
from bridge.runtime.notice_account import NoticeAccount
from bridge.runtime.policy import question_policy
from bridge.worker import Worker
from handlers.answers.stop_signals import StopSignals
from handlers.posts.lease_guard import SURE
from provisioning.roster_reader import RosterReader

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BotRunner:
    parts: BotParts

    async def run(self) -> None:
        """Listen and answer, and post notices, until cancelled; neither waits for the other's token."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer(), name="answer mentions")
            if notices := self.parts.notices:
                group.create_task(NoticeAccount(self.parts, notices).run(), name="notice account")

    async def _answer(self) -> None:
        parts = self.parts
        if parts.failed_over:
            # Other processes may still be posting answers to questions that the new primary does not know.
            await asyncio.sleep(SURE)
        user = await parts.identify(parts.bot)
        poster, me = await parts.poster(parts.bot, user), parts.named(user)
        socket = parts.state.socket = self._socket(me)
        intake = self._intake(me)
        catch_up = CatchUp(parts.bot, Positions(parts.pool), intake, me.agent_channel, parts.unanswered)
        await retry_until_available("begin", catch_up.begin)
        jobs = BotJobs(parts, poster, socket)
        async with socket:
            self._answer_as(jobs, me.username)
            parts.worker.register(jobs.nameless())
            await self._listener(socket, intake, catch_up, jobs).run()

    def _socket(self, me: Bot) -> Socket:
        parts = self.parts
        return Socket(
            *parts.address(parts.bot),
            Interest(me.agent_channel, me.user_id),
            parts.bot.me,
            changed=parts.metrics.socket_state,
            proxies=parts.settings.proxies,
        )

    def _intake(self, me: Bot) -> Intake:
        parts = self.parts
        directory = parts.desk.directory
        return Intake(
            parts.inbox,
            Mappings(parts.pool),
            me,
            question_policy(parts.settings),
            lambda: parts.state.notice_account,
            is_admin=AdminCheck(parts.pool, directory).holds if directory else None,
            locks=parts.locks,
        )

    def _listener(self, socket: Socket, intake: Intake, catch_up: CatchUp, jobs: BotJobs) -> Listener:
        parts = self.parts
        repeats = Repeats(parts.pool)
        return Listener(
            socket,
            intake,
            catch_up,
            parts.post_acks,
            parts.metrics,
            lambda username: self._answer_as(jobs, username),
            Tampering(RepairRequests(parts.pool)),
            Hearing(catch_up),
            interventions=Interventions(parts.signals.stops, repeats, intake, parts.bot),
            ratings=Ratings(Feedback(parts.pool), parts.bot),
            approvals=ApprovalReactions(Approvals(parts.pool), parts.inbox, parts.bot),
        )

    def _answer_as(self, jobs: BotJobs, username: str) -> None:
        """Answer under this name of the account from now on."""
        self.parts.state.bot_account = username
        self.parts.worker.register(jobs.called(username))


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
    desk = approval_desk(settings, clients, worker.inbox, metrics)
    if not (settings.mattermost_url and clients.bot and clients.agent and desk):
        log.warning("no_bot", reason="MATTERMOST_BOT_TOKEN is not set: no mention answered, no notice posted")
        return None
    return BotRunner(
        BotParts(
            settings,
            clients.bot,
            clients.notices,
            clients.agent,
            worker,
            metrics,
            state,
            signals,
            desk,
            Budgets(worker.inbox.pool, settings.budget or NO_BUDGET),
            control,
            roster_reader,
            failed_over=failed_over,
            locks=held_locks,
        )
    )
