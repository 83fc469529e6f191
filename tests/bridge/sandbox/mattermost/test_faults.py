"""Things that go wrong on purpose."""

import asyncio
import time

import aiohttp
import pytest
import websockets

from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.faults import When
from tests.bridge.sandbox.mattermost.conftest import Stage
from tests.contract.client import Socket, post_of
from tests.support.mattermost import eventually


def draft(stage: Stage, message: str) -> dict[str, str]:
    return {"channel_id": stage.channel.id, "message": message, "pending_post_id": message}


async def messages(socket: Socket) -> list[str]:
    return [post_of(event)["message"] for event in await socket.events() if event["event"] == "posted"]


async def test_sockets_can_be_cut(stage: Stage) -> None:
    """There is no close frame, and the connection can be resumed."""
    async with stage.client.socket(stage.as_bot.token) as socket:
        hello = await socket.receive()
        stage.server.faults.cut_sockets()
        assert await socket.closed() in (None, 1006)
    stage.say("while cut")
    query = f"?connection_id={hello['data']['connection_id']}&sequence_number=1"
    async with stage.client.socket(stage.as_bot.token, query=query) as socket:
        assert await messages(socket) == ["while cut"]


async def test_new_sockets_can_be_refused(stage: Stage) -> None:
    """The TCP connection ends before the upgrade; REST goes on."""
    stage.server.faults.refuse_sockets = True
    with pytest.raises((websockets.InvalidMessage, ConnectionError)):
        async with stage.client.socket(stage.as_bot.token):
            pass
    assert (await stage.as_bot.api.call("GET", "/users/me")).status == 200
    stage.server.faults.clear()
    async with stage.client.greeted(stage.as_bot):
        pass


async def test_sockets_can_be_deaf(stage: Stage) -> None:
    """A deaf socket stays open, says nothing, and is deaf to its end; the next one is not."""
    async with stage.client.greeted(stage.as_bot) as socket:
        stage.server.faults.deaf_sockets = True
        stage.say("unheard")
        await socket.act("ping")
        assert await messages(socket) == []
        stage.server.faults.deaf_sockets = False
        stage.say("unheard too")
        assert await messages(socket) == []
    async with stage.client.greeted(stage.as_bot) as socket:
        stage.say("heard")
        await socket.posted("heard")


async def test_a_deaf_socket_does_not_answer_pings(stage: Stage) -> None:
    """Neither the ping action nor a ping frame."""
    stage.server.faults.deaf_sockets = True
    url = stage.server.url.replace("http", "ws") + "/api/v4/websocket"
    headers = {"Authorization": f"Bearer {stage.as_bot.token}"}
    async with websockets.connect(url, additional_headers=headers, proxy=None, close_timeout=0) as socket:
        pong = await socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pong, 0.3)


async def test_a_socket_that_answers_no_ping_is_dropped(stage: Stage) -> None:
    """Only a pong keeps it: after the read deadline the server ends it."""
    stage.server.faults.deaf_sockets = True
    async with stage.client.socket(stage.as_bot.token) as socket:
        assert await socket.closed() in (None, 1006)


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
async def test_rest_can_fail_before_or_after_the_work(stage: Stage, when: When, stored: int) -> None:
    """After is the nasty case: the client sees 502, the post is there, and pending_post_id finds it."""
    stage.server.faults.rest(RestFault(when=when, status=502, method="POST", path="/posts", times=1))
    assert (await stage.as_bot.api.call("POST", "/posts", draft(stage, "x"))).status == 502
    assert len(stage.store.posts_in(stage.channel)) == stored
    again = await stage.as_bot.api.call("POST", "/posts", draft(stage, "x"))
    assert again.status == 201
    assert [post.id for post in stage.store.posts_in(stage.channel)] == [again.body["id"]]


async def test_rest_can_be_cut_after_the_work(stage: Stage) -> None:
    """The connection ends without an answer although the post is stored."""
    stage.server.faults.rest(RestFault(when="after", cut=True, path="/posts", times=1))
    with pytest.raises(aiohttp.ClientError):
        await stage.as_bot.api.call("POST", "/posts", draft(stage, "x"))
    assert len(stage.store.posts_in(stage.channel)) == 1


