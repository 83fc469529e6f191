"""Catching up: what was posted while nobody listened, over a sandbox Mattermost and PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from asyncpg import Pool

from bridge.db.positions import Positions
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.unanswered import Unanswered
from bridge.mattermost.rest.client import connect
from bridge.models.chat import PostId
from bridge.sandbox import mattermost
from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.posts import delete_post
from bridge.sandbox.mattermost.teams import archive_team
from tests.support.hosts import Company, Hosts
from tests.support.hosts import hosts as built_hosts
from tests.support.ingesting import caught_up, idle_intake, positions, posted, stored

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
LISTING, POSTS = "/users/me/channels", "/channels/{id}/posts"


def now() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Reader:
    """A process that catches up, and the REST calls that it made."""

    hosts: Hosts
    pool: Pool
    catch_up: CatchUp
    asked: list[str] = field(default_factory=list)

    async def begin(self) -> bool:
        return await self.catch_up.begin()

    async def run(self, at: int | None = None) -> tuple[int, int]:
        self.asked.clear()
        return await caught_up(self.catch_up, now() if at is None else at)

    async def mentions(self) -> set[str]:
        """Return the posts that are to be answered."""
        return {post for post, outcome in (await stored(self.pool)).items() if outcome == "waiting"}

    def with_api(self, api: Any) -> CatchUp:
        return replace(self.catch_up, api=api)


@pytest.fixture
async def hosts(dsn: str, pool: Pool) -> AsyncIterator[Hosts]:
    """Hosts whose organizations were founded two days ago, so that there is time for what happens in it."""
    async with built_hosts(dsn, pool, clock_offset=-48 * 3600) as built:
        yield built


@pytest.fixture
async def reader(hosts: Hosts, pool: Pool) -> AsyncIterator[Reader]:
    asked: list[str] = []

    def observe(endpoint: str, *_: object) -> None:
        asked.append(endpoint)

    async with connect(hosts.server.url, hosts.bot_token.token, observe) as api:
        intake = idle_intake(pool, hosts.bot)
        yield Reader(
            hosts, pool, CatchUp(api, Positions(pool), intake, "agent", Unanswered(fresh=3600)), asked
        )


@pytest.fixture
def acme(hosts: Hosts) -> Company:
    return hosts.companies[0]


@pytest.fixture
def borealis(hosts: Hosts) -> Company:
    return hosts.companies[1]


def ask(company: Company, hosts: Hosts, create_at: int, text: str = "@equabot hello") -> mattermost.Post:
    return hosts.store.post_as(company.people[0], company.agent, text, create_at=create_at)


def ids(posts: list[mattermost.Post]) -> set[str]:
    return {post.id for post in posts}


async def read_to_the_end(reader: Reader, company: Company, *, forward: bool = True) -> int:
    """Start an hour ago; `forward`: with a post or two read already, from which to go on."""
    await reader.begin()
    start = now() - 60 * MINUTE
    if forward:
        ask(company, reader.hosts, start - 2 * MINUTE, "a while ago")
        ask(company, reader.hosts, start, "later")
        await reader.run()
        await reader.pool.execute("delete from jobs")
    return start


async def test_the_first_start_ever_begins_now(reader: Reader, hosts: Hosts, acme: Company) -> None:
    """What was there before the first start is history, what comes after it is not."""
    ask(acme, hosts, now() - 1000)
    assert await reader.begin()

    new = ask(acme, hosts, now())
    _, jobs = await reader.run()

    assert jobs == 1
    assert set(await stored(reader.pool)) == {new.id}


async def test_only_the_first_start_begins(reader: Reader, hosts: Hosts, acme: Company) -> None:
    """A second process, and a restart, leave what was posted meanwhile to the catch-up."""
    await reader.begin()
    missed = ask(acme, hosts, now())

    assert not await reader.begin()

    await reader.run()
    assert set(await stored(reader.pool)) == {missed.id}


async def test_history_stays_history_however_often_it_is_read(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """A channel that is read from its end again does not answer what was there before the first start."""
    old = [ask(acme, hosts, now() - 5000 + n) for n in range(3)]
    await reader.begin()
    for _ in range(2):
        ask(acme, hosts, now())
        await reader.run()

    assert not ids(old) & set(await stored(reader.pool))


@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
async def test_many_posts_come_in_several_pages(
    reader: Reader, hosts: Hosts, acme: Company, *, forward: bool
) -> None:
    """450 mentions are all stored, whichever way the channel is read."""
    start = await read_to_the_end(reader, acme, forward=forward)
    posts = [ask(acme, hosts, start + 1 + n) for n in range(450)]

    _, jobs = await reader.run()

    assert jobs == 450
    assert await reader.mentions() == ids(posts)
    assert (await positions(reader.pool))[acme.agent.id] == posts[-1].create_at
    assert reader.asked.count(POSTS) >= 3


@pytest.mark.parametrize("count", [20, 450])
@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
async def test_what_has_no_answer_is_told_by_all_that_comes_later(
    reader: Reader, hosts: Hosts, acme: Company, count: int, *, forward: bool
) -> None:
    """Also where the answer is on a later page than its question."""
    start = await read_to_the_end(reader, acme, forward=forward)
    before = [ask(acme, hosts, start + 1 + n) for n in range(count)]
    hosts.store.post_as(hosts.bot, acme.agent, "an answer", create_at=start + 500)
    after = ask(acme, hosts, start + 501)

    await reader.run()

    has = reader.catch_up.unanswered.has
    assert not any(has(PostId(post.id)) for post in before)
    assert has(PostId(after.id))


@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
@pytest.mark.parametrize("same", range(198, 202))
async def test_posts_of_one_millisecond_at_the_edge_of_a_page_are_all_read(
    reader: Reader, hosts: Hosts, acme: Company, same: int, *, forward: bool
) -> None:
    """`after=` skips the posts of its anchor's own millisecond, wherever a page is cut."""
    start = await read_to_the_end(reader, acme, forward=forward)
    times = [start + 1 + (n if n < same else max(same, n - 5)) for n in range(230)]
    posts = [ask(acme, hosts, each) for each in times]

    await reader.run()

    assert await reader.mentions() == ids(posts)


