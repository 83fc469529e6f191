"""From posts to the inbox: what each one is, in one transaction with the position behind it."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db import locks
from bridge.db.inbox import Inbox
from bridge.ingest.intake import Intake
from bridge.metrics import Metrics
from bridge.models.chat import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job, Mention
from bridge.routing import HOUR, MINUTE, Bot, Facts, Policy
from bridge.worker import Handler, Worker, WorkerConfig
from tests.support.ingesting import positions, stored
from tests.support.mappings import Mappings

ACME = OrganizationId(UUID(int=1))
ADA = PersonId(UUID(int=2))
TEAM, CHANNEL = TeamId("t" * 26), ChannelId("c" * 26)
BOT, WRITER, STRANGER = UserId("b" * 26), UserId("a" * 26), UserId("s" * 26)
ME = Bot(BOT, "equabot", "agent")
NOW = time.time_ns() // 1_000_000


def post(
    name: str,
    message: str = "@equabot hello",
    *,
    root: str = "",
    by: UserId = WRITER,
    at: int = NOW,
    channel: ChannelId = CHANNEL,
    **fields: Any,
) -> Posted:
    return Posted(Post(PostId(name), channel, by, PostId(root), message, at, **fields), TEAM, "agent")


@pytest.fixture
async def intake(pool: Pool) -> Intake:
    """An intake without a worker, so that everything waits."""
    mappings = Mappings(pool)
    await mappings.map_team(ACME, TEAM)
    await mappings.map_person(ADA, WRITER)
    return Intake(Inbox(pool), mappings, ME)


async def test_a_mention_is_stored_with_all_that_its_answer_needs(intake: Intake, pool: Pool) -> None:
    """Organization and person come from the mappings, the rest from the post."""
    assert await intake.store([post("one", "@equabot hello", root="zero")]) == 1

    row = await pool.fetchrow("select kind, lane, organization_id, payload from jobs")
    assert row is not None
    assert (row["kind"], row["lane"], row["organization_id"]) == ("mention", "thread:zero", ACME)
    assert Mention.of(row["payload"]) == Mention(
        PostId("one"), CHANNEL, PostId("zero"), WRITER, ADA, "@equabot hello", NOW
    )


@dataclass
class Held:
    """An inbox that takes nothing in until it may."""

    inbox: Inbox
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may: asyncio.Event = field(default_factory=asyncio.Event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inbox, name)

    async def put_all(self, *what: Any) -> Any:
        self.asked.set()
        await self.may.wait()
        return await self.inbox.put_all(*what)


async def test_what_is_refused_by_a_name_that_changes_meanwhile_is_decided_about_again(
    intake: Intake, pool: Pool
) -> None:
    """The refusal was made before the new name was known, and is stored after that."""
    held = Held(intake.inbox)
    slow = replace(intake, inbox=cast(Any, held))
    asked = post("one", "@newbot hello")
    storing = asyncio.create_task(slow.store([asked]))
    await held.asked.wait()

    await slow.rename("newbot")
    held.may.set()

    assert await storing == 0
    assert await slow.store([asked]) == 1
    assert await stored(pool) == {"one": "waiting"}


async def test_somebody_without_a_mapping_is_to_be_invited(intake: Intake, pool: Pool) -> None:
    assert await intake.store([post("one", by=STRANGER)]) == 1

    assert await pool.fetchval("select kind from jobs") == "invite"


async def test_a_follow_up_in_the_batch_of_its_root_is_answered(intake: Intake, pool: Pool) -> None:
    """The thread is the bot's from the mention on, although nothing of it is stored yet."""
    batch = [post("root"), post("reply", "and then?", root="root"), post("other", "and then?", root="else")]

    assert await intake.store(batch) == 2

    assert await stored(pool) == {"root": "waiting", "reply": "waiting", "other": "not_mentioned"}


async def test_a_follow_up_that_comes_later_is_answered(intake: Intake, pool: Pool) -> None:
    await intake.store([post("root")])

    assert await intake.store([post("reply", "and then?", root="root")]) == 1


@pytest.mark.parametrize(
    "first", [post("root", "hello"), post("root", by=STRANGER)], ids=["chatter", "invite"]
)
async def test_a_thread_that_the_bot_does_not_answer_in_stays_alone(
    intake: Intake, pool: Pool, first: Posted
) -> None:
    """Neither something that was refused nor an invitation makes a thread the bot's."""
    await intake.store([first, post("reply", "and then?", root="root")])

    assert (await stored(pool))["reply"] == "not_mentioned"


