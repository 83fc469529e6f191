"""Things that go wrong on purpose."""

import asyncio
import time

import aiohttp
import pytest
import websockets

from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.faults import When
from tests.bridge.sandbox.mattermost.conftest import Scene
from tests.contract.client import Socket, post_of
from tests.support.mattermost import eventually


def draft(scene: Scene, message: str) -> dict[str, str]:
    return {"channel_id": scene.channel.id, "message": message, "pending_post_id": message}


async def messages(socket: Socket, *, answers: bool = True) -> list[str]:
    events = await socket.events(answers=answers)
    return [post_of(event)["message"] for event in events if event["event"] == "posted"]


async def test_sockets_can_be_cut(scene: Scene) -> None:
    """There is no close frame, and the connection can be resumed."""
    async with scene.client.socket(scene.as_bot.token) as socket:
        hello = await socket.receive()
        scene.server.faults.cut_sockets()
        assert await socket.closed() in (None, 1006)
    scene.say("while cut")
    query = f"?connection_id={hello['data']['connection_id']}&sequence_number=1"
    async with scene.client.socket(scene.as_bot.token, query=query) as socket:
        assert await messages(socket) == ["while cut"]


async def test_new_sockets_can_be_refused(scene: Scene) -> None:
    """The TCP connection ends before the upgrade; REST goes on."""
    scene.server.faults.refuse_sockets = True
    with pytest.raises((websockets.InvalidMessage, ConnectionError)):
        async with scene.client.socket(scene.as_bot.token):
            pass
    assert (await scene.as_bot.api.call("GET", "/users/me")).status == 200
    scene.server.faults.clear()
    async with scene.client.greeted(scene.as_bot):
        pass


async def test_sockets_can_be_deaf(scene: Scene) -> None:
    """A deaf socket stays open, says nothing, and is deaf to its end; the next one is not."""
    async with scene.client.greeted(scene.as_bot) as socket:
        scene.server.faults.deaf_sockets = True
        scene.say("unheard")
        await socket.act("ping")
        assert await messages(socket, answers=False) == []
        scene.server.faults.deaf_sockets = False
        scene.say("unheard too")
        assert await messages(socket, answers=False) == []
    async with scene.client.greeted(scene.as_bot) as socket:
        scene.say("heard")
        await socket.posted("heard")


async def test_a_deaf_socket_does_not_answer_pings(scene: Scene) -> None:
    """Neither the ping action nor a ping frame."""
    scene.server.faults.deaf_sockets = True
    url = scene.server.url.replace("http", "ws") + "/api/v4/websocket"
    headers = {"Authorization": f"Bearer {scene.as_bot.token}"}
    async with websockets.connect(url, additional_headers=headers, proxy=None, close_timeout=0) as socket:
        pong = await socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pong, 0.3)


async def test_a_socket_that_answers_no_ping_is_dropped(scene: Scene) -> None:
    """Only a pong keeps it: after the read deadline the server ends it."""
    scene.server.faults.deaf_sockets = True
    async with scene.client.socket(scene.as_bot.token) as socket:
        assert await socket.closed() in (None, 1006)


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
async def test_rest_can_fail_before_or_after_the_work(scene: Scene, when: When, stored: int) -> None:
    """After is the nasty case: the client sees 502, the post is there, and pending_post_id finds it."""
    scene.server.faults.rest(RestFault(when=when, status=502, method="POST", path="/posts", times=1))
    assert (await scene.as_bot.api.call("POST", "/posts", draft(scene, "x"))).status == 502
    assert len(scene.store.posts_in(scene.channel)) == stored
    again = await scene.as_bot.api.call("POST", "/posts", draft(scene, "x"))
    assert again.status == 201
    assert [post.id for post in scene.store.posts_in(scene.channel)] == [again.body["id"]]


async def test_rest_can_be_cut_after_the_work(scene: Scene) -> None:
    """The connection ends without an answer although the post is stored."""
    scene.server.faults.rest(RestFault(when="after", cut=True, path="/posts", times=1))
    with pytest.raises(aiohttp.ClientError):
        await scene.as_bot.api.call("POST", "/posts", draft(scene, "x"))
    assert len(scene.store.posts_in(scene.channel)) == 1