async def test_what_is_read_twice_is_stored_once(reader: Reader, hosts: Hosts, acme: Company) -> None:
    """Each run overlaps the one before it."""
    await reader.begin()
    ask(acme, hosts, now())

    (_, jobs), (read, new) = await reader.run(), await reader.run()

    assert jobs == 1
    assert read > new == 0


async def test_a_post_that_became_visible_late_is_read(reader: Reader, hosts: Hosts, acme: Company) -> None:
    """A create can take half a minute: its post is then older than what was read before."""
    start = await read_to_the_end(reader, acme)
    ask(acme, hosts, start + 50_000)
    await reader.run()
    late = ask(acme, hosts, start + 15_000)

    await reader.run(at=start + 60_000)

    assert late.id in await reader.mentions()


async def test_a_post_that_became_visible_late_is_read_in_a_busy_channel_too(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """What is read again is a span of time, however many posts were written in it."""
    start = await read_to_the_end(reader, acme)
    for number in range(250):
        ask(acme, hosts, start + 2 * MINUTE + number, "chatter")
    await reader.run()
    late = ask(acme, hosts, start + 2 * MINUTE - 35_000)

    await reader.run(at=start + 3 * MINUTE)

    assert late.id in await reader.mentions()


async def test_a_deleted_anchor_still_tells_the_place(reader: Reader, hosts: Hosts, acme: Company) -> None:
    """Deleted posts keep theirs, so only what is new is read."""
    start = await read_to_the_end(reader, acme)
    for post in list(hosts.store.posts.values()):
        if post.channel_id == acme.agent.id and not post.type:
            delete_post(hosts.store, post)
    new = [ask(acme, hosts, start + 2 * MINUTE + n) for n in range(40)]

    await reader.run()

    assert await reader.mentions() == ids(new)


async def test_an_anchor_that_is_gone_for_good_is_replaced_by_its_time(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """When nobody knows the post any more, the channel is read back from its end to that moment."""
    start = await read_to_the_end(reader, acme)
    for post in list(hosts.store.posts.values()):
        if post.channel_id == acme.agent.id and not post.type:
            delete_post(hosts.store, post)
            del hosts.store.posts[post.id]
    new = [ask(acme, hosts, start + 2 * MINUTE + n) for n in range(250)]

    await reader.run()

    assert await reader.mentions() == ids(new)


async def test_a_quiet_channel_costs_no_call(
    reader: Reader, hosts: Hosts, acme: Company, borealis: Company
) -> None:
    """Nothing is asked about a channel whose last post is stored and minutes old."""
    await reader.begin()
    for company in (acme, borealis):
        ask(company, hosts, now())
    await reader.run()

    await reader.run(at=now() + 11 * MINUTE)
    quiet = list(reader.asked)
    ask(acme, hosts, now() + MINUTE)
    await reader.run(at=now() + 12 * MINUTE)

    assert quiet == [LISTING]
    assert set(reader.asked) == {LISTING, POSTS}


async def test_few_new_posts_cost_one_call(reader: Reader, hosts: Hosts, acme: Company) -> None:
    """However many there were before, and wherever the page cuts them."""
    start = await read_to_the_end(reader, acme)
    for number in range(100):
        ask(acme, hosts, start + number, "chatter")
    ask(acme, hosts, start + 5 * MINUTE, "the last that was read")
    await reader.run()
    new = [ask(acme, hosts, start + 6 * MINUTE + number) for number in range(28)]

    await reader.run()

    assert reader.asked.count(POSTS) == 1
    assert await reader.mentions() == ids(new)


async def test_a_channel_without_anything_new_costs_no_call(reader: Reader) -> None:
    """There is nothing to read where nobody posted since the first start."""
    await reader.begin()
    await reader.run()

    assert reader.asked == [LISTING]


async def test_a_channel_that_appears_later_is_read_from_its_beginning(
    reader: Reader, hosts: Hosts, pool: Pool
) -> None:
    """An organization that comes in while the bridge is away is answered from its first question on."""
    await reader.begin()
    third = await hosts.found(pool, "Cobalt Works")
    posts = [ask(third, hosts, now() - 60 * MINUTE + n) for n in range(3)]

    await reader.run()

    assert await reader.mentions() == ids(posts)


async def test_nothing_older_than_a_day_is_answered(reader: Reader, hosts: Hosts, pool: Pool) -> None:
    """It is refused, and why is kept."""
    await reader.begin()
    third = await hosts.found(pool, "Cobalt Works")
    old = ask(third, hosts, now() - DAY - MINUTE)
    recent = ask(third, hosts, now() - DAY + MINUTE)

    await reader.run()

    assert await stored(reader.pool) == {old.id: "too_old", recent.id: "waiting"}


async def test_a_channel_of_another_name_or_of_a_group_is_not_read(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """Only the channels in which the bot listens are looked at."""
    await reader.begin()
    square = hosts.store.channel(acme.team, "town-square")
    hosts.store.post_as(acme.people[0], square, "@equabot hello")
    group = hosts.store.group(acme.people[0], acme.people[1], hosts.bot)
    hosts.store.post_as(acme.people[0], group, "@equabot hello")

    await reader.run()

    assert reader.asked == [LISTING]


async def test_a_new_direct_channel_is_read_from_its_beginning(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """What somebody wrote to the bot alone while nothing listened is stored, and read once."""
    await reader.begin()
    hosts.clock_offset = 0
    direct = hosts.store.direct(acme.people[0], hosts.bot)
    post = hosts.store.post_as(acme.people[0], direct, "who is on our team?")

    await reader.run()
    await reader.run()

    assert await stored(reader.pool) == {post.id: "waiting"}
    assert (await positions(reader.pool))[direct.id] == post.create_at


async def test_posts_of_one_millisecond_keep_the_order_in_which_they_are_listed(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """Mattermost lists them from the newest back; a choice stays before the question that belongs to it."""
    await reader.begin()
    hosts.clock_offset = 0
    direct = hosts.store.direct(acme.people[0], hosts.bot)
    same = now()
    posts = [hosts.store.post_as(acme.people[0], direct, f"{n}", create_at=same) for n in range(6)]

    await reader.run()

    rows = await reader.pool.fetch("select payload ->> 'post_id' as post_id from jobs order by id")
    assert [row["post_id"] for row in rows] == [post.id for post in posts]


NO = "api.context.permissions.app_error"


@pytest.mark.parametrize(
    ("status", "error_id"),
    [(401, ""), (403, ""), (404, ""), (500, ""), (401, "api.context.session_expired.app_error"), (403, NO)],
)
@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
async def test_a_channel_that_cannot_be_read_is_read_later(  # noqa: PLR0917 - parameters and fixtures
    reader: Reader,
    hosts: Hosts,
    acme: Company,
    borealis: Company,
    status: int,
    error_id: str,
    *,
    forward: bool,
) -> None:
    """Whoever refuses it, and for whatever reason: the others are read, and its position does not move."""
    await read_to_the_end(reader, acme, forward=forward)
    before = await positions(reader.pool)
    path = f"/channels/{acme.agent.id}/posts"
    fault = hosts.server.faults.rest(RestFault(status=status, error_id=error_id, path=path))
    refused, read = ask(acme, hosts, now()), ask(borealis, hosts, now())

    await reader.run()

    assert await reader.mentions() == {read.id}
    assert (await positions(reader.pool))[acme.agent.id] == before[acme.agent.id]

    fault.times = 0
    await reader.run()

    assert await reader.mentions() == {read.id, refused.id}


async def test_a_refused_token_is_not_taken_for_a_deleted_anchor(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """Somebody has to configure another one; nothing is passed over meanwhile."""
    start = await read_to_the_end(reader, acme)
    for number in range(40):
        ask(acme, hosts, start + 2 * MINUTE + number)
    before = await positions(reader.pool)
    session = "api.context.session_expired.app_error"
    # The latest posts are given; who asks for those before the anchor is refused.
    hosts.server.faults.rest(RestFault(path="/posts", times=1))
    hosts.server.faults.rest(RestFault(status=401, error_id=session, path="/posts", times=1))

    await reader.run()

    assert await reader.mentions() == set()
    assert await positions(reader.pool) == before


async def test_an_archived_team_does_not_stop_the_others(
    reader: Reader, hosts: Hosts, acme: Company, borealis: Company
) -> None:
    """Until 11 Mattermost lists the channels of an archived team."""
    await reader.begin()
    ask(acme, hosts, now())
    archive_team(hosts.store, acme.team)
    read = ask(borealis, hosts, now())

    await reader.run()

    assert read.id in await reader.mentions()


@dataclass
class Deleting:
    """The REST interface while somebody deletes the newest posts after each of its calls."""

    api: Any
    hosts: Hosts
    doomed: list[mattermost.Post]

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            answer = await getattr(self.api, name)(*args, **kwargs)
            if name != "my_channels" and self.doomed:
                delete_post(self.hosts.store, self.doomed.pop())
            return answer

        return call


@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
async def test_deleting_posts_while_pages_are_read_hides_no_other(
    reader: Reader, hosts: Hosts, acme: Company, *, forward: bool
) -> None:
    """Pages that move while they are read leave nothing out between two of them."""
    start = await read_to_the_end(reader, acme, forward=forward)
    posts = [ask(acme, hosts, start + 1 + n) for n in range(450)]
    kept, doomed = posts[:440], posts[440:]

    await caught_up(reader.with_api(Deleting(reader.catch_up.api, hosts, doomed)), now())

    assert len(doomed) < 10
    assert ids(kept) <= await reader.mentions()


@dataclass
class Crashing:
    """The REST interface of a process that dies behind its n-th call."""

    api: Any
    left: int
    process: asyncio.Task[object] | None = None
    dead: bool = False

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            answer = await getattr(self.api, name)(*args, **kwargs)
            self.left -= 1
            if self.left == 0:
                await self._die()
            return answer

        return call

    async def _die(self) -> None:
        self.dead = True
        assert self.process
        self.process.cancel()
        await asyncio.Event().wait()


@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
@pytest.mark.parametrize("call", range(1, 6))
async def test_a_crash_in_the_middle_loses_nothing(
    reader: Reader, hosts: Hosts, acme: Company, call: int, *, forward: bool
) -> None:
    """Whichever call a process dies at, the next one stores the rest, and nothing twice."""
    start = await read_to_the_end(reader, acme, forward=forward)
    posts = [ask(acme, hosts, start + 1 + n) for n in range(450)]
    crashing = Crashing(reader.catch_up.api, call)
    dying = crashing.process = asyncio.create_task(caught_up(reader.with_api(crashing), now()))
    await asyncio.wait({dying})
    done = await reader.mentions()

    _, jobs = await reader.run()

    assert crashing.dead
    assert dying.cancelled()
    assert len(done) + jobs == 450
    assert await reader.mentions() == ids(posts)


@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
async def test_a_page_that_is_too_large_is_read_in_parts(
    reader: Reader, hosts: Hosts, acme: Company, *, forward: bool
) -> None:
    """Props of 800,000 characters are allowed, so a few posts are more than is read at once."""
    start = await read_to_the_end(reader, acme, forward=forward)
    props = {"x": "x" * 799_000}
    posts = [
        hosts.store.post_as(
            acme.people[0], acme.agent, "@equabot hello", create_at=start + 1 + n, props=props
        )
        for n in range(12)
    ]

    await reader.run()

    assert await reader.mentions() == ids(posts)
    assert (await positions(reader.pool))[acme.agent.id] == posts[-1].create_at


@pytest.mark.parametrize("delivered", [True, False], ids=["heard", "read"])
async def test_a_post_from_the_future_hides_nothing(
    reader: Reader, hosts: Hosts, acme: Company, *, delivered: bool
) -> None:
    """The server's clock was an hour ahead for a moment; what is posted with the right time is read."""
    start = await read_to_the_end(reader, acme)
    odd = ask(acme, hosts, now() + 60 * MINUTE)
    if delivered:
        await reader.catch_up.intake.store([posted(odd, acme.agent)])
    else:
        await reader.run()
    missed = [ask(acme, hosts, start + n * 10 * MINUTE) for n in range(1, 4)]

    await reader.run()

    assert await reader.mentions() == ids([odd, *missed])
    assert (await positions(reader.pool))[acme.agent.id] == missed[-1].create_at


@pytest.mark.parametrize("forward", [True, False], ids=["from a post on", "from the end back"])
async def test_a_position_from_the_future_is_put_back(
    reader: Reader, hosts: Hosts, acme: Company, *, forward: bool
) -> None:
    """However it came to be stored: the last day is read again, and nothing is answered twice."""
    start = await read_to_the_end(reader, acme, forward=forward)
    known, later = ask(acme, hosts, start + 1), ask(acme, hosts, now() + 60 * MINUTE, "chatter")
    await reader.run()
    await reader.pool.execute(
        "update positions set post_id = $1, create_at = $2 where channel_id = $3",
        later.id,
        later.create_at,
        acme.agent.id,
    )
    missed = ask(acme, hosts, start + 10 * MINUTE)

    _, jobs = await reader.run()

    assert jobs == 1
    assert await reader.mentions() == {known.id, missed.id}
    assert (await positions(reader.pool))[acme.agent.id] == missed.create_at


async def test_a_first_start_with_a_post_from_the_future_begins_now(
    reader: Reader, hosts: Hosts, acme: Company
) -> None:
    """Else nothing would be answered until that time has come."""
    ask(acme, hosts, now() + 60 * MINUTE, "chatter")
    await reader.begin()
    new = ask(acme, hosts, now() + 2 * MINUTE)

    await reader.run(at=now() + 2 * MINUTE)

    assert await reader.mentions() == {new.id}