async def test_a_refusal_is_stored_with_its_reason_and_without_the_text(intake: Intake, pool: Pool) -> None:
    """It is no new job, `why` can tell it, and nothing that people said to each other is kept."""
    assert await intake.store([post("one", "a secret between people")]) == 0

    row = await pool.fetchrow("select state, reason, payload, finished from jobs")
    assert row is not None
    assert (row["state"], row["reason"]) == ("refused", "not_mentioned")
    assert row["payload"] == {"user_id": WRITER, "create_at": NOW}
    assert row["finished"]


@pytest.mark.parametrize(
    "posted",
    [
        post("one", by=BOT),
        post("one", type="system_join_channel"),
        post("one", props={"from_webhook": "true"}),
        post("one", "  "),
    ],
    ids=["own", "system", "webhook", "empty"],
)
async def test_what_can_be_told_at_any_time_is_not_stored(intake: Intake, pool: Pool, posted: Posted) -> None:
    """But it is passed: it need not be read again."""
    assert await intake.store([posted]) == 0

    assert await stored(pool) == {}
    assert await positions(pool) == {CHANNEL: NOW}


@pytest.mark.parametrize(
    "posted", [Posted(post("one").post, "", "agent"), Posted(post("one").post, TEAM, "town-square")]
)
async def test_other_channels_have_no_positions(intake: Intake, pool: Pool, posted: Posted) -> None:
    """They are never read, and behind a position of a renamed channel its posts would be lost."""
    assert await intake.store([posted]) == 0

    assert await stored(pool) == {}
    assert await positions(pool) == {}


