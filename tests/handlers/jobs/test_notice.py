"""A notice is posted into its channel, once and in order."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Pool
from cachetools import TTLCache

from bridge.clock import boot_time
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.db.teams import Teams
from bridge.errors import ChannelNotUsable, LeaseLost, MattermostRefused, MattermostUnavailable, TeamNotMapped
from bridge.events.cloudevents import EITHER
from bridge.events.plan import jobs_for
from bridge.events.read import read
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.metrics import Metrics
from bridge.models.chat import ChannelId, TeamId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from bridge.sandbox.mattermost import Channel, Post, RestFault, Server, Store, Team, User
from bridge.sandbox.mattermost.channels import archive_channel, patch_channel
from bridge.worker import Handler, Worker, WorkerConfig
from handlers.jobs.notice import Notices
from handlers.posts.channel_posts import ChannelPosts
from handlers.posts.parts import MARK
from handlers.posts.posting import Poster
from tests.support.mappings import Mappings
from tests.support.mattermost import eventually, running_mattermost
from tests.support.platform_events import ACME, DATA, encoded, event

ORGANIZATION = OrganizationId(UUID(ACME))
ONCE = RetryPolicy(tries=1)
EVERYWHERE = "system_user system_post_all"


@dataclass(frozen=True, slots=True)
class Chat:
    """A team with its channels, and the account that posts notices: in the team, in none of the channels."""

    server: Server
    team: Team
    announcements: Channel
    bot: User
    ada: User
    asked: list[str] = field(default_factory=list)
    """Endpoints that the account of the notices has asked, in order."""

    @property
    def store(self) -> Store:
        return self.server.store

    def notices(self, channel: Channel | None = None) -> list[Post]:
        """The notices in the channel, oldest first."""
        posts = self.store.posts_in(channel or self.announcements)
        return [post for post in posts if post.user_id == self.bot.id]

    def messages(self) -> list[str]:
        return [post.message for post in self.notices()]

    def joined(self) -> bool:
        return self.store.member_of_channel(self.announcements.id, self.bot.id)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with running_mattermost() as server:
        store = server.store
        bot, ada = store.create_bot("equa-admin-bot", "Equa Platform"), store.create_user("ada")
        team = store.create_team("acme", "Acme Corp", members=[bot, ada])
        for name in ("cap-table", "documents"):
            store.create_channel(team, name, members=[ada])
        announcements = store.create_channel(team, "announcements", members=[ada])
        yield Chat(server, team, announcements, bot, ada)


@pytest.fixture
async def notices(chat: Chat, pool: Pool, inbox: Inbox) -> AsyncIterator[Notices]:
    token = chat.store.create_token(chat.bot).token
    async with client_session() as session:
        transport = Transport(
            session, chat.server.url, token, lambda endpoint, *_: chat.asked.append(endpoint), ONCE
        )
        api = RestMattermost(transport, creating=ONCE)
        poster = Poster(api, UserId(chat.bot.id), 16_383, PostAcks())
        posts = ChannelPosts(Teams(pool), poster, TTLCache(10, inf))
        yield Notices(posts, inbox, SettingsOfOrganizations(pool))


@pytest.fixture
async def mapped(chat: Chat, pool: Pool) -> None:
    await Mappings(pool).map_team(ORGANIZATION, TeamId(chat.team.id), chat.team.name)


@pytest.fixture
def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


async def accept(inbox: Inbox, *bodies: dict[str, Any]) -> None:
    """Store them as the route does."""
    now = datetime.now(UTC)
    found = read(encoded(list(bodies)), EITHER)
    await inbox.put_all([entry for each in found for entry in jobs_for(each, now)])


async def claimed(inbox: Inbox, body: dict[str, Any] | None = None) -> Job:
    """Store an event and take its notice into hand."""
    await accept(inbox, body or event())
    return next(job for job in await inbox.claim(Capacity(10)) if job.kind == "notice")


async def taken_over(notices: Notices, pool: Pool) -> tuple[Notices, Job]:
    """Another process with the same job, after the first has died with it or seems to have."""
    await pool.execute("update jobs set lease = now() - interval '1 s' where state = 'running'")
    other = Inbox(pool)
    await other.release_expired()
    (job,) = await other.claim(Capacity(1))
    return replace(notices, inbox=other), job


async def posted_again(notices: Notices, pool: Pool) -> Mapping[str, Any]:
    """Do the job once more, in another process."""
    other, job = await taken_over(notices, pool)
    return await other.post(job)


@asynccontextmanager
async def working(notices: Notices, inbox: Inbox) -> AsyncIterator[asyncio.Event]:
    """A worker that does notices; yields what wakes it."""
    stop, wakeup = asyncio.Event(), asyncio.Event()
    config = WorkerConfig(slots=50, claim=20, poll=0.05, renew=1, stop=5)
    worker = Worker(inbox, {"notice": Handler(notices.post)}, Metrics(), wakeup, config)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        yield wakeup
        stop.set()


async def reason(pool: Pool) -> str:
    """Why the job waits, as soon as it does."""
    async with asyncio.timeout(60):
        while True:
            found = await pool.fetchval("select reason from jobs where state = 'waiting' and attempts > 0")
            if found:
                return str(found)
            await asyncio.sleep(0.01)


async def test_a_notice_stands_in_its_channel(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """Its sentence is the message, so that search finds it; the attachment shows the rest."""
    result = await notices.post(await claimed(inbox))

    (post,) = chat.notices()
    assert result == {"posts": [post.id]}
    assert (post.message, post.root_id) == ("Annual meeting", "")
    (attachment,) = post.props["attachments"]
    assert attachment["title"] == "Announcement"
    assert attachment["footer"] == "Equa · 22 November 2026, 14:05 UTC"


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("cc.equa.shares.issued", "cap-table"),
        ("cc.equa.shares.transferred", "cap-table"),
        ("cc.equa.document.uploaded", "documents"),
        ("cc.equa.member.added", "town-square"),
        ("cc.equa.member.removed", "town-square"),
    ],
)
async def test_each_type_goes_to_its_channel(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None, *, name: str, channel: str
) -> None:
    """And nowhere else."""
    await notices.post(await claimed(inbox, event(name)))

    assert len(chat.notices(chat.store.channel(chat.team, channel))) == 1
    assert chat.notices() == []


async def test_an_account_that_may_post_everywhere_joins_nothing(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """With the role system_post_all."""
    chat.bot.roles = EVERYWHERE

    await notices.post(await claimed(inbox))

    assert len(chat.notices()) == 1
    assert not chat.joined()


async def test_another_account_joins_the_channel(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """Once, for this notice and all that follow."""
    first = await claimed(inbox)
    await notices.post(first)
    await inbox.finish(first.id)

    await notices.post(await claimed(inbox, event(number=2)))

    assert chat.joined()
    assert chat.asked.count("/channels/{id}/members") == 1
    assert len(chat.notices()) == 2


async def test_a_notice_is_posted_once_when_its_process_dies_before_the_record(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """The next attempt finds the post by its mark, also when the server has forgotten its pending id."""
    first = await notices.post(await claimed(inbox))
    await chat.server.restart()

    second = await posted_again(notices, pool)

    assert second == first
    assert len(chat.notices()) == 1


async def test_a_notice_whose_answer_was_lost_is_posted_once(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """The post is stored, the connection is cut, and the server forgets the pending id."""
    chat.bot.roles = EVERYWHERE
    chat.server.faults.rest(RestFault(when="after", cut=True, method="POST", path="/posts", times=1))
    with pytest.raises(MattermostUnavailable):
        await notices.post(await claimed(inbox))
    await chat.server.restart()

    result = await posted_again(notices, pool)

    assert result == {"posts": [post.id for post in chat.notices()]}
    assert len(chat.notices()) == 1


async def test_notices_that_come_together_look_once_for_their_channel(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """Nor do they ask whether they have just been claimed."""
    chat.bot.roles = EVERYWHERE
    first = await claimed(inbox)
    await notices.post(first)
    await inbox.finish(first.id)
    chat.asked.clear()

    await notices.post(await claimed(inbox, event(id="another")))

    assert chat.asked == ["/posts"]
    assert len(chat.notices()) == 2


async def test_a_channel_that_was_known_is_looked_for_again_after_a_failure(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """It was archived between two notices, and another one has its name now."""
    chat.bot.roles = EVERYWHERE
    first = await claimed(inbox)
    await notices.post(first)
    await inbox.finish(first.id)
    second = await claimed(inbox, event(id="another"))
    patch_channel(chat.store, chat.announcements, {"name": "old-announcements"})
    archive_channel(chat.store, chat.ada, chat.announcements)
    fresh = chat.store.create_channel(chat.team, "announcements", members=[chat.ada])

    with pytest.raises(ChannelNotUsable):
        await notices.post(second)
    await notices.post(replace(second, attempts=2))

    assert len(chat.notices(fresh)) == 1


async def test_two_processes_that_both_have_the_job_post_it_once(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """One of them was slow and has lost its lease without knowing it yet."""
    chat.bot.roles = EVERYWHERE
    job = await claimed(inbox)
    other, same = await taken_over(notices, pool)

    done = await asyncio.gather(notices.post(job), other.post(same), return_exceptions=True)

    assert {"posts": [post.id for post in chat.notices()]} in done
    assert len(chat.notices()) == 1


async def test_a_process_that_stood_still_does_not_post_what_another_has(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """It goes on when the server has forgotten the pending id, and does not know that it lost its lease."""
    job = replace(await claimed(inbox), held_at=boot_time() - 60)
    await posted_again(notices, pool)
    await chat.server.restart()

    with pytest.raises(LeaseLost):
        await notices.post(job)

    assert len(chat.notices()) == 1


async def test_an_earlier_post_is_found_behind_many_others(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """People go on writing between two attempts."""
    await notices.post(await claimed(inbox))
    for number in range(450):
        chat.store.post_as(chat.ada, chat.announcements, f"message {number}")
    await chat.server.restart()

    await posted_again(notices, pool)

    assert len(chat.notices()) == 1


async def test_the_search_ends_at_what_is_too_old(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """A page that reaches back for days is the last that is read."""
    chat.bot.roles = EVERYWHERE
    old = chat.store.now() - int(timedelta(days=3).total_seconds() * 1000)
    for number in range(600):
        chat.store.post_as(chat.ada, chat.announcements, f"message {number}", create_at=old + number)
    await claimed(inbox)

    await posted_again(notices, pool)

    assert chat.asked == ["/teams/{id}/channels/name/{name}", "/channels/{id}/posts", "/posts"]
    assert len(chat.notices()) == 1


async def test_a_mark_that_somebody_copied_silences_nothing(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """Only posts of the own account count."""
    await notices.post(await claimed(inbox))
    (post,) = chat.notices()
    chat.store.post_as(chat.ada, chat.announcements, "ha", props={MARK: post.props[MARK]})
    post.delete_at = chat.store.now()
    await chat.server.restart()

    await posted_again(notices, pool)

    assert len(chat.notices()) == 1


async def test_the_order_of_acceptance_is_kept_while_things_fail(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """Notices of one channel wait for each other, whatever happens to one of them."""
    titled = {number: {**DATA["cc.equa.announcement"], "title": f"Number {number}"} for number in range(12)}
    numbered = [event(number=number, data=data) for number, data in titled.items()]
    chat.server.faults.rest(RestFault(status=503, path="/channels/name/", fraction=0.4, times=4))

    await accept(inbox, *numbered[:6])
    async with working(notices, inbox) as wakeup:
        await accept(inbox, *numbered[6:])
        wakeup.set()
        await eventually(lambda: len(chat.notices()) == 12)

    assert chat.messages() == [f"Number {number}" for number in range(12)]


@pytest.fixture
async def known(chat: Chat, pool: Pool, mapped: None) -> None:
    """The bridge has made the channel and remembers it."""
    await Teams(pool).record_channels(
        ORGANIZATION, {"announcements": (ChannelId(chat.announcements.id), None)}
    )


async def test_a_renamed_channel_is_still_the_one(
    chat: Chat, notices: Notices, inbox: Inbox, known: None
) -> None:
    """Nobody who takes the name gets the notices."""
    patch_channel(chat.store, chat.announcements, {"name": "news"})
    taken = chat.store.create_channel(chat.team, "announcements", members=[chat.ada, chat.bot])

    await notices.post(await claimed(inbox))

    assert len(chat.notices()) == 1
    assert chat.notices(taken) == []
    assert "/teams/{id}/channels/name/{name}" not in chat.asked


async def test_a_known_channel_that_is_archived_is_waited_for(
    chat: Chat, notices: Notices, inbox: Inbox, known: None
) -> None:
    """Whoever has archived it, and whatever has its name now."""
    patch_channel(chat.store, chat.announcements, {"name": "news"})
    archive_channel(chat.store, chat.ada, chat.announcements)
    chat.store.create_channel(chat.team, "announcements", members=[chat.ada, chat.bot])

    with pytest.raises(ChannelNotUsable, match="The channel announcements is archived"):
        await notices.post(await claimed(inbox))


@pytest.mark.parametrize("elsewhere", [True, False], ids=["in another team", "deleted for good"])
async def test_a_known_channel_that_is_not_there_is_looked_for_by_its_name(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None, *, elsewhere: bool
) -> None:
    """No notice goes to another team, not even if the channel was moved there."""
    team = chat.store.create_team("borealis", "Borealis", members=[chat.bot])
    moved = chat.store.create_channel(team, "announcements", members=[chat.bot])
    stored = ChannelId(moved.id if elsewhere else "z" * 26)
    await Teams(pool).record_channels(ORGANIZATION, {"announcements": (stored, None)})

    await notices.post(await claimed(inbox))

    assert len(chat.notices()) == 1
    assert chat.notices(moved) == []


async def test_who_says_in_between_that_there_is_no_channel_is_not_believed(
    chat: Chat, notices: Notices, inbox: Inbox, known: None
) -> None:
    """A 404 without Mattermost's id of an error does not make another channel the one."""
    chat.server.faults.rest(RestFault(status=404, path=f"/channels/{chat.announcements.id}"))

    with pytest.raises((MattermostRefused, MattermostUnavailable)):
        await notices.post(await claimed(inbox))

    assert "/teams/{id}/channels/name/{name}" not in chat.asked


