"""The handlers of mentions, put together as the daemon does."""

from typing import Any, cast

from asyncpg import Pool

from bridge.clock import Clock, boot_time
from bridge.db.agent_habits import AgentHabits
from bridge.db.answers import Answers
from bridge.db.budgets import Budgets
from bridge.db.inbox import Inbox
from bridge.db.stops import Stops
from bridge.documents.reader import DocumentReader
from bridge.metrics import Metrics
from bridge.models.organization_settings import NO_BUDGET, Budget
from bridge.ports import Agent, MattermostApi
from handlers.answers.asking import Asking
from handlers.answers.attachments import Attachments
from handlers.answers.budgets import BudgetGate
from handlers.answers.growth import Rhythm
from handlers.answers.questions import Questions
from handlers.answers.signs import Signs, Typing
from handlers.answers.speakers import Speakers
from handlers.answers.stop_signals import StopSignals
from handlers.jobs.mention import Mentions
from handlers.posts.posting import Poster
from handlers.posts.remarker import Remarker
from tests.support.posting import bot_commands


async def no_typing(_channel: object, _thread: object) -> None:
    """Show nothing."""


def make_mentions(
    pool: Pool,
    *,
    api: object,
    agent: object,
    inbox: Inbox,
    poster: Poster,
    typing: Typing | None = None,
    metrics: Metrics | None = None,
    clock: Clock = boot_time,
    rhythm: Rhythm | None = None,
    remembers: bool | None = None,
    budget: Budget = NO_BUDGET,
) -> Mentions:
    """Return the handlers as one process has them; `api` and `agent` may be fakes."""
    mattermost, client = cast(MattermostApi, api), cast(Agent, agent)
    answers, stops, counted = Answers(pool), Stops(pool), metrics or Metrics()
    known = client.remembers if remembers is None else remembers
    attachments = Attachments(Remarker(poster, inbox), DocumentReader(), counted)
    return Mentions(
        inbox,
        poster,
        Questions(mattermost, answers, Speakers(mattermost), poster.me, "equabot", known, attachments),
        Asking(
            client,
            poster,
            answers,
            AgentHabits(pool),
            StopSignals(stops),
            counted,
            rhythm=rhythm or Rhythm(),
        ),
        stops,
        Signs(mattermost, poster.me, typing or cast(Any, no_typing)),
        counted,
        bot_commands(inbox, poster),
        BudgetGate(Budgets(pool, budget), inbox),
        clock,
    )
