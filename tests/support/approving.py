"""Processes through which approvals pass, on hosts with a gateway, without a daemon around them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from asyncpg import Pool

from bridge.agent.control.channel import GatewayControl
from bridge.db.approvals import Approvals
from bridge.db.buttons import Buttons
from bridge.db.conversations import Conversations
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.mappings import Mappings
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.ingest.approvals import ApprovalEvents
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.metrics import Metrics
from bridge.models.approvals import ApprovalRequested, Pending
from bridge.models.buttons import Press
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.equa import Member, OrganizationId, PersonId, Roster
from bridge.models.jobs import Entry, JobKind, Mention
from bridge.models.organization_settings import Bounds
from bridge.sandbox.mattermost import Post
from bridge.worker import Handler
from handlers.approvals import ApprovalDesk
from handlers.jobs.approval import ApprovalPosts, ApprovalWays
from handlers.jobs.approval_decision import ApprovalDecisions
from handlers.posts.posting import Poster
from tests.support.approvals import buttons, mark
from tests.support.control import listening, paying
from tests.support.crashes import Crashes
from tests.support.hosts import Hosts

KINDS: tuple[JobKind, ...] = ("approval", "approval_decision", "approval_ended")
MENTIONS: tuple[JobKind, ...] = ("mention",)
WAYS = ApprovalWays("http://127.0.0.1:9/actions", knows_roles=True, page=lambda _: None, permalink=str)


@dataclass
class Directory:
    """Says who administers an organization, by default everybody, and who is a member of it."""

    admins: frozenset[PersonId] | None = None
    members: frozenset[PersonId] = frozenset()

    async def is_admin(self, _organization: OrganizationId, person: PersonId) -> bool:
        return self.admins is None or person in self.admins

    async def organization_name(self, _organization: OrganizationId) -> str:
        return "Acme Corp"

    async def roster(self, _organization: OrganizationId) -> Roster:
        return Roster(tuple(Member(each, "", "", is_individual=True) for each in self.members))


@dataclass
class Process:
    """The parts of a process that approvals pass through."""

    inbox: Inbox
    events: ApprovalEvents
    desk: ApprovalDesk
    handlers: dict[JobKind, Handler]

    async def work(self) -> None:
        """Do what is to be done about approvals until nothing is left."""
        await self.events.look()
        while jobs := await self.inbox.claim(Capacity(10, kinds=KINDS)):
            for job in jobs:
                await self.inbox.finish(job.id, await self.handlers[job.kind].run(job))


@dataclass
class Scene:
    hosts: Hosts
    pool: Pool
    api: RestMattermost
    control: GatewayControl
    heard: Any
    directory: Directory = field(default_factory=Directory)
    bounds: Bounds = field(default_factory=Bounds)

    def process(self, crashes: Crashes | None = None) -> Process:
        """Return a process; one with crashes dies at one of its calls."""

        def own(part: object) -> Any:
            return crashes.fragile(part) if crashes else part

        pool, metrics = self.pool, Metrics()
        inbox, approvals, api = own(Inbox(pool)), own(Approvals(pool)), own(self.api)
        settings = SettingsOfOrganizations(pool, self.bounds)
        desk = ApprovalDesk(
            approvals, inbox, own(Mappings(pool)), own(settings), metrics, own(self.directory), api
        )
        poster = Poster(api, UserId(self.hosts.bot.id), 16_383, PostAcks())
        posts = ApprovalPosts(desk, own(Buttons(pool)), poster, WAYS)
        decisions = ApprovalDecisions(approvals, inbox, own(self.control))
        handlers: dict[JobKind, Handler] = {
            "approval": Handler(posts.ask),
            "approval_decision": Handler(decisions.send, decisions.lost),
            "approval_ended": Handler(posts.show_end),
        }
        events = ApprovalEvents(approvals, own(Conversations(pool)), inbox, metrics)
        return Process(inbox, events, desk, handlers)

    async def requested(self, question: Post) -> tuple[ApprovalRequested, asyncio.Task[str]]:
        """Let the run of a question ask for an approval; return what is heard, and the run."""
        before = len(self.heard.of(ApprovalRequested))
        run = asyncio.create_task(paying(self.hosts.agent.control, self.key(question)))
        return await self.heard.next(ApprovalRequested, before + 1), run

    def key(self, question: Post) -> str:
        place = f"{self.hosts.companies[0].id}:{question.channel_id}:{question.id}"
        return f"agent:main:mattermost:{place}"

    def approval_post(self, question: Post) -> Post:
        (post,) = (each for each in self.hosts.replies(question) if "approval" in mark(each))
        return post

    async def press(self, process: Process, question: Post, by: int = 1, action: str = "approve") -> str:
        """Press a button if it is there; return what whoever has pressed is shown."""
        post = self.approval_post(question)
        pressed = buttons(post).get(action)
        if pressed is None:
            return "no button"
        button = await Buttons(self.pool).find(pressed["integration"]["context"]["secret"])
        assert button
        user = self.hosts.companies[0].people[by]
        press = Press(UserId(user.id), ChannelId(post.channel_id), PostId(post.id))
        said: str = await cast(Any, process.desk).pressed(button, press)
        return said

    async def person(self, number: int) -> PersonId:
        """Return whom an account of the first company belongs to."""
        found: PersonId = await self.pool.fetchval(
            "select id from mattermost_user_mappings where mattermost_user_id = $1",
            self.hosts.companies[0].people[number].id,
        )
        return found

    async def asked(self) -> Post:
        """Let somebody ask, whose question some process works on."""
        company = self.hosts.companies[0]
        post = self.hosts.ask(company, "@equabot pay 100")
        mention = Mention(
            PostId(post.id),
            ChannelId(post.channel_id),
            PostId(post.id),
            UserId(post.user_id),
            PersonId(UUID(int=2)),
            post.message,
            post.create_at,
        )
        entry = Entry("mention", f"thread:{post.id}", company.id, f"post:{post.id}", mention.payload())
        inbox = Inbox(self.pool)
        await inbox.put_all([entry])
        assert await inbox.claim(Capacity(1, kinds=MENTIONS))
        return post

    async def revived(self) -> Process:
        """Return another process, once the leases of a dead one have run out."""
        await self.pool.execute(
            "update jobs set lease = now() - interval '1 s' where state = 'running' and kind <> 'mention'"
        )
        other = self.process()
        await other.inbox.release_expired()
        return other


@asynccontextmanager
async def approving(hosts: Hosts, pool: Pool) -> AsyncIterator[Scene]:
    async with client_session() as session, listening(hosts.agent_url) as (control, heard):
        await heard.next(Pending)
        api = RestMattermost(Transport(session, hosts.server.url, hosts.bot_token.token, lambda *_: None))
        yield Scene(hosts, pool, api, control, heard)