async def test_an_archived_channel_is_waited_for(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """The reason says what the operator can repair; then the notice is posted."""
    chat.announcements.delete_at = chat.store.now()
    await accept(inbox, event())

    async with working(notices, inbox) as wakeup:
        why = await reason(pool)
        chat.announcements.delete_at = 0
        await inbox.wake(ORGANIZATION)
        wakeup.set()
        await eventually(lambda: len(chat.notices()) == 1)

    assert why == (
        "channel_not_usable: The organization's team has no channel announcements: archived or renamed?"
    )


async def test_a_channel_that_is_archived_at_the_last_moment_is_waited_for(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """Between looking and posting."""
    chat.bot.roles = EVERYWHERE
    chat.server.faults.rest(RestFault(delay=0.2, method="POST", path="/posts"))
    posting = asyncio.create_task(notices.post(await claimed(inbox)))
    await eventually(lambda: bool(chat.asked))
    chat.announcements.delete_at = chat.store.now()

    with pytest.raises(ChannelNotUsable, match="The channel announcements is archived"):
        await posting


async def test_without_a_team_a_notice_waits_and_is_posted_when_there_is_one(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool
) -> None:
    """Nobody has opened Messaging yet; once somebody does, the waiting notices are posted in order."""
    await accept(inbox, event(), event("cc.equa.shares.issued", 2), event(number=3))

    async with working(notices, inbox) as wakeup:
        why = await reason(pool)
        await Mappings(pool).map_team(ORGANIZATION, TeamId(chat.team.id))
        await inbox.wake(ORGANIZATION)
        wakeup.set()
        await eventually(lambda: len(chat.notices()) == 2)

    assert why == "team_not_mapped: The organization has no team yet: nobody has opened Messaging there."
    assert len(chat.notices(chat.store.channel(chat.team, "cap-table"))) == 1


async def test_a_type_that_was_muted_meanwhile_is_not_posted(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool, mapped: None
) -> None:
    """A notice may have waited for days."""
    job = await claimed(inbox)
    await pool.execute(
        "insert into organization_settings (organization_id, version, muted_notices) values ($1, 1, $2)",
        ORGANIZATION,
        [job.payload["type"]],
    )

    assert await notices.post(job) == {"skipped": "notice_muted"}
    assert not chat.asked


async def test_without_a_team_mattermost_is_not_asked(
    chat: Chat, notices: Notices, inbox: Inbox, pool: Pool
) -> None:
    """The organization may never have one."""
    await chat.server.stop()

    with pytest.raises(TeamNotMapped):
        await notices.post(await claimed(inbox))


async def test_an_account_outside_of_the_team_is_told(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """Somebody has to put it in."""
    chat.store.leave(chat.team, chat.bot)

    with pytest.raises(ChannelNotUsable, match="may neither post in announcements nor join it"):
        await notices.post(await claimed(inbox))


async def test_other_refusals_stay_what_they_are(
    chat: Chat, notices: Notices, inbox: Inbox, mapped: None
) -> None:
    """They are no matter of waiting for a channel."""
    chat.store.settings.patch({"ServiceSettings": {"MaximumPayloadSizeBytes": 10}})

    with pytest.raises(MattermostRefused, match="413"):
        await notices.post(await claimed(inbox))
