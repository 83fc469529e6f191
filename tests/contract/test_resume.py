"""Reliable reconnect: what the server keeps for a connection whose socket is gone."""

from typing import Any

from tests.contract.client import Socket, post_of
from tests.contract.server import Account, Mattermost, Scene


async def say(account: Account, scene: Scene, message: str) -> None:
    fields = {"channel_id": scene.channel_id, "message": message}
    await account.api.post("/posts?set_online=false", fields)


async def connection_of(server: Mattermost, account: Account) -> tuple[str, int]:
    """Connect, read hello, cut; return the connection's id and the seq expected next."""
    async with server.socket(account.token) as socket:
        hello = await socket.receive()
    await server.noticed_cut(account)
    return hello["data"]["connection_id"], hello["seq"] + 1


def resume(connection_id: str, seq: int) -> str:
    return f"?connection_id={connection_id}&sequence_number={seq}"


async def posts_until(socket: Socket, last: str) -> list[dict[str, Any]]:
    """Return every event up to the post with that message."""
    found = []
    while True:
        frame = await socket.receive()
        found.append(frame)
        if frame.get("event") == "posted" and post_of(frame)["message"] == last:
            return found


async def test_what_was_missed_comes_after_a_resume(server: Mattermost, scene: Scene) -> None:
    """Events of the time without a socket follow in order, without a hello and without a gap."""
    connection_id, expected = await connection_of(server, scene.bot)
    for number in range(3):
        await say(scene.ada, scene, f"missed {number}")
    async with server.socket(scene.bot.token, query=resume(connection_id, expected)) as socket:
        frames = await posts_until(socket, "missed 2")
    assert "hello" not in [frame["event"] for frame in frames]
    assert [frame["seq"] for frame in frames] == list(range(expected, expected + len(frames)))
    posted = [post_of(frame)["message"] for frame in frames if frame["event"] == "posted"]
    assert posted == ["missed 0", "missed 1", "missed 2"]


async def test_what_was_written_but_not_read_is_written_again(server: Mattermost, scene: Scene) -> None:
    """The last 128 events are kept: a resume from an older number repeats them from there."""
    async with server.socket(scene.bot.token) as socket:
        hello = await socket.receive()
        for number in range(3):
            await say(scene.ada, scene, f"written {number}")
        before = [hello, *await posts_until(socket, "written 2")]
    await server.noticed_cut(scene.bot)
    query = resume(hello["data"]["connection_id"], 1)
    async with server.socket(scene.bot.token, query=query) as socket:
        again = await posts_until(socket, "written 2")
    assert again == before[1:]


async def test_a_resume_without_loss_is_silent(server: Mattermost, scene: Scene) -> None:
    """With nothing missed the first thing to come is the reply to the client's own ping."""
    connection_id, expected = await connection_of(server, scene.bot)
    async with server.socket(scene.bot.token, query=resume(connection_id, expected)) as socket:
        number = await socket.act("ping")
        frame = await socket.receive()
        while frame.get("event") == "status_change":  # one's own, depending on what the server noticed when
            frame = await socket.receive()
    assert frame["seq_reply"] == number


async def test_hello_is_queued_before_the_reply_to_a_ping(server: Mattermost, scene: Scene) -> None:
    """A fresh connection is told by hello, always before the first reply."""
    async with server.socket(scene.bot.token) as socket:
        number = await socket.act("ping")
        first, second = await socket.receive(), await socket.receive()
        while "seq_reply" not in second:
            second = await socket.receive()
    assert first["event"] == "hello"
    assert second["seq_reply"] == number


async def test_an_unknown_connection_starts_afresh(server: Mattermost, scene: Scene) -> None:
    """An id that the server does not know gives a new one and a hello with seq 0."""
    unknown = "a" * 26
    async with server.socket(scene.bot.token, query=resume(unknown, 5)) as socket:
        hello = await socket.receive()
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert hello["data"]["connection_id"] != unknown


async def test_a_connection_that_is_still_open_is_not_resumed(server: Mattermost, scene: Scene) -> None:
    """While the old socket counts as alive, its id gives a fresh connection."""
    async with server.socket(scene.bot.token) as first:
        connection_id = (await first.receive())["data"]["connection_id"]
        async with server.socket(scene.bot.token, query=resume(connection_id, 1)) as second:
            hello = await second.receive()
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert hello["data"]["connection_id"] != connection_id


async def test_a_connection_of_somebody_else_is_not_resumed(server: Mattermost, scene: Scene) -> None:
    """Connections belong to their user."""
    connection_id, expected = await connection_of(server, scene.ada)
    async with server.socket(scene.bot.token, query=resume(connection_id, expected)) as socket:
        hello = await socket.receive()
    assert hello["event"] == "hello"
    assert hello["data"]["connection_id"] != connection_id


