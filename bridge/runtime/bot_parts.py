"""What the bot and the notice account are made of, and who owns their tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from asyncpg import Pool

from bridge.config import Settings
from bridge.db.budgets import Budgets
from bridge.db.inbox import Inbox
from bridge.db.locks import Locks
from bridge.db.memberships import Memberships
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.db.teams import Teams
from bridge.errors import TokenRefused
from bridge.ingest.post_acks import PostAcks
from bridge.ingest.unanswered import Unanswered
from bridge.metrics import Metrics
from bridge.models.chat import User
from bridge.models.jobs import JobKind
from bridge.outage import retry_until_available
from bridge.ports import Agent, AgentControl, MattermostApi
from bridge.routing import Bot
from bridge.runtime.health import BOT_TOKEN, NOTICE_TOKEN, BotState
from bridge.runtime.job_handlers import notice_handlers
from bridge.runtime.policy import question_policy
from bridge.worker import Handler, Worker
from handlers.answers.stop_signals import StopSignals
from handlers.approvals import ApprovalDesk
from handlers.jobs.hint import Hints, HintTexts
from handlers.jobs.notice import Notices
from handlers.posts.channel_posts import ChannelPosts
from handlers.posts.posting import Poster
from handlers.posts.remarker import Remarker
from handlers.posts.write_budget import WriteBudget
from provisioning.administrators import Administrators
from provisioning.roster_reader import RosterReader

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BotParts:
    """The account that answers and the one that posts notices, and what both need."""

    settings: Settings
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
    budgets: Budgets
    control: AgentControl | None = None
    """The side channel to the agent's gateway."""
    roster_reader: RosterReader | None = None
    """Says who is a member of an organization; None without a service account."""
    failed_over: bool = False
    """Whether the database has just failed over, and may lack what was done last."""
    locks: Locks | None = None
    """With them the limits of people hold in all processes together."""
    post_acks: PostAcks = field(default_factory=PostAcks)
    unanswered: Unanswered = field(default_factory=Unanswered)
    write_budget: WriteBudget = field(default_factory=WriteBudget)

    @property
    def inbox(self) -> Inbox:
        """The job table of this process."""
        return self.worker.inbox

    @property
    def pool(self) -> Pool:
        """The database."""
        return self.worker.inbox.pool

    @property
    def administrators(self) -> Administrators | None:
        """Who has to hear what only administrators can decide; None without a service account."""
        directory = self.desk.directory
        return Administrators(directory, Memberships(self.pool)) if directory else None

    def named(self, user: User) -> Bot:
        """Return an account as routing knows it."""
        return Bot(user.id, user.username, self.settings.agent_channel)

    def address(self, api: MattermostApi) -> tuple[str, str]:
        """Return the server of an account and the account's token."""
        url, settings = self.settings.mattermost_url, self.settings
        token = settings.mattermost_notice_token if api is self.notices else settings.mattermost_bot_token
        assert url
        assert token
        return url, token.get_secret_value()

    def hints(self, poster: Poster) -> Hints:
        """Return what sends people to where the bot answers."""
        policy = question_policy(self.settings)
        texts = HintTexts(self.settings.agent_channel, lambda: self.state.bot_account, policy)
        return Hints(Remarker(poster, self.inbox), texts)

    def notice_handlers(self, posts: ChannelPosts) -> Mapping[JobKind, Handler]:
        """Return the handlers of what either account does: the bot where there is no other."""
        return notice_handlers(Notices(posts, self.inbox, SettingsOfOrganizations(self.pool)))

    def channel_posts(self, poster: Poster) -> ChannelPosts:
        """Return what posts into the channels of organizations."""
        return ChannelPosts(Teams(self.pool), poster)

    async def poster(self, api: MattermostApi, user: User) -> Poster:
        """Return what posts as an account, as soon as the server tells how long a post may be."""
        size = await retry_until_available("max_post_size", api.max_post_size)
        log.info("account", username=user.username, max_post_size=size)
        return Poster(api, user.id, size, self.post_acks, self.write_budget)

    async def identify(self, api: MattermostApi) -> User:
        """Return the owner of an account's token, as soon as the server accepts it."""
        variable = NOTICE_TOKEN if api is self.notices else BOT_TOKEN

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
