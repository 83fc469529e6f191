"""What the HTTP handlers are given, under typed keys of the application."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from bridge.db.audit import Audit
from bridge.db.budgets import Budgets
from bridge.db.buttons import Buttons
from bridge.db.locks import Locks
from bridge.db.memberships import Memberships
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.db.sign_ins import Client
from bridge.db.syncs import Syncs
from bridge.db.usage_report import UsageReports
from bridge.metrics import Metrics
from bridge.models.buttons import Button, ButtonPurpose, Press
from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry
from bridge.ports import EquaPlatform, MattermostApi
from handlers.approvals import ApprovalDesk
from handlers.conversations import ConversationCheck
from handlers.http.background_tasks import BackgroundTasks
from handlers.http.crowd import Crowd
from handlers.http.equa_throttle import EquaThrottle
from handlers.http.limits import RateLimiter, TicketLimits, Timeouts
from provisioning.roster_reader import RosterReader
from provisioning.sign_in_provider import SignInProvider
from provisioning.sign_in_service import SignInService


class TeamMappings(Protocol):
    """Which organization a team belongs to."""

    async def organization_of_team(self, team_id: TeamId) -> OrganizationId | None:
        """Return the organization, None if the team has none; raise `DatabaseUnavailable`."""


class JobStore(Protocol):
    """Where jobs wait to be done."""

    async def put_all(self, entries: Sequence[Entry]) -> frozenset[str]:
        """Store the new ones in one transaction; return their `dedupe` keys."""

    async def has(self, dedupe: str) -> bool:
        """Return whether a job of this key is stored."""


@dataclass(frozen=True, slots=True)
class Part:
    """The state of one of the parts that the daemon needs."""

    name: str
    ok: bool
    state: str
    """A word such as `connected` or `token_refused`."""
    required: bool = True
    """Whether the daemon is not ready without it."""
    variable: str | None = None
    """The configuration variable that has to be corrected."""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of all parts."""

    parts: tuple[Part, ...]

    @property
    def ready(self) -> bool:
        """Whether every required part is well."""
        return all(part.ok for part in self.parts if part.required)


@dataclass(frozen=True, slots=True)
class Syncing:
    """What syncs are requested with."""

    syncs: Syncs
    memberships: Memberships
    locks: Locks
    roster_reader: RosterReader | None
    """None without a service account."""


@dataclass(frozen=True, slots=True)
class FileUploads:
    """What files of the agent are taken with."""

    api: MattermostApi
    """As the bot."""
    conversations: ConversationCheck
    inbox: JobStore


@dataclass(frozen=True, slots=True)
class OAuth:
    """The bridge as provider of Mattermost's GitLab sign-in."""

    provider: SignInProvider
    client: Client
    """Mattermost, the only one."""
    secret: str = field(repr=False)


PressTaker = Callable[[Button, Press], Awaitable[str]]
"""Does what a button means; returns a sentence for whoever has pressed it, or nothing."""


@dataclass(frozen=True, slots=True)
class Services:
    """The collaborators of all handlers."""

    mappings: TeamMappings
    inbox: JobStore
    metrics: Metrics
    health: Callable[[], Awaitable[Health]]
    """Looks at all parts within its own deadline, and does not raise."""
    gateway_tokens: tuple[str, ...] = field(default=(), repr=False)
    """Any of them lets a peer in; without one nobody gets in."""
    platform_tokens: tuple[str, ...] = field(default=(), repr=False)
    """Likewise the platform."""
    public_url: str | None = None
    """Mattermost as browsers reach it, `baseUrl` in a session; none while it is not configured."""
    web_origins: tuple[str, ...] = ()
    """Origins of pages that may call and embed us; the first is the web app's."""
    equa: EquaPlatform | None = None
    """None while it is not configured, likewise the following."""
    equa_session: Callable[[str], str] = str
    """Returns those cookies of a Cookie header that may go to Equa; empty when there is none."""
    sign_in_service: SignInService | None = None
    oauth: OAuth | None = None
    """None without `SIGN_IN_SECRET`: a browser is then signed in by its personal access token."""
    syncing: Syncing | None = None
    uploads: FileUploads | None = None
    """None without a bot."""
    organization_settings: SettingsOfOrganizations | None = None
    audit: Audit | None = None
    usage: UsageReports | None = None
    budgets: Budgets | None = None
    buttons: Buttons | None = None
    presses: Mapping[ButtonPurpose, PressTaker] = field(default_factory=dict)
    approvals: ApprovalDesk | None = None
    """None without a bot."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How often, how many at once and how long; the state behind that belongs to this process."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    visits: RateLimiter = field(default_factory=lambda: RateLimiter(burst=10, per_second=0.5))
    """By person: how often they may open Messaging."""
    syncs: RateLimiter = field(default_factory=lambda: RateLimiter(burst=6, per_second=1 / 20))
    """By organization: how often a sync may be requested."""
    presses: RateLimiter = field(default_factory=lambda: RateLimiter(burst=10, per_second=0.5))
    """By account or person: how often they may press a button or decide."""
    bad_presses: RateLimiter = field(default_factory=lambda: RateLimiter(burst=10, per_second=0.5))
    """By account: presses of buttons that there are not. Anybody can make posts with buttons of their own,
    and Mattermost reports all presses from one address."""
    reports: RateLimiter = field(default_factory=lambda: RateLimiter(burst=60, per_second=1))
    """By organization: how often its usage may be summed up."""
    tickets: TicketLimits = field(default_factory=TicketLimits)
    equa: EquaThrottle = field(default_factory=EquaThrottle)
    crowd: Crowd = field(default_factory=Crowd)


SERVICES = web.AppKey("services", Services)

LIMITS = web.AppKey("limits", Limits)

BACKGROUND_TASKS = web.AppKey("background_tasks", BackgroundTasks)