async def test_a_number_too_old_is_a_loss(server: Mattermost, scene: Scene) -> None:
    """Beyond the 128 events kept, the connection gets a new id and a hello with seq 0."""
    async with server.socket(scene.bot.token) as socket:
        hello = await socket.receive()
        for number in range(135):
            await say(scene.ada, scene, f"{number}")
        await posts_until(socket, "134")
    await server.noticed_cut(scene.bot)
    connection_id = hello["data"]["connection_id"]
    async with server.socket(scene.bot.token, query=resume(connection_id, 2)) as socket:
        again = await socket.receive()
    assert (again["event"], again["seq"]) == ("hello", 0)
    assert again["data"]["connection_id"] != connection_id


async def test_a_number_from_the_future_is_a_loss(server: Mattermost, scene: Scene) -> None:
    """A number beyond the next one gets a new id and a hello with seq 0."""
    connection_id, expected = await connection_of(server, scene.bot)
    async with server.socket(scene.bot.token, query=resume(connection_id, expected + 50)) as socket:
        hello = await socket.receive()
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert hello["data"]["connection_id"] != connection_id


async def test_what_waited_unsent_follows_after_a_loss(server: Mattermost, scene: Scene) -> None:
    """The queue of the old connection is not thrown away: it follows the new hello from seq 1 on."""
    connection_id, expected = await connection_of(server, scene.bot)
    await say(scene.ada, scene, "waited")
    async with server.socket(scene.bot.token, query=resume(connection_id, expected + 50)) as socket:
        frames = await posts_until(socket, "waited")
    assert frames[0]["event"] == "hello"
    assert [frame["seq"] for frame in frames] == list(range(len(frames)))


async def test_a_known_connection_without_a_number_is_closed(server: Mattermost, scene: Scene) -> None:
    """sequence_number must come with connection_id; otherwise the socket ends without a frame."""
    for query in ("", "&sequence_number=x"):
        connection_id, _ = await connection_of(server, scene.bot)
        async with server.socket(scene.bot.token, query=f"?connection_id={connection_id}{query}") as socket:
            assert await socket.closed() in (None, 1006)


async def test_an_id_of_the_wrong_form_is_closed(server: Mattermost, scene: Scene) -> None:
    """A connection_id that is no id ends the socket without a frame."""
    async with server.socket(scene.bot.token, query=resume("nonsense", 1)) as socket:
        assert await socket.closed() in (None, 1006)


async def test_number_0_repeats_nothing(server: Mattermost, scene: Scene) -> None:
    """A known connection with number 0 is taken over without a hello and starts at 0."""
    connection_id, _ = await connection_of(server, scene.bot)
    async with server.socket(scene.bot.token, query=resume(connection_id, 0)) as socket:
        number = await socket.act("ping")
        frame = await socket.receive()
        while frame.get("event") == "status_change":  # one's own, depending on what the server noticed when
            frame = await socket.receive()
        assert frame["seq_reply"] == number


async def test_an_anonymous_handshake_cannot_resume(server: Mattermost, scene: Scene) -> None:
    """With a challenge after the handshake connection_id is ignored."""
    connection_id, expected = await connection_of(server, scene.bot)
    async with server.socket(query=resume(connection_id, expected)) as socket:
        await socket.act("authentication_challenge", {"token": scene.bot.token})
        hello = await socket.receive()
    assert hello["event"] == "hello"
    assert hello["data"]["connection_id"] != connection_id


async def test_257_missed_events_destroy_the_connection(server: Mattermost, scene: Scene) -> None:
    """The queue of an absent connection holds 256 events; one more and it is gone."""
    connection_id, expected = await connection_of(server, scene.bot)
    for number in range(260):
        await say(scene.ada, scene, f"{number}")
    async with server.socket(scene.bot.token, query=resume(connection_id, expected)) as socket:
        hello = await socket.receive()
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert hello["data"]["connection_id"] != connection_id


async def test_without_a_session_nothing_is_counted(server: Mattermost, scene: Scene) -> None:
    """What happens while the token is disabled comes never, and a resume looks as if nothing was missed."""
    (token,) = await server.admin.get(f"/users/{scene.bot.id}/tokens")
    async with server.socket(scene.bot.token) as socket:
        connection_id = (await socket.receive())["data"]["connection_id"]
        await say(scene.ada, scene, "heard")
        last = await socket.posted("heard")
        await server.admin.post("/users/tokens/disable", {"token_id": token["id"]})
        await say(scene.ada, scene, "not heard")
        missed = await socket.events()
    await server.noticed_cut(scene.bot)
    await server.admin.post("/users/tokens/enable", {"token_id": token["id"]})
    query = resume(connection_id, last["seq"] + 1 + len(missed))
    async with server.socket(scene.bot.token, query=query) as socket:
        number = await socket.act("ping")
        await socket.reply(number)
        await say(scene.ada, scene, "heard again")
        frames = await posts_until(socket, "heard again")
    assert [post_of(frame)["message"] for frame in missed if frame["event"] == "posted"] == []
    assert "hello" not in [frame["event"] for frame in frames]
    posted = [post_of(frame)["message"] for frame in frames if frame["event"] == "posted"]
    assert posted == ["heard again"]
