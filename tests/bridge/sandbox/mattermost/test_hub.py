"""The hub: slow clients, inactive connections, and who concerns whom."""

import json

from bridge.sandbox.mattermost import Faults, Store
from bridge.sandbox.mattermost.connection import SEND_QUEUE, Connection
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.hub import REAP_INTERVAL, Hub
from bridge.sandbox.mattermost.records import User


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class HubBench:
    """A hub on a store, without any socket."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = Store(clock=self.clock)
        self.hub = Hub(self.store, Faults())
        self.store.listeners.append(self.hub.publish)

    def connect(self, user: User) -> Connection:
        token = self.store.create_token(user).token
        connection = Connection(self.store, self.store.new_id(), user.id, token)
        self.hub.register(connection)
        return connection


def names(connection: Connection) -> list[str]:
    """Return the names of what is queued."""
    return [json.loads(each.text + "}")["event"] for each in connection.queue if each.is_event]


def test_a_full_queue_closes_the_connection_for_good() -> None:
    """A slow client is closed after what is queued, and its connection cannot be resumed."""
    bench = HubBench()
    slow = bench.connect(bench.store.admin)
    for _ in range(SEND_QUEUE):
        bench.hub.publish(Event("anything", {}))
    assert slow.closing
    assert len(slow.queue) == SEND_QUEUE
    assert not bench.hub.knows(slow)
    assert bench.hub.take_over(bench.store.admin.id, slow.id) is None


def test_an_absent_connection_collects_events_until_it_is_full() -> None:
    """Then it is gone."""
    bench = HubBench()
    absent = bench.connect(bench.store.admin)
    bench.hub.unregister(absent)
    for _ in range(SEND_QUEUE - len(absent.queue)):
        bench.hub.publish(Event("anything", {}))
    assert bench.hub.knows(absent)
    bench.hub.publish(Event("one too many", {}))
    assert not bench.hub.knows(absent)


def test_inactive_connections_are_dropped_after_five_minutes() -> None:
    """Counted from the last activity, not from the end of the socket; open ones stay."""
    bench = HubBench()
    absent, present = bench.connect(bench.store.admin), bench.connect(bench.store.admin)
    bench.hub.unregister(absent)
    bench.clock.now += REAP_INTERVAL - 1
    bench.hub.release_expired()
    assert bench.hub.knows(absent)
    bench.clock.now += 2
    bench.hub.release_expired()
    assert not bench.hub.knows(absent)
    assert bench.hub.knows(present)


def test_activity_keeps_a_connection_longer() -> None:
    """A post with the same token refreshes it while the socket is open."""
    bench = HubBench()
    connection = bench.connect(bench.store.admin)
    bench.clock.now += REAP_INTERVAL
    bench.hub.note_activity(bench.store.admin.id, connection.token)
    bench.hub.unregister(connection)
    bench.clock.now += REAP_INTERVAL - 1
    bench.hub.release_expired()
    assert bench.hub.knows(connection)


def test_an_open_connection_is_not_taken_over() -> None:
    """Only an inactive one of the same user."""
    bench = HubBench()
    ada = bench.store.create_user("ada")
    connection = bench.connect(ada)
    assert bench.hub.take_over(ada.id, connection.id) is None
    bench.hub.unregister(connection)
    assert bench.hub.take_over(bench.store.admin.id, connection.id) is None
    assert bench.hub.take_over(ada.id, connection.id) is connection
    assert bench.hub.take_over(ada.id, connection.id) is None


def test_events_reach_those_whom_they_are_addressed_to() -> None:
    """A user, the members of a channel, the members of a team, or everybody; some may be left out."""
    bench = HubBench()
    ada, bob, eve = (bench.store.create_user(name) for name in ("ada", "bob", "eve"))
    team = bench.store.create_team("acme", members=[ada, bob])
    channel = bench.store.create_channel(team, "agent", members=[ada])
    sockets = {user.username: bench.connect(user) for user in (ada, bob, eve)}
    for name, broadcast in {
        "to bob": Broadcast(user_id=bob.id),
        "to channel": Broadcast(channel_id=channel.id),
        "to team": Broadcast(team_id=team.id),
        "to all": Broadcast(),
        "to others": Broadcast(omit_users=frozenset((eve.id,))),
        "to one socket": Broadcast(connection_id=sockets["eve"].id),
    }.items():
        bench.hub.publish(Event(name, {}, broadcast))
    assert names(sockets["ada"])[1:] == ["to channel", "to team", "to all", "to others"]
    assert names(sockets["bob"])[1:] == ["to bob", "to team", "to all", "to others"]
    assert names(sockets["eve"])[1:] == ["to all", "to one socket"]


def test_a_former_member_hears_nothing_more() -> None:
    """Neither of the team nor of its channels."""
    bench = HubBench()
    ada = bench.store.create_user("ada")
    team = bench.store.create_team("acme", members=[ada])
    channel = bench.store.create_channel(team, "agent", members=[ada])
    socket = bench.connect(ada)
    bench.store.leave(team, ada)
    before = len(socket.queue)
    bench.store.post_as(bench.store.admin, channel, "unheard")
    bench.hub.publish(Event("to team", {}, Broadcast(team_id=team.id)))
    assert len(socket.queue) == before
