"""A process that dies at any await between a request, a press and the end: another does the rest, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.agent.control.channel import GatewayControl
from bridge.db.approvals import Approvals
from bridge.db.buttons import Buttons
from bridge.db.conversations import Conversations
from bridge.db.inbox import Capacity, Inbox
from bridge.db.mappings import Mappings
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.ingest.approvals import ApprovalEvents
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.metrics import Metrics
from bridge.models.approvals import ApprovalRequested
from bridge.models.buttons import Press
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.equa import OrganizationId, PersonId, Roster
from bridge.models.jobs import Entry, JobKind, Mention
from bridge.sandbox.mattermost import Post
from bridge.worker import Handler
from handlers.approvals import ApprovalDesk
from handlers.jobs.approval import ApprovalPosts, ApprovalWays
from handlers.jobs.approval_decision import ApprovalDecisions
from handlers.jobs.posting import Poster
from tests.support.approvals import buttons, mark
from tests.support.control import listening, paying
from tests.support.crashes import Crash, Crashes, When
from tests.support.hosts import Hosts

KINDS: tuple[JobKind, ...] = ("approval", "approval_decision", "approval_ended")
MENTIONS: tuple[JobKind, ...] = ("mention",)
WAYS = ApprovalWays("http://127.0.0.1:9/actions", knows_roles=True, page=lambda _: None, permalink=str)


class Directory:
    """Says of everybody that they administer everything."""

    async def is_admin(self, _organization: OrganizationId, _person: PersonId) -> bool:
        return True

    async def organization_name(self, _organization: OrganizationId) -> str:
        return "Acme Corp"

    async def roster(self, _organization: OrganizationId) -> Roster:
        return Roster(())


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

    def process(self, crashes: Crashes | None = None) -> Process:
        """Return a process; one with crashes dies at one of its calls."""

        def own(part: object) -> Any:
            return crashes.fragile(part) if crashes else part

        pool, metrics = self.pool, Metrics()
        inbox, approvals, api = own(Inbox(pool)), own(Approvals(pool)), own(self.api)
        settings = SettingsOfOrganizations(pool)
        desk = ApprovalDesk(
            approvals, inbox, own(Mappings(pool)), own(settings), metrics, own(Directory()), api
        )
        poster = Poster(api, UserId(self.hosts.bot.id), 16_383, PostAcks())
        posts = ApprovalPosts(desk, own(Buttons(pool)), poster, WAYS)
        decisions = ApprovalDecisions(approvals, inbox, own(self.control))
        handlers: dict[JobKind, Handler] = {
            "approval": Handler(posts.ask),
            "approval_decision": Handler(decisions.send),
            "approval_ended": Handler(posts.show_end),
        }
        events = ApprovalEvents(approvals, own(Conversations(pool)), inbox, metrics)
        return Process(inbox, events, desk, handlers)

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


@pytest.fixture
async def scene(hosts: Hosts, pool: Pool) -> AsyncIterator[Scene]:
    async with client_session() as session, listening(hosts.agent_url) as (control, heard):
        api = RestMattermost(Transport(session, hosts.server.url, hosts.bot_token.token, lambda *_: None))
        yield Scene(hosts, pool, api, control, heard)


async def _approved(scene: Scene, at: int, when: When) -> Crashes:
    """Ask for an approval and give it, in a process that dies, and let others do the rest."""
    question = await scene.asked()
    key = f"agent:main:mattermost:{scene.hosts.companies[0].id}:{question.channel_id}:{question.id}"
    before = len(scene.heard.of(ApprovalRequested))
    run = asyncio.create_task(paying(scene.hosts.agent.control, key))
    requested = await scene.heard.next(ApprovalRequested, before + 1)
    crashes = Crashes(at, when)
    dying = scene.process(crashes)
    with suppress(Crash):
        await dying.events.follow(requested)
        await dying.work()
        await _press(dying, scene, question)
        await dying.work()

    other = await scene.revived()
    # Each connect to the gateway tells again what waits.
    await other.events.follow(requested)
    await other.work()
    await _press(other, scene, question)
    await other.work()

    assert await run == "allow-once", at
    (post,) = (each for each in scene.hosts.replies(question) if "approval" in mark(each))
    assert post.message.startswith("**Approved** by @acme-1, "), at
    assert buttons(post) == {}, at
    return crashes


async def _press(process: Process, scene: Scene, question: Post) -> None:
    """Press "Approve once", if the button is there."""
    (post,) = (each for each in scene.hosts.replies(question) if "approval" in mark(each))
    if pressed := buttons(post).get("approve"):
        button = await Buttons(scene.pool).find(pressed["integration"]["context"]["secret"])
        assert button
        press = Press(
            UserId(scene.hosts.companies[0].people[1].id), ChannelId(post.channel_id), PostId(post.id)
        )
        await cast(Any, process.desk).pressed(button, press)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_await_loses_and_doubles_nothing(scene: Scene, when: When) -> None:
    """One post, one decision at the gateway, one row of the audit, whichever call was the last."""
    at, crashes, calls = 0, None, set[str]()
    while crashes is None or crashes.happened:
        at += 1
        crashes = await _approved(scene, at, when)
        calls.add(crashes.call)

    assert {"add", "put_all", "create_post", "posted", "is_admin", "decide", "resolve_approval"} <= calls
    assert {"settle", "replace_post", "finish"} <= calls
    rows = await scene.pool.fetch(
        "select count(*) as n, count(distinct subject) as subjects from audit where kind = 'approval_decided'"
    )
    assert [tuple(row.values()) for row in rows] == [(at, at)]