async def test_rest_can_ask_to_wait(stage: Stage) -> None:
    """429 with Retry-After, in plain text, for as many calls as wanted."""
    stage.server.faults.rest(RestFault(status=429, retry_after=7, times=2))
    answers = [await stage.as_bot.api.call("GET", "/users/me") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert isinstance(answers[0].body, str)


async def test_a_fraction_of_the_calls_can_fail(stage: Stage) -> None:
    """Seeded: the same faults hit the same calls."""
    stage.server.faults.rest(RestFault(status=503, fraction=0.5))
    statuses = [(await stage.as_bot.api.call("GET", "/users/me")).status for _ in range(40)]
    assert 8 < statuses.count(503) < 32
    assert set(statuses) == {200, 503}


async def test_answers_can_be_late(stage: Stage) -> None:
    """The post is stored and told of long before the answer."""
    stage.server.faults.rest(RestFault(when="after", delay=0.4, path="/posts", times=1))
    async with stage.client.greeted(stage.as_ada) as socket, asyncio.TaskGroup() as group:
        began = time.monotonic()
        answer = group.create_task(stage.as_bot.api.call("POST", "/posts", draft(stage, "late")))
        await socket.posted("late")
        assert not answer.done()
        assert (await answer).status == 201
        assert time.monotonic() - began >= 0.4


async def test_a_slow_save_answers_pending_to_a_second_try(stage: Stage) -> None:
    """While the first create runs its pending_post_id is 500; afterwards it is the same post."""
    stage.server.faults.slow_save = 1
    async with asyncio.TaskGroup() as group:
        calls = [
            group.create_task(stage.as_bot.api.call("POST", "/posts", draft(stage, "slow"))) for _ in range(2)
        ]
    first, second = sorted((call.result() for call in calls), key=lambda answer: answer.status)
    third = await stage.as_bot.api.call("POST", "/posts", draft(stage, "slow"))
    assert (second.status, second.error) == (500, "api.post.deduplicate_create_post.pending")
    assert third.body["id"] == first.body["id"]


async def test_posted_can_come_twice(stage: Stage) -> None:
    """Each time with a number of its own."""
    stage.server.faults.duplicate_posted = 1.0
    async with stage.client.greeted(stage.as_bot) as socket:
        stage.say("twice")
        events = [event for event in await socket.events() if event["event"] == "posted"]
    assert [post_of(event)["message"] for event in events] == ["twice", "twice"]
    assert events[1]["seq"] == events[0]["seq"] + 1


async def test_neighbours_of_different_threads_can_change_places(stage: Stage) -> None:
    """Within a thread the order stays."""
    one, two = stage.say("one"), stage.say("two")
    async with stage.client.greeted(stage.as_bot) as socket:
        stage.server.faults.reorder_posted = 1.0
        stage.say("a1", one)
        stage.say("b1", two)
        stage.say("a2", one)
        stage.say("a3", one)
        heard = await messages(socket)
    assert heard == ["b1", "a1", "a2", "a3"]


async def test_a_held_event_comes_although_nothing_passes_it(stage: Stage) -> None:
    """The last event of a burst is not kept back for ever."""
    stage.server.faults.reorder_posted = 1.0
    async with stage.client.greeted(stage.as_bot) as socket:
        stage.say("alone")
        assert await messages(socket) == ["alone"]


async def test_a_dropped_event_shows_in_the_numbers_and_a_resume_brings_it(stage: Stage) -> None:
    """Nothing is told, seq jumps, and a reconnect with the expected number replays what is missing."""
    async with stage.client.socket(stage.as_bot.token) as socket:
        hello = await socket.receive()
        await socket.events(quiet=0.1)
        stage.server.faults.drop_events = 1.0
        stage.say("dropped")
        stage.server.faults.clear()
        stage.say("seen")
        seen = await socket.posted("seen")
    expected = seen["seq"] - 1
    query = f"?connection_id={hello['data']['connection_id']}&sequence_number={expected}"
    await eventually(lambda: not stage.server.open_sockets(stage.bot))
    async with stage.client.socket(stage.as_bot.token, query=query) as socket:
        first = await socket.receive()
    assert first["seq"] == expected
    assert post_of(first)["message"] == "dropped"
