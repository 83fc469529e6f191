"""Which handler does which kind of job. Each process does those kinds that it is configured for."""

from collections.abc import Mapping

from bridge.metrics import Metrics
from bridge.models.jobs import JobKind
from bridge.runtime.services import Services
from bridge.worker import Handler
from handlers.jobs.agent_answer import AgentAnswers
from handlers.jobs.agent_message import AgentMessages
from handlers.jobs.agent_question import QuestionPosts
from handlers.jobs.approval import ApprovalPosts
from handlers.jobs.approval_decision import ApprovalDecisions
from handlers.jobs.approval_reaction import ApprovalReactions
from handlers.jobs.approval_reminder import ApprovalReminders
from handlers.jobs.budget_warning import BudgetWarnings
from handlers.jobs.direct import DirectMessages
from handlers.jobs.hint import Hints
from handlers.jobs.membership import Memberships, refuse
from handlers.jobs.mention import Mentions
from handlers.jobs.notice import Notices
from handlers.jobs.repair import Repairs
from handlers.jobs.sync import SyncJobs
from handlers.jobs.welcome import Welcomes


def administrator_handlers(services: Services, metrics: Metrics) -> Mapping[JobKind, Handler]:
    """Return the handlers of the kinds that an administrator does."""
    if not (services.provisioner and services.team_sync):
        return {"membership": Handler(refuse), "sync": Handler(refuse)}
    return {
        "membership": Handler(Memberships(services.provisioner, services.roster_reader).apply),
        "sync": Handler(SyncJobs(services.team_sync, services.syncs).run),
        "repair": Handler(Repairs(services.provisioner, metrics).run),
    }


def bot_handlers(
    mentions: Mentions, direct: DirectMessages, hints: Hints, messages: AgentMessages, welcomes: Welcomes
) -> Mapping[JobKind, Handler]:
    """Return the handlers of the kinds that the bot does."""
    return {
        "agent_message": Handler(messages.post),
        "mention": Handler(mentions.answer, mentions.apologize),
        "repeat": Handler(mentions.answer, mentions.apologize),
        "invite": Handler(mentions.invite),
        "direct": Handler(direct.answer, mentions.apologize),
        "hint": Handler(hints.post),
        "welcome": Handler(welcomes.post),
    }


def approval_handlers(
    posts: ApprovalPosts,
    decisions: ApprovalDecisions | None,
    reminders: ApprovalReminders,
    reactions: ApprovalReactions,
) -> Mapping[JobKind, Handler]:
    """Return the handlers of approvals; without a side channel decisions are left to other processes."""
    handlers: dict[JobKind, Handler] = {
        "approval": Handler(posts.ask),
        "approval_ended": Handler(posts.show_end),
        "approval_reminder": Handler(reminders.send),
        "approval_reaction": Handler(reactions.take),
    }
    if decisions:
        handlers["approval_decision"] = Handler(decisions.send, decisions.lost)
    return handlers


def budget_handlers(warnings: BudgetWarnings) -> Mapping[JobKind, Handler]:
    """Return the handlers of budgets."""
    return {"budget_warning": Handler(warnings.send)}


def agent_question_handlers(posts: QuestionPosts, answers: AgentAnswers) -> Mapping[JobKind, Handler]:
    """Return the handlers of questions of the agent; without a side channel other processes do them."""
    return {
        "agent_question": Handler(posts.ask),
        "agent_question_end": Handler(posts.show_end),
        "agent_answer": Handler(answers.hand_over, answers.lost),
    }


def notice_handlers(notices: Notices) -> Mapping[JobKind, Handler]:
    """Return the handlers of the kinds that the notice account does."""
    return {"notice": Handler(notices.post)}


def notice_hint_handlers(hints: Hints) -> Mapping[JobKind, Handler]:
    """Return the handlers of the kinds that an account of its own for notices does beside them."""
    return {"notice_hint": Handler(hints.post)}
