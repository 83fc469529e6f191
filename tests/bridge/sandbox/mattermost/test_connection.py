"""What a connection remembers between two sockets."""

import pytest

from bridge.sandbox.mattermost import Store
from bridge.sandbox.mattermost.connection import DEAD_QUEUE, SEND_QUEUE, Connection, Outgoing
from bridge.sandbox.mattermost.events import Broadcast, Event

TYPING = Event("typing", {}, Broadcast(channel_id="c"))


@pytest.fixture
def connection() -> Connection:
    store = Store()
    return Connection(store, "x" * 26, store.admin.id, store.admin_token)


def write(connection: Connection, count: int) -> list[str]:
    """Let `count` events be written."""
    frames = []
    for _ in range(count):
        connection.put(Outgoing('{"event":"e"', is_event=True))
        frames.append(connection.take() or "")
    return frames


def test_events_are_numbered_and_replies_are_not(connection: Connection) -> None:
    """A reply between two events takes no number."""
    connection.put(Outgoing('{"event":"a"', is_event=True))
    connection.put(Outgoing('{"seq_reply":1}', is_event=False))
    connection.put(Outgoing('{"event":"b"', is_event=True))
    assert [connection.take() for _ in range(3)] == [
        '{"event":"a","seq":0}',
        '{"seq_reply":1}',
        '{"event":"b","seq":1}',
    ]


def test_the_last_128_events_can_be_written_again(connection: Connection) -> None:
    """From any number that is still there, with the same frames."""
    frames = write(connection, DEAD_QUEUE + 10)
    assert connection.replay(10) == frames[10:]
    assert connection.replay(DEAD_QUEUE + 9) == frames[-1:]
    assert connection.replay(9) is None


def test_nothing_is_lost_at_the_next_number(connection: Connection) -> None:
    """The number after the last one replays nothing; one further is a loss."""
    write(connection, 3)
    assert connection.replay(3) == []
    assert connection.replay(4) is None


def test_a_fresh_connection_has_lost_nothing(connection: Connection) -> None:
    """Before anything was written every number will do, as in the real server."""
    assert connection.replay(5) == []
    assert connection.seq == 5


def test_a_lost_event_takes_its_number_and_can_be_replayed(connection: Connection) -> None:
    """It is not written, the number jumps, and a resume brings it."""
    connection.put(Outgoing('{"event":"lost"', is_event=True, lost=True))
    assert connection.take() is None
    assert connection.seq == 1
    assert connection.replay(0) == []
    connection.seq = 1
    write(connection, 1)
    assert connection.replay(1) == ['{"event":"e","seq":1}']


def test_the_queue_is_full_at_256(connection: Connection) -> None:
    """One more is refused."""
    assert all(connection.put(Outgoing("{}", is_event=False)) for _ in range(SEND_QUEUE))
    assert not connection.put(Outgoing("{}", is_event=False))


def test_typing_is_dropped_when_half_of_the_queue_is_full(connection: Connection) -> None:
    """It takes no number then."""
    assert connection.wants(TYPING)
    for _ in range(SEND_QUEUE // 2):
        connection.put(Outgoing("{}", is_event=False))
    assert not connection.wants(TYPING)
    assert connection.wants(Event("posted", {}, Broadcast(channel_id="c")))


def test_typing_elsewhere_is_withheld_from_who_announced_all_places(connection: Connection) -> None:
    """Unless all three places are announced and differ, it comes."""
    connection.places = {"channel": "", "thread": ""}
    assert connection.wants(TYPING)
    connection.places["thread_view"] = ""
    assert not connection.wants(TYPING)
    connection.places["thread"] = "c"
    assert connection.wants(TYPING)