async def hints(pool: Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch(
        "select payload ->> 'hint' as hint, payload ->> 'post_id' as post from jobs where kind = 'hint'"
        " order by id"
    )
    return [(row["hint"], row["post"]) for row in rows]


async def test_who_asks_elsewhere_hears_once_a_day_where_the_bot_answers(intake: Intake, pool: Pool) -> None:
    """Each person once, by the day of Mattermost's clock, however often and in how many channels they ask."""
    noon = NOW // (24 * HOUR) * 24 * HOUR

    def elsewhere(name: str, by: UserId = WRITER, at: int = noon) -> Posted:
        return Posted(post(name, by=by, at=at).post, TEAM, f"channel-{name}", mentioned=True)

    await intake.store([elsewhere("one"), elsewhere("two"), elsewhere("three", STRANGER)])
    await intake.store([elsewhere("four", at=noon - 1)])
    await intake.store([elsewhere("one"), elsewhere("five")])

    assert await hints(pool) == [("elsewhere", "one"), ("elsewhere", "three"), ("elsewhere", "four")]
    assert await positions(pool) == {}


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one by one"])
async def test_the_limit_of_a_person(intake: Intake, pool: Pool, *, at_once: bool) -> None:
    """What is too much is refused with its reason; the person hears of it once, others ask on."""
    intake.policy = Policy(at_once=3, an_hour=5)
    start = (NOW // HOUR - 1) * HOUR
    posts = [
        *(post(f"quick {number}", at=start + number) for number in range(5)),
        *(post(f"slow {number}", at=start + (2 + number) * MINUTE) for number in range(4)),
        post("other", by=UserId("o" * 26), at=start + 10 * MINUTE),
        post("later", at=start + 61 * MINUTE),
    ]
    for batch in [posts] if at_once else [[each] for each in posts]:
        await intake.store(batch)
        await intake.store(batch)

    known = await stored(pool)
    refused = {name for name, state in known.items() if state == "too_many_questions"}
    assert refused == {"quick 3", "quick 4", "slow 2", "slow 3"}
    assert await hints(pool) == [("limit", "quick 3")]
    audited = await pool.fetch("select outcome, person_id, user_id, role, subject from audit order by id")
    assert {row["subject"] for row in audited} == {f"post:{name}" for name in refused}
    assert {tuple(row)[:4] for row in audited} == {("too_many_questions", ADA, WRITER, "asker")}
    assert not await pool.fetchval("select count(*) from audit where audit::text like '%hello%'")
    used = await pool.fetch("select post_id, person_id, outcome, reason, runs, prompt_tokens from usage")
    assert {tuple(row) for row in used} == {
        (name, ADA, "refused", "too_many_questions", 0, 0) for name in refused
    }


@pytest.mark.parametrize(
    ("message", "audited"), [("@equabot hello", [("left_organization", "none")]), ("hello", [])]
)
async def test_who_has_left_is_refused_and_that_is_audited(
    intake: Intake, pool: Pool, message: str, audited: list[tuple[str, str]]
) -> None:
    """What is not for the bot is nobody's question."""
    await pool.execute("insert into memberships values ($1, $2, 'left')", ACME, ADA)

    await intake.store([post("one", message)])

    assert [tuple(row) for row in await pool.fetch("select outcome, role from audit")] == audited


async def test_an_organization_has_fewer_follow_ups_from_its_next_post_on(intake: Intake, pool: Pool) -> None:
    """Another one has as many as before, and so have questions with a mention."""
    other = OrganizationId(UUID(int=7))
    await pool.execute(
        """insert into organization_settings (organization_id, version, follow_ups)
           values ($1, 1, 'never'), ($2, 1, 'always')""",
        other,
        ACME,
    )
    await intake.store([post("root")])
    await intake.store([post("before", "and then?", root="root")])
    await pool.execute("update organization_settings set follow_ups = 'never'")

    await intake.store([post("after", "and then?", root="root")])
    await intake.store([post("mentioned", root="root")])

    known = await stored(pool)
    assert (known["before"], known["after"], known["mentioned"]) == ("waiting", "follow_ups_off", "waiting")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
async def test_a_limit_is_the_same_for_batches_of_any_size(intake: Intake, pool: Pool, size: int) -> None:
    """What was stored before and what comes in the same batch count together."""
    intake.policy = Policy(at_once=5, an_hour=9)
    posts = [post(f"{number}", at=NOW + number) for number in range(9)]

    for first in range(0, len(posts), size):
        await intake.store(posts[first : first + size])

    known = await stored(pool)
    assert [known[str(number)] for number in range(9)] == ["waiting"] * 5 + ["too_many_questions"] * 4


async def test_two_processes_count_together(intake: Intake, pool: Pool) -> None:
    """Each reads everything; what the other has stored is neither counted twice nor forgotten."""
    intake.policy = Policy(at_once=4, an_hour=100)
    other = Intake(Inbox(pool), intake.mappings, ME, intake.policy)
    posts = [post(f"{number}", at=NOW + number) for number in range(8)]

    await intake.store(posts[:3])
    await asyncio.gather(other.store(posts), intake.store(posts[3:]))

    known = await stored(pool)
    assert [known[str(number)] for number in range(8)] == ["waiting"] * 4 + ["too_many_questions"] * 4


@pytest.mark.parametrize("seed", range(3))
async def test_a_limit_holds_in_all_channels_and_processes(
    intake: Intake, dsn: str, pool: Pool, seed: int
) -> None:
    """Channels are read at the same time, and not in the order in which a person has written in them."""
    rng, policy = random.Random(seed), Policy(at_once=20, an_hour=60)
    posts = [
        post(f"{number}", at=NOW + number * 50, channel=ChannelId(f"c{number % 3}")) for number in range(60)
    ]

    async def read(process: Intake, channel: str) -> None:
        left = [each for each in posts if each.post.channel_id == channel]
        while left:
            count = rng.choice([1, 1, 2, 3, 5])
            await process.store(left[:count])
            left = left[count:]

    async with locks.opened(dsn) as one, locks.opened(dsn) as two:
        processes = [Intake(Inbox(pool), intake.mappings, ME, policy, locks=each) for each in (one, two)]
        await asyncio.gather(*(read(each, f"c{number}") for each in processes for number in range(3)))

    known = await stored(pool)
    assert sorted(known.values()) == ["too_many_questions"] * 40 + ["waiting"] * 20


@dataclass(frozen=True)
class HeldUp(Mappings):
    """Gives no facts about one channel until it may."""

    channel: ChannelId = CHANNEL
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def facts(self, posts: Sequence[Posted], *args: Any, **kwargs: Any) -> list[Facts]:
        if any(posted.post.channel_id == self.channel for posted in posts):
            self.asked.set()
            await self.may_go_on.wait()
        return await super().facts(posts, *args, **kwargs)


async def test_no_channel_waits_for_another_in_which_the_bot_has_written(intake: Intake, pool: Pool) -> None:
    """Its answers are in all of them, and ask nothing."""
    intake.mappings = mappings = HeldUp(pool)
    held = asyncio.create_task(intake.store([post("answer", by=BOT), post("held")]))
    await mappings.asked.wait()

    other = ChannelId("other")
    await intake.store([post("another", by=BOT, channel=other), post("read", by=STRANGER, channel=other)])

    assert set(await stored(pool)) == {"read"}
    mappings.may_go_on.set()
    await held
    assert set(await stored(pool)) == {"held", "read"}


@pytest.mark.parametrize("length", [10, 16_000], ids=["short", "floods"])
async def test_channels_that_are_read_at_once_are_stored_each_from_its_own_beginning(
    intake: Intake, pool: Pool, length: int
) -> None:
    """And each hears how many jobs are new in it, whatever is read beside it."""

    def read(number: int) -> list[Posted]:
        channel, text = ChannelId(f"c{number}"), f"@equabot hello{'.' * length}"
        return [post(f"{number}-{n}", text, channel=channel, at=NOW - n) for n in range(5, -1, -1)]

    intake.policy = Policy(at_once=999, an_hour=999)
    found = await asyncio.gather(*(intake.store_read(read(number), NOW - number) for number in range(20)))
    again = await asyncio.gather(*(intake.store_read(read(number), NOW - number) for number in range(20)))

    assert found == [min(number, 5) + 1 for number in range(20)]
    assert again == [0] * 20
    known = await stored(pool)
    assert all(
        (f"{number}-{n}" in known and known[f"{number}-{n}"] == "waiting") == (n <= number)
        for number in range(20)
        for n in range(6)
    )
    rows = await pool.fetch("select channel_id, begin_at from positions")
    begins = {row["channel_id"]: row["begin_at"] for row in rows}
    assert begins == {f"c{number}": NOW - number for number in range(20)}


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one by one"])
async def test_a_thread_in_which_others_write(intake: Intake, pool: Pool, *, at_once: bool) -> None:
    """Alone a person goes on without a mention; once somebody else writes, only mentions count."""
    posts = [
        post("root"),
        post("alone", "and now?", root="root", at=NOW + 1),
        post("joins", "I know that", root="root", by=STRANGER, at=NOW + 2),
        post("together", "really?", root="root", at=NOW + 3),
        post("mention", "@equabot really?", root="root", at=NOW + 4),
    ]
    for batch in [posts] if at_once else [[each] for each in posts]:
        await intake.store(batch)

    known = dict(await stored(pool))
    assert known.pop("joins") in {"others_write_there", "author_not_mapped"}
    assert known == {
        "root": "waiting",
        "alone": "waiting",
        "together": "others_write_there",
        "mention": "waiting",
    }


async def test_somebody_elses_root_is_no_thread_of_ones_own(intake: Intake, pool: Pool) -> None:
    """Who began the thread has written in it, whether or not they spoke to the bot."""
    posts = [
        post("root", "look at this", by=STRANGER),
        post("asked", root="root", at=NOW + 1),
        post("on", "and now?", root="root", at=NOW + 2),
    ]
    for each in posts:
        await intake.store([each])

    assert (await stored(pool))["on"] == "others_write_there"


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one by one"])
async def test_stop_listening(intake: Intake, pool: Pool, *, at_once: bool) -> None:
    """It ends the listening in that thread alone, for good; a mention is answered all the same."""
    posts = [
        post("root"),
        post("stop", "@equabot stop listening", root="root", at=NOW + 1),
        post("on", "and now?", root="root", at=NOW + 2),
        post("mention", root="root", at=NOW + 3),
        post("on again", "and now?", root="root", at=NOW + 4),
        post("other root", at=NOW + 5),
        post("elsewhere", "and now?", root="other root", at=NOW + 6),
    ]
    for batch in [posts] if at_once else [[each] for each in posts]:
        await intake.store(batch)

    assert await stored(pool) == {
        "root": "waiting",
        "stop": "stop_listening",
        "on": "stopped_listening",
        "mention": "waiting",
        "on again": "stopped_listening",
        "other root": "waiting",
        "elsewhere": "waiting",
    }
    assert await hints(pool) == [("stopped", "stop")]


async def test_history_is_passed_and_not_considered(intake: Intake, pool: Pool) -> None:
    """What was posted before the bridge began to listen is neither answered nor stored."""
    await intake.store([post("old", at=NOW - 2), post("new", at=NOW - 1)], begin_at=NOW - 1)

    assert await stored(pool) == {"new": "waiting"}


async def test_what_is_older_than_a_day_is_refused(intake: Intake, pool: Pool) -> None:
    """By our own clock, at the moment when it is read."""
    day, now = 24 * 60 * 60 * 1000, time.time_ns() // 1_000_000
    await intake.store([post("old", at=now - day - 1), post("young", at=now - day + 60_000)])

    assert await stored(pool) == {"old": "too_old", "young": "waiting"}


async def test_each_channel_moves_to_its_newest_post(intake: Intake, pool: Pool) -> None:
    """Whatever the order in which they come: posts of two channels, one of them late."""
    other = ChannelId("d" * 26)
    batch = [
        post("1", at=NOW - 5),
        post("2", at=NOW),
        post("3", at=NOW - 9, channel=other),
        post("4", at=NOW - 1),
    ]

    await intake.store(batch)

    assert await positions(pool) == {CHANNEL: NOW, other: NOW - 9}


async def test_a_post_from_the_future_moves_no_position(intake: Intake, pool: Pool) -> None:
    """It is answered; but behind its position nothing would be read until that time has come."""
    now = time.time_ns() // 1_000_000
    slightly, far = post("2", at=now + 30_000), post("3", at=now + 3_600_000)

    await intake.store([post("1"), slightly, far])

    assert set((await stored(pool)).values()) == {"waiting"}
    assert await positions(pool) == {CHANNEL: now + 30_000}


async def test_where_something_is_unread_only_jobs_are_stored(intake: Intake, pool: Pool) -> None:
    """No position moves, and what is refused now may be something else once the rest was read."""
    follow_up, chatter = post("2", "and then?", root="missed"), post("3", "hello everybody")

    assert await intake.store([post("1"), follow_up, chatter], incomplete=True) == 1

    assert await stored(pool) == {"1": "waiting"}
    assert await positions(pool) == {}


async def test_what_is_stored_already_is_no_new_job(intake: Intake) -> None:
    """A post that comes twice, delivered and while catching up, counts once."""
    assert await intake.store([post("one"), post("two")]) == 2
    assert await intake.store([post("two"), post("three")]) == 1


async def test_one_post_twice_in_a_batch_is_one_job(intake: Intake, pool: Pool) -> None:
    """Mattermost may deliver an event twice."""
    assert await intake.store([post("one"), post("one")]) == 1

    assert await pool.fetchval("select count(*) from jobs") == 1


async def test_the_worker_is_woken_for_what_waits_and_for_nothing_else(
    intake: Intake, worker: Worker
) -> None:
    intake.inbox.runner = worker
    await intake.store([post("one", "hello everybody")])
    assert not worker.wakeup.is_set()

    await intake.store([post("two")])
    assert worker.wakeup.is_set()


class Kept:
    """A handler that keeps its job until its barrier opens."""

    def __init__(self) -> None:
        self.began: asyncio.Queue[str] = asyncio.Queue()
        self.barrier = asyncio.Event()

    async def __call__(self, job: Job) -> Mapping[str, Any]:
        self.began.put_nowait(job.payload["post_id"])
        await self.barrier.wait()
        return {}


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def worker(intake: Intake, kept: Kept) -> Worker:
    """The worker of an intake: it has eight slots, and looks for jobs by itself only after an hour."""
    config = WorkerConfig(slots=8, claim=8, poll=3600, renew=5, stop=5)
    return Worker(intake.inbox, {"mention": Handler(kept)}, Metrics(), asyncio.Event(), config)


@pytest.fixture
def busy(intake: Intake, worker: Worker) -> Intake:
    return intake


@pytest.fixture
async def stop(worker: Worker) -> AsyncIterator[asyncio.Event]:
    """The worker runs until this is set."""
    event = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(event))
        while not worker.capacity().limit:
            await asyncio.sleep(0)
        yield event
        event.set()


async def test_what_can_begin_at_once_does(busy: Intake, kept: Kept, pool: Pool, stop: asyncio.Event) -> None:
    """Nobody waits, so it is claimed while it is stored; the second of its thread waits for it."""
    await busy.store([post("root"), post("reply", "and then?", root="root")])

    assert await kept.began.get() == "root"
    assert await stored(pool) == {"root": "running", "reply": "waiting"}
    kept.barrier.set()


async def test_nothing_overtakes_what_waits(busy: Intake, kept: Kept, stop: asyncio.Event) -> None:
    """While a job of another process waits to be claimed, what comes is put behind it."""
    waiting = Entry("mention", "thread:before", ACME, "post:before", {"post_id": "before"})
    await Inbox(busy.inbox.pool).put_all([waiting])

    await busy.store([post("after")])

    kept.barrier.set()
    assert [await kept.began.get(), await kept.began.get()] == ["before", "after"]
