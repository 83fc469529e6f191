"""The websocket as a stream of events that survives every loss of connection."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import pytest

from bridge.errors import MattermostUnavailable, TokenRefused
from bridge.mattermost.websocket.socket import Connected, Event, Interest, Seen, Socket, State, Timing
from bridge.models.chat import ChannelId, PostId, UserId
from tests.support.mattermost_frames import BOT, event, hello, posted
from tests.support.scripted_websocket import (
    Behaviour,
    Peer,
    Refusal,
    ScriptedWebsocket,
    drops,
    falls_silent,
    hangs_up,
    scripted_websocket,
    talks,
)

QUICK = Timing(
    open=60,
    hello=1,
    ping_every=0.05,
    ping_answer=0.5,
    close=0.3,
    first_delay=0.001,
    longest_delay=0.01,
    unauthorised=0.02,
)
PATIENT = replace(QUICK, hello=60, ping_every=60)
LOST, RESUMED = Connected(lost=True), Connected(lost=False)
NO_SESSION = "api.web_socket_router.not_authenticated.app_error"


@dataclass(slots=True)
class Probe:
    """Stands for `GET /users/me` with the same token."""

    raises: Exception | None = None
    calls: int = 0

    async def __call__(self) -> None:
        self.calls += 1
        if self.raises:
            raise self.raises


@dataclass(slots=True)
class Listening:
    """A socket and everything that it gave."""

    server: ScriptedWebsocket
    probe: Probe = field(default_factory=Probe)
    states: list[State] = field(default_factory=list)

    def socket(self, timing: Timing = PATIENT, capacity: int = 100) -> Socket:
        return Socket(
            self.server.url,
            "secrettoken",
            Interest("agent", UserId(BOT)),
            self.probe,
            changed=self.states.append,
            capacity=capacity,
            timing=timing,
        )


@pytest.fixture
async def server() -> AsyncIterator[ScriptedWebsocket]:
    async with scripted_websocket() as scripted:
        yield scripted


@pytest.fixture
def listening(server: ScriptedWebsocket) -> Listening:
    return Listening(server)


def refused() -> TokenRefused:
    return TokenRefused("Mattermost refused.", http_status=401)


async def take(socket: Socket, number: int) -> list[Event]:
    """Return the next events; a batch is never left half taken."""
    taken: list[Event] = []
    async with asyncio.timeout(60):
        async for batch in socket.batches():
            taken += batch
            if len(taken) >= number:
                break
    return taken


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def messages(events: list[Event]) -> list[str]:
    return [event.posted.post.message for event in events if isinstance(event, Seen)]


async def test_first_connection(listening: Listening, server: ScriptedWebsocket) -> None:
    """It asks for nothing old, tells that events may be missing, and then what happens."""
    server.does(
        talks(
            hello("c1"),
            posted(1, "other"),
            posted(2, message="one"),
            posted(3, "dm", user_id=BOT, message="2"),
        )
    )
    async with listening.socket() as socket:
        events = await take(socket, 3)

    assert events[0] == LOST
    assert messages(events) == ["one", "2"]
    assert (server.peers[0].path, server.peers[0].query) == ("/api/v4/websocket", {})
    assert server.peers[0].authorization == "Bearer secrettoken"


async def test_resume_with_replay(listening: Listening, server: ScriptedWebsocket) -> None:
    """A cut costs nothing: the server sends what was missed, from the number that we expect."""
    server.does(
        drops(hello("c1"), posted(1, message="one"), event("typing", {}, 2)),
        talks(posted(3, message="three")),
    )
    async with listening.socket() as socket:
        events = await take(socket, 4)

    assert events[0::2] == [LOST, RESUMED]
    assert messages(events) == ["one", "three"]
    assert server.peers[1].query == {"connection_id": "c1", "sequence_number": "3"}


async def test_resume_without_anything_missed(listening: Listening, server: ScriptedWebsocket) -> None:
    """No hello and no event: the reply to a ping tells that nothing is missing."""
    server.does(drops(hello("c1")), talks())
    async with listening.socket() as socket:
        assert await take(socket, 2) == [LOST, RESUMED]


async def test_loss_is_told_by_the_hello(listening: Listening, server: ScriptedWebsocket) -> None:
    """A server that could not resume begins anew, and so do the numbers."""
    server.does(
        drops(hello("c1"), event("typing", {}, 1), event("typing", {}, 2)),
        drops(hello("c2"), posted(1, message="one")),
        talks(),
    )
    async with listening.socket() as socket:
        events = await take(socket, 4)

    assert [event for event in events if isinstance(event, Connected)] == [LOST, LOST, RESUMED]
    assert server.peers[2].query == {"connection_id": "c2", "sequence_number": "2"}


async def test_no_resume_before_a_hello(listening: Listening, server: ScriptedWebsocket) -> None:
    """A connection that broke before its hello cannot be resumed without losing events unnoticed."""
    server.does(drops(), talks(hello("c2")))
    async with listening.socket() as socket:
        assert await take(socket, 1) == [LOST]

    assert server.peers[1].query == {}


async def test_gap_is_filled_by_a_resume(listening: Listening, server: ScriptedWebsocket) -> None:
    """What is missing is asked for again before anything after it is believed."""
    server.does(
        talks(hello("c1"), posted(1, message="one"), posted(3, message="three")),
        talks(posted(2, message="two"), posted(3, message="three")),
    )
    async with listening.socket() as socket:
        events = await take(socket, 5)

    assert messages(events) == ["one", "two", "three"]
    assert server.peers[1].query == {"connection_id": "c1", "sequence_number": "2"}


async def test_gap_that_a_resume_does_not_fill(listening: Listening, server: ScriptedWebsocket) -> None:
    """Then the connection is given up, and the loss is told."""
    server.does(talks(hello("c1"), event("typing", {}, 5)), talks(event("typing", {}, 5)), talks(hello("c2")))
    async with listening.socket() as socket:
        await until(lambda: len(server.peers) == 3 and socket.state == "connected")
        events = await take(socket, 1)

    assert events[-1] == LOST
    assert [peer.query.get("sequence_number") for peer in server.peers] == [None, "1", None]


async def test_deaf_connection_is_left(listening: Listening, server: ScriptedWebsocket) -> None:
    """A server that answers no ping is not waited for; nothing is lost by it."""
    server.does(falls_silent(hello("c1"), posted(1, message="one")), talks(posted(2, message="two")))
    began = time.monotonic()
    async with listening.socket(QUICK) as socket:
        events = await take(socket, 4)

    assert messages(events) == ["one", "two"]
    assert time.monotonic() - began < 20
    assert server.peers[1].query == {"connection_id": "c1", "sequence_number": "2"}
    assert listening.probe.calls == 0


async def test_ping_goes_on_while_all_is_well(listening: Listening, server: ScriptedWebsocket) -> None:
    """Pings are numbered and answered, and change nothing."""
    server.does(talks(hello("c1")))
    async with listening.socket(replace(PATIENT, ping_every=0.05, ping_answer=60)) as socket:
        await until(lambda: server.peers and len(server.peers[0].actions) >= 4)
        assert socket.state == "connected"

    assert [action["seq"] for action in server.peers[0].actions[:3]] == [1, 2, 3]
    assert {action["action"] for action in server.peers[0].actions} == {"ping"}
    assert len(server.peers) == 1


async def test_connection_that_never_begins(listening: Listening, server: ScriptedWebsocket) -> None:
    """Neither hello nor reply: the token is looked at, and a good one is tried again."""
    server.does(falls_silent(), talks(hello("c1")))
    async with listening.socket(QUICK) as socket:
        assert await take(socket, 1) == [LOST]

    assert listening.probe.calls == 1
    assert "unauthorised" not in listening.states


async def test_revoked_token(listening: Listening, server: ScriptedWebsocket) -> None:
    """The connection stays open and silent then; only the reply to a ping tells. It comes back by itself."""

    async def revoked(peer: Peer) -> None:
        listening.probe.raises = refused()
        await talks(hello("c1"), error_id=NO_SESSION)(peer)

    server.does(revoked)
    async with listening.socket(replace(PATIENT, ping_every=0.05, ping_answer=60)) as socket:
        await until(lambda: socket.state == "unauthorised")
        server.does(talks(hello("c2")))
        listening.probe.raises = None
        await until(lambda: socket.state == "connected")

    assert listening.states[-3:] == ["unauthorised", "connected", "closed"]


@pytest.mark.parametrize(
    "step", [hangs_up, drops(), falls_silent(), talks(error_id=NO_SESSION), Refusal(401), Refusal(403)]
)
async def test_bad_token(listening: Listening, server: ScriptedWebsocket, step: Behaviour | Refusal) -> None:
    """However the server treats a bad token, the probe finds it; it is tried again slowly."""
    listening.probe.raises = refused()
    server.does(step)
    async with listening.socket(replace(QUICK, hello=0.3)) as socket:
        await until(lambda: server.tried >= 3)
        states = list(listening.states)
        server.does(talks(hello("c1")))
        await until(lambda: socket.state == "connected")

    assert states == ["connecting", "unauthorised"]


@pytest.mark.parametrize("step", [hangs_up, Refusal(401)])
@pytest.mark.parametrize("trouble", [None, MattermostUnavailable("away")])
async def test_good_token_and_bad_network(
    listening: Listening, server: ScriptedWebsocket, step: Behaviour | Refusal, trouble: Exception | None
) -> None:
    """Only a refusal makes a token bad."""
    listening.probe.raises = trouble
    server.does(step, talks(hello("c1")))
    async with listening.socket() as socket:
        assert await take(socket, 1) == [LOST]

    assert listening.states == ["connecting", "disconnected", "connecting", "connected", "closed"]


async def test_probe_that_does_not_answer(listening: Listening, server: ScriptedWebsocket) -> None:
    """A probe is waited for like an opening, and then passes for bad network."""

    async def never() -> None:
        await asyncio.Event().wait()

    server.does(hangs_up, talks(hello("c1")))
    socket = listening.socket(replace(QUICK, open=0.1))
    socket.probe = never
    async with socket:
        assert await take(socket, 1) == [LOST]


@pytest.mark.parametrize("status", [302, 404, 429, 500, 502, 503])
async def test_upgrade_that_is_refused_is_tried_again(
    listening: Listening, server: ScriptedWebsocket, status: int
) -> None:
    """Whatever stands in front of the server may go away."""
    server.does(Refusal(status), talks(hello("c1")))
    async with listening.socket() as socket:
        assert await take(socket, 1) == [LOST]

    assert listening.probe.calls == 0


async def test_upgrade_is_not_tried_before_the_server_allows(
    listening: Listening, server: ScriptedWebsocket
) -> None:
    """Retry-After is honoured."""
    server.does(Refusal(429, (("Retry-After", "0.4"),)), talks(hello("c1")))
    async with listening.socket() as socket:
        await take(socket, 1)

    assert server.peers[1].opened_at - server.peers[0].opened_at >= 0.4


async def test_nobody_there(listening: Listening, server: ScriptedWebsocket) -> None:
    """No server is bad network."""
    socket = listening.socket()
    socket.url = "http://127.0.0.1:1"
    async with socket:
        await until(lambda: listening.states.count("connecting") >= 3)

    assert set(listening.states) == {"connecting", "disconnected", "closed"}
    assert socket.last_frame == 0


@pytest.mark.parametrize("step", [hangs_up, drops(hello("c1"))])
async def test_server_that_accepts_and_hangs_up_is_not_hammered(
    listening: Listening, server: ScriptedWebsocket, step: Behaviour | Refusal
) -> None:
    """A handshake alone is no reason to believe that all is well again."""
    server.does(step)
    async with listening.socket(replace(PATIENT, first_delay=0.01, longest_delay=10)):
        await asyncio.sleep(1)
        tried = server.tried
        await until(lambda: server.tried >= 2)

    assert tried <= 30


async def test_healthy_connection_makes_delays_short_again(
    listening: Listening, server: ScriptedWebsocket
) -> None:
    """One that lasted for long enough ends a row of failures."""
    server.does(drops(hello("c1")))
    async with listening.socket(replace(PATIENT, longest_delay=100, healthy=0)):
        await until(lambda: server.tried >= 20)


async def test_reader_that_nobody_takes_from(listening: Listening, server: ScriptedWebsocket) -> None:
    """It hangs up when its room is full, waits until it is empty, and has the rest replayed."""
    posts = [posted(number, message=str(number)) for number in range(1, 6)]
    server.does(talks(hello("c1"), *posts), talks(*posts[3:]))
    async with listening.socket(capacity=4) as socket:
        await until(lambda: socket.waiting == 4 and socket.state == "disconnected")
        tried = server.tried
        events = await take(socket, 4)
        events += await take(socket, 3)

    assert tried == 1
    assert messages(events) == ["1", "2", "3", "4", "5"]
    assert server.peers[1].query == {"connection_id": "c1", "sequence_number": "4"}


async def test_frame_that_is_too_large(listening: Listening, server: ScriptedWebsocket) -> None:
    """A resume would bring it again: the connection is begun anew, and the loss is told."""
    server.does(talks(hello("c1"), posted(1, message="x" * (16 << 20))), talks(hello("c2")))
    async with listening.socket() as socket:
        assert await take(socket, 2) == [LOST, LOST]

    assert server.peers[1].query == {}


async def test_large_frame(listening: Listening, server: ScriptedWebsocket) -> None:
    """Above the defaults of every library there is a size that the server may well send."""
    server.does(talks(hello("c1"), posted(1, message="x" * (8 << 20))))
    async with listening.socket() as socket:
        events = await take(socket, 2)

    assert len(messages(events)[0]) == 8 << 20


async def test_malformed_frames_are_passed_over(listening: Listening, server: ScriptedWebsocket) -> None:
    """What says nothing usable costs a line in the log."""
    broken = event("posted", {"channel_name": "agent", "post": "{"}, 1)
    server.does(talks(hello("c1"), "no JSON", broken, posted(2, message="two")))
    async with listening.socket() as socket:
        events = await take(socket, 2)

    assert messages(events) == ["two"]
    assert len(server.peers) == 1


async def test_typing(listening: Listening, server: ScriptedWebsocket) -> None:
    """The action is sent on the connection that there is."""
    server.does(talks(hello("c1")))
    async with listening.socket() as socket:
        await take(socket, 1)
        await socket.typing(ChannelId("c" * 26), PostId("p" * 26))
        await until(lambda: len(server.peers[0].actions) == 2)

    typing = server.peers[0].actions[1]
    assert typing == {
        "seq": 2,
        "action": "user_typing",
        "data": {"channel_id": "c" * 26, "parent_id": "p" * 26},
    }


async def test_typing_without_a_connection(listening: Listening, server: ScriptedWebsocket) -> None:
    """Nothing happens: it was only a courtesy."""
    server.does(Refusal(503))
    async with listening.socket() as socket:
        await until(lambda: server.tried)
        await socket.typing(ChannelId("c" * 26), "")


async def test_last_frame_is_remembered(listening: Listening, server: ScriptedWebsocket) -> None:
    """For /readyz and metrics: when the server was last heard."""
    server.does(talks(hello("c1")), Refusal(503))
    began = time.time()
    async with listening.socket() as socket:
        await take(socket, 1)
        during = socket.last_frame
        server.peers[0].cut()
        await until(lambda: socket.state == "disconnected")

    assert began <= during <= socket.last_frame <= time.time()


@pytest.mark.parametrize("step", [talks(hello("c1")), falls_silent(hello("c1"))])
async def test_stop(listening: Listening, server: ScriptedWebsocket, step: Behaviour | Refusal) -> None:
    """The server sees a proper close, the events end, and it is quick."""
    server.does(step)
    async with listening.socket() as socket:
        await take(socket, 1)
        began = time.monotonic()
        await socket.aclose()

        assert [batch async for batch in socket.batches()] == []
    assert time.monotonic() - began < 10
    await server.peers[0].connection.wait_closed()
    assert server.peers[0].connection.close_code == 1000
    assert socket.state == "closed"


async def test_stop_of_a_connection_that_takes_nothing_more(
    listening: Listening, server: ScriptedWebsocket
) -> None:
    """A close that nobody reads is not waited for."""

    async def stops_reading(peer: Peer) -> None:
        await peer.send(hello("c1"))
        peer.connection.transport.pause_reading()
        await peer.connection.wait_closed()

    server.does(stops_reading)
    async with listening.socket(replace(PATIENT, close=0.2)) as socket:
        await take(socket, 1)
        began = time.monotonic()
        await socket.aclose()

    assert time.monotonic() - began < 10
    server.peers[0].cut()


@pytest.mark.parametrize("step", [Refusal(503), hangs_up, falls_silent()])
async def test_stop_while_there_is_no_connection(
    listening: Listening, server: ScriptedWebsocket, step: Behaviour | Refusal
) -> None:
    """Neither a delay nor an opening keeps it."""
    server.does(step)
    async with listening.socket(replace(PATIENT, first_delay=30)) as socket:
        await until(lambda: server.tried)
        began = time.monotonic()
        await socket.aclose()

    assert time.monotonic() - began < 10


async def test_cancelled_owner(listening: Listening, server: ScriptedWebsocket) -> None:
    """Whoever is cancelled while listening leaves a closed socket behind."""
    server.does(talks(hello("c1")))
    socket = listening.socket()

    async def listen() -> None:
        async with socket:
            await take(socket, 100)

    task = asyncio.create_task(listen())
    await until(lambda: socket.state == "connected")
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert socket.state == "closed"


async def test_own_failure_is_not_kept_secret(listening: Listening, server: ScriptedWebsocket) -> None:
    """A mistake of ours ends the events with that error instead of leaving a deaf daemon."""
    server.does(talks(hello("c1")))
    socket = listening.socket()

    def changed(_state: State) -> None:
        raise ZeroDivisionError

    socket.changed = changed
    async with socket:
        with pytest.raises(ZeroDivisionError):
            await take(socket, 1)


async def test_token_is_in_no_log(
    listening: Listening, server: ScriptedWebsocket, caplog: pytest.LogCaptureFixture
) -> None:
    """websockets would write the header at DEBUG."""
    caplog.set_level(logging.DEBUG)
    server.does(drops(hello("c1")), talks(hello("c2")))
    async with listening.socket() as socket:
        await take(socket, 2)
        shown = repr(socket)

    client = [record.getMessage() for record in caplog.records if record.name == "websockets.client"]
    assert not [line for line in (*client, shown) if "secrettoken" in line]
