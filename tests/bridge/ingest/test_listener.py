"""The listener: what the socket tells goes into the inbox, and what it missed goes there first."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from bridge.errors import DatabaseUnavailable, MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.ingest.listener import Listener
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.websocket.changes import (
    AccountRenamed,
    Change,
    ChannelChanged,
    ChannelUpdated,
    TeamChanged,
)
from bridge.mattermost.websocket.socket import Changed, Connected, Event, Seen, Socket
from bridge.metrics import Metrics
from bridge.models.chat import Channel, ChannelId, Post, Posted, PostId, TeamId, User, UserId
from bridge.routing import Bot
from tests.support.ingesting import figure

CHANNEL = Channel(ChannelId("c" * 26), TeamId("t" * 26), "agent", "O", 1)
ME = Bot(UserId("b" * 26), "equabot", "agent")

TRANSIENT = [
    DatabaseUnavailable("The database cannot be reached."),
    MattermostUnavailable("Mattermost does not answer."),
    TokenRefused("Mattermost refused.", http_status=401),
    MattermostRefused("Mattermost refused.", http_status=403),
]


def seen(name: str, *, by: str = "a", pending_post_id: str = "") -> Seen:
    post = Post(
        PostId(name), CHANNEL.id, UserId(by * 26), "", "@equabot hello", 1, pending_post_id=pending_post_id
    )
    return Seen(Posted(post, TeamId("t" * 26), "agent"))


@dataclass
class FakeSocket:
    """Gives these batches and ends."""

    script: Sequence[Sequence[Event]]

    last_frame: float = 1_700_000_000

    @property
    def waiting(self) -> int:
        return len(self.script)

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        for batch in self.script:
            yield batch


@dataclass
class Diary:
    """An intake and a catch-up that write down what was done, after failing as told."""

    me: Bot = ME
    called: str = "equabot"
    """What Mattermost calls the account."""
    done: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    @property
    def intake(self) -> "Diary":
        return self

    async def store(self, posts: Sequence[Posted], *, incomplete: bool = False) -> int:
        self._fail()
        self.done.append(" ".join(posted.post.id for posted in posts) + " incomplete" * incomplete)
        return len(posts)

    async def rename(self, username: str) -> None:
        self._fail()
        self.me = replace(self.me, username=username)

    async def channels(self) -> Sequence[Channel]:
        return [CHANNEL]

    async def news(self, heard: Sequence[Channel], now: int, *, resumed: bool) -> Sequence[Channel]:
        self._fail()
        self.done.append("looked again" if resumed else "looked")
        return [] if resumed else heard

    async def account(self) -> User:
        return User(self.me.user_id, self.called)

    async def resolve(self, channel_id: ChannelId) -> Channel | None:
        self._fail()
        self.done.append(f"resolved {channel_id[0]}")
        return CHANNEL if channel_id == CHANNEL.id else None

    async def refresh_hearing(self, channel_id: ChannelId) -> None:
        self._fail()
        self.done.append(f"refreshed {channel_id[0]}")

    async def of_team(self, team_id: TeamId) -> Sequence[Channel]:
        self._fail()
        self.done.append(f"of team {team_id[0]}")
        return [CHANNEL] if team_id == CHANNEL.team_id else []

    async def read(self, channel: Channel) -> tuple[int, int]:
        self._fail()
        self.done.append("read")
        return 7, 3

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass
class Listening:
    """A listener over a script, and what came of it."""

    diary: Diary = field(default_factory=Diary)
    post_acks: PostAcks = field(default_factory=PostAcks)
    metrics: Metrics = field(default_factory=Metrics)
    renamed: list[str] = field(default_factory=list)

    async def to(self, *script: Sequence[Event]) -> list[str]:
        socket, diary = cast(Socket, FakeSocket(script)), cast(Any, self.diary)
        async with asyncio.timeout(60):
            await Listener(socket, diary, diary, self.post_acks, self.metrics, self.renamed.append).run()
        return self.diary.done


@pytest.fixture
def listening() -> Listening:
    return Listening()


async def test_a_batch_is_stored_at_once(listening: Listening) -> None:
    """Posts that arrived together are one write, in their order."""
    assert await listening.to([seen("1"), seen("2")], [seen("3")]) == ["1 2", "3"]


async def test_what_was_missed_comes_first(listening: Listening) -> None:
    """After a loss the catch-up stands between the posts before and those behind it."""
    batch: list[Event] = [seen("1"), Connected(lost=True), seen("2"), seen("3")]

    assert await listening.to(batch) == ["1", "looked", "read", "2 3"]


async def test_a_resume_is_no_proof(listening: Listening) -> None:
    """While its session was ended the connection got nothing, and nothing counted what it did not get."""
    script: list[Event] = [seen("1"), Connected(lost=False), seen("2")]

    assert await listening.to(script) == ["1", "looked again", "2"]


@pytest.mark.parametrize(
    ("change", "done"),
    [
        (ChannelChanged("entered", CHANNEL.id), ["resolved c", "read"]),
        (ChannelChanged("restored", CHANNEL.id), ["refreshed c", "resolved c", "read"]),
        (ChannelChanged("converted", CHANNEL.id), ["resolved c", "read"]),
        (ChannelUpdated(CHANNEL), ["resolved c", "read"]),
        (TeamChanged("entered", TeamId("t" * 26)), ["of team t", "resolved c", "read"]),
        (TeamChanged("restored", TeamId("t" * 26)), ["of team t", "resolved c", "read"]),
        (TeamChanged("entered", TeamId("u" * 26)), ["of team u"]),
        (ChannelChanged("left", CHANNEL.id), []),
        (ChannelChanged("archived", CHANNEL.id), []),
        (TeamChanged("left", TeamId("t" * 26)), []),
        (AccountRenamed("equabot"), []),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_change_opens_a_gap(listening: Listening, change: Change, done: list[str]) -> None:
    """What was posted while the bot could not hear is stored before what comes behind the change."""
    assert await listening.to([seen("1"), Changed(change), seen("2")]) == ["1", *done, "2"]


@pytest.mark.parametrize("event", [Changed(AccountRenamed("newname")), Connected(lost=False)])
async def test_the_bot_follows_its_name(listening: Listening, event: Event) -> None:
    """Renamed while it listens, or while it was away: what comes behind goes by the new name."""
    listening.diary.called = "newname"

    done = await listening.to([event, seen("1")])

    assert done == ["looked", "read", "1"]
    await listening.to([event])
    assert listening.diary.me == Bot(ME.user_id, "newname", "agent")
    assert listening.renamed == ["newname"]


async def test_a_change_elsewhere_holds_nothing_up(listening: Listening) -> None:
    """Only the channel that changed waits until it is known that the bot does not listen in it."""
    change = Changed(ChannelChanged("entered", ChannelId("d" * 26)))

    assert sorted(await listening.to([seen("1"), change, seen("2")])) == ["1", "2", "resolved d"]


@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: type(failure).__name__)
async def test_an_outage_at_a_change_is_waited_out(listening: Listening, failure: Exception) -> None:
    """The position stays before what is missing, however often the channel cannot be looked up."""
    listening.diary.failures += [failure]
    change = Changed(TeamChanged("entered", TeamId("t" * 26)))

    assert await listening.to([change, seen("1")]) == ["of team t", "resolved c", "read", "1"]


async def test_a_catch_up_is_counted(listening: Listening) -> None:
    """With the posts that it has read."""
    await listening.to([Connected(lost=True)])

    figures = listening.metrics.render().decode()
    assert "catch_up_runs_total 1.0" in figures
    assert "catch_up_posts_total 7.0" in figures


async def test_the_socket_is_watched(listening: Listening) -> None:
    """Whenever the figures are asked for: how many events wait, and when it was last heard."""
    await listening.to([], [])

    assert figure(listening.metrics, "socket_queue") == 2
    assert figure(listening.metrics, "socket_last_frame_timestamp_seconds") == 1_700_000_000


async def test_own_posts_confirm_and_are_not_stored(listening: Listening) -> None:
    """Whoever waits for one is told of it; to the inbox they are nothing."""
    with listening.post_acks.expect("mine") as confirmed:
        done = await listening.to([seen("1"), seen("2", by="b", pending_post_id="mine")], [seen("3", by="b")])

        assert confirmed.result().id == "2"
    assert done == ["1"]


@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda failure: type(failure).__name__)
async def test_an_outage_is_waited_out(listening: Listening, failure: Exception) -> None:
    """Nothing is skipped and nothing overtakes, whoever is away."""
    listening.diary.failures += [failure, failure]

    assert await listening.to([Connected(lost=True), seen("1")], [seen("2")]) == ["looked", "read", "1 2"]


async def test_a_store_that_fails_is_repeated_before_anything_else(listening: Listening) -> None:
    listening.diary.failures += [DatabaseUnavailable("away"), DatabaseUnavailable("away")]

    assert await listening.to([seen("1")], [Connected(lost=True), seen("2")]) == ["1", "looked", "read", "2"]


async def test_a_bug_is_not_waited_out(listening: Listening) -> None:
    """Repeating it would hide it for ever."""
    listening.diary.failures.append(ZeroDivisionError())

    with pytest.raises(ExceptionGroup) as raised:
        await listening.to([seen("1")])

    assert raised.group_contains(ZeroDivisionError)