async def test_rest_can_ask_to_wait(scene: Scene) -> None:
    """429 with Retry-After, in plain text, for as many calls as wanted."""
    scene.server.faults.rest(RestFault(status=429, retry_after=7, times=2))
    answers = [await scene.as_bot.api.call("GET", "/users/me") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert isinstance(answers[0].body, str)


async def test_a_fraction_of_the_calls_can_fail(scene: Scene) -> None:
    """Seeded: the same faults hit the same calls."""
    scene.server.faults.rest(RestFault(status=503, fraction=0.5))
    statuses = [(await scene.as_bot.api.call("GET", "/users/me")).status for _ in range(40)]
    assert 8 < statuses.count(503) < 32
    assert set(statuses) == {200, 503}


async def test_answers_can_be_late(scene: Scene) -> None:
    """The post is stored and told of long before the answer."""
    release = asyncio.Event()
    scene.server.faults.rest(RestFault(when="after", delay=0.2, release=release, path="/posts", times=1))
    async with scene.client.greeted(scene.as_ada) as socket, asyncio.TaskGroup() as group:
        began = time.monotonic()
        answer = group.create_task(scene.as_bot.api.call("POST", "/posts", draft(scene, "late")))
        await socket.posted("late")
        assert not answer.done()
        release.set()
        assert (await answer).status == 201
        assert time.monotonic() - began >= 0.2


async def test_a_slow_save_answers_pending_to_a_second_try(scene: Scene) -> None:
    """While the first create runs its pending_post_id is 500; afterwards it is the same post."""
    scene.server.faults.slow_save = 1
    async with asyncio.TaskGroup() as group:
        calls = [
            group.create_task(scene.as_bot.api.call("POST", "/posts", draft(scene, "slow"))) for _ in range(2)
        ]
    first, second = sorted((call.result() for call in calls), key=lambda answer: answer.status)
    third = await scene.as_bot.api.call("POST", "/posts", draft(scene, "slow"))
    assert (second.status, second.error) == (500, "api.post.deduplicate_create_post.pending")
    assert third.body["id"] == first.body["id"]


async def test_posted_can_come_twice(scene: Scene) -> None:
    """Each time with a number of its own."""
    scene.server.faults.duplicate_posted = 1.0
    async with scene.client.greeted(scene.as_bot) as socket:
        scene.say("twice")
        events = [event for event in await socket.events() if event["event"] == "posted"]
    assert [post_of(event)["message"] for event in events] == ["twice", "twice"]
    assert events[1]["seq"] == events[0]["seq"] + 1


async def test_neighbours_of_different_threads_can_change_places(scene: Scene) -> None:
    """Within a thread the order stays."""
    one, two = scene.say("one"), scene.say("two")
    async with scene.client.greeted(scene.as_bot) as socket:
        scene.server.faults.reorder_posted = 1.0
        scene.say("a1", one)
        scene.say("b1", two)
        scene.say("a2", one)
        scene.say("a3", one)
        heard = await messages(socket)
    assert heard == ["b1", "a1", "a2", "a3"]


async def test_a_held_event_comes_although_nothing_passes_it(scene: Scene) -> None:
    """The last event of a burst is not kept back for ever."""
    scene.server.faults.reorder_posted = 1.0
    async with scene.client.greeted(scene.as_bot) as socket:
        scene.say("alone")
        assert await messages(socket) == ["alone"]


async def test_a_dropped_event_shows_in_the_numbers_and_a_resume_brings_it(scene: Scene) -> None:
    """Nothing is told, seq jumps, and a reconnect with the expected number replays what is missing."""
    async with scene.client.socket(scene.as_bot.token) as socket:
        hello = await socket.receive()
        await socket.events(quiet=0.1)
        scene.server.faults.drop_events = 1.0
        scene.say("dropped")
        scene.server.faults.clear()
        scene.say("seen")
        seen = await socket.posted("seen")
    expected = seen["seq"] - 1
    query = f"?connection_id={hello['data']['connection_id']}&sequence_number={expected}"
    await eventually(lambda: not scene.server.open_sockets(scene.bot))
    async with scene.client.socket(scene.as_bot.token, query=query) as socket:
        first = await socket.receive()
    assert first["seq"] == expected
    assert post_of(first)["message"] == "dropped"
