"""The websocket: greeting, authentication, actions, limits of frames."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.client import post_of
from tests.contract.server import Mattermost, Scene

NOT_AUTHENTICATED = "api.web_socket_router.not_authenticated.app_error"


async def test_hello_comes_first_with_seq_0_and_a_connection_id(server: Mattermost, scene: Scene) -> None:
    """The first frame greets the user and names the connection."""
    async with server.socket(scene.bot.token) as socket:
        hello = await socket.receive()
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert len(hello["data"]["connection_id"]) == 26
    assert hello["broadcast"]["user_id"] == scene.bot.id


async def test_hello_names_the_host(server: Mattermost, scene: Scene) -> None:
    """server_hostname is there from 10.4 on."""
    server.needs(10, 4)
    async with server.socket(scene.bot.token) as socket:
        assert (await socket.receive())["data"]["server_hostname"]


async def test_a_trailing_slash_is_the_same_route(server: Mattermost, scene: Scene) -> None:
    """/api/v4/websocket/ works as well."""
    async with server.socket(scene.bot.token, query="/") as socket:
        assert (await socket.receive())["event"] == "hello"


async def test_a_cookie_authenticates_before_the_header(server: Mattermost, scene: Scene) -> None:
    """MMAUTHTOKEN wins over Authorization at the handshake."""
    headers = {"Cookie": f"MMAUTHTOKEN={scene.ada.token}"}
    async with server.socket(scene.bot.token, headers=headers) as socket:
        assert (await socket.receive())["broadcast"]["user_id"] == scene.ada.id


async def test_a_challenge_authenticates_after_the_handshake(server: Mattermost, scene: Scene) -> None:
    """authentication_challenge is answered with OK, and hello comes before the answer."""
    async with server.socket() as socket:
        number = await socket.act("authentication_challenge", {"token": scene.bot.token})
        hello, reply = await socket.receive(), await socket.receive()
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert reply == {"status": "OK", "seq_reply": number}


async def test_a_bad_challenge_ends_the_connection(server: Mattermost) -> None:
    """There is no error frame and no close code."""
    async with server.socket() as socket:
        await socket.act("authentication_challenge", {"token": "a" * 26})
        assert await socket.closed() in (None, 1006)


async def test_a_bad_token_is_upgraded_and_dropped_later(server: Mattermost) -> None:
    """The handshake succeeds, nothing is said, and after some seconds the connection ends."""
    async with server.socket("a" * 26) as socket:
        assert await socket.closed() in (None, 1006)


async def test_an_anonymous_connection_hears_nothing(server: Mattermost, scene: Scene) -> None:
    """Without authentication not even public events arrive."""
    async with server.socket() as socket:
        await server.user()
        assert await socket.events(quiet=0.5, answers=False) == []


async def test_an_origin_of_somebody_else_is_refused(server: Mattermost, scene: Scene) -> None:
    """A browser on another site cannot connect; no Origin at all is fine."""
    with pytest.raises(InvalidStatus) as refused:
        async with server.socket(scene.bot.token, headers={"Origin": "https://evil.example"}):
            pass
    assert refused.value.response.status_code in (400, 403)


async def test_ping_is_answered_with_pong(server: Mattermost, scene: Scene) -> None:
    """The ping action has a reply with seq_reply and without seq."""
    async with server.greeted(scene.bot) as socket:
        reply = await socket.ask("ping")
    assert reply["status"] == "OK"
    assert reply["data"]["text"] == "pong"
    assert reply["data"]["server_time"] > 0
    assert "seq" not in reply


async def test_replies_take_no_seq(server: Mattermost, scene: Scene) -> None:
    """Events are numbered one by one however many replies are between them."""
    async with server.greeted(scene.bot) as socket:
        for number in range(3):
            await socket.act("ping")
            await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": str(number)})
        await socket.act("ping")
        frames = [await socket.receive() for _ in range(7)]
    events = [frame["seq"] for frame in frames if "event" in frame]
    assert events == list(range(1, len(events) + 1))
    assert len(events) < 7


async def test_an_unknown_action_fails(server: Mattermost, scene: Scene) -> None:
    """The reply is FAIL with an error id, and the connection stays."""
    async with server.greeted(scene.bot) as socket:
        reply = await socket.ask("no_such_action")
        assert (reply["status"], reply["error"]["id"]) == (
            "FAIL",
            "api.web_socket_router.bad_action.app_error",
        )
        assert (await socket.ask("ping"))["status"] == "OK"


async def test_an_action_needs_a_name_and_a_positive_number(server: Mattermost, scene: Scene) -> None:
    """Both mistakes are answered with FAIL."""
    async with server.greeted(scene.bot) as socket:
        await socket.send(json.dumps({"seq": 7, "action": ""}))
        no_action = await socket.reply(7)
        await socket.send(json.dumps({"seq": 0, "action": "ping"}))
        frame = await socket.receive()
        while "status" not in frame:
            frame = await socket.receive()
    assert no_action["error"]["id"] == "api.web_socket_router.no_action.app_error"
    assert frame["error"]["id"] == "api.web_socket_router.bad_seq.app_error"


async def test_what_is_no_json_ends_the_connection(server: Mattermost, scene: Scene) -> None:
    """An undecodable frame closes the socket."""
    async with server.greeted(scene.bot) as socket:
        await socket.send("{")
        assert await socket.closed() in (None, 1006)


async def test_a_frame_of_8_kib_is_the_largest(server: Mattermost, scene: Scene) -> None:
    """A longer frame from a client ends the connection."""
    async with server.greeted(scene.bot) as socket:
        filler = json.dumps({"seq": 1, "action": "ping", "data": {"x": "y" * 8_000}})
        assert len(filler) < 8 * 1024
        await socket.send(filler)
        assert (await socket.reply(1))["status"] == "OK"
        await socket.send(json.dumps({"seq": 2, "action": "ping", "data": {"x": "y" * 9_000}}))
        assert await socket.closed() in (None, 1006, 1009)


async def test_there_is_no_compression(server: Mattermost, scene: Scene) -> None:
    """The server takes none of the extensions that a client offers."""
    async with server.greeted(scene.bot) as socket:
        assert socket.extensions == []


async def test_typing_reaches_the_others(server: Mattermost, scene: Scene) -> None:
    """user_typing is answered and told to the other members, not to oneself."""
    async with server.greeted(scene.ada) as ada, server.greeted(scene.bot) as bot:
        reply = await bot.ask("user_typing", {"channel_id": scene.channel_id, "parent_id": ""})
        event = await ada.event("typing")
        assert not [each for each in await bot.events() if each["event"] == "typing"]
    assert reply["status"] == "OK"
    assert event["data"] == {"parent_id": "", "user_id": scene.bot.id}
    assert event["broadcast"]["channel_id"] == scene.channel_id


async def test_typing_can_be_told_over_rest(server: Mattermost, scene: Scene) -> None:
    """POST /users/{id}/typing does the same."""
    async with server.greeted(scene.ada) as ada:
        await scene.bot.api.post("/users/me/typing", {"channel_id": scene.channel_id})
        assert (await ada.event("typing"))["data"]["user_id"] == scene.bot.id


async def test_typing_needs_permission(server: Mattermost, scene: Scene) -> None:
    """Whoever may not post in a channel may not type there."""
    stranger = await server.account()
    async with server.greeted(stranger) as socket:
        reply = await socket.ask("user_typing", {"channel_id": scene.channel_id, "parent_id": ""})
    assert reply["status"] == "FAIL"


async def test_a_revoked_token_leaves_the_socket_open_and_silent(server: Mattermost, scene: Scene) -> None:
    """No close comes; events stop; only the ping action tells."""
    server.needs(10)
    tokens = await server.admin.get(f"/users/{scene.bot.id}/tokens")
    async with server.greeted(scene.bot) as socket:
        assert (await socket.ask("ping"))["status"] == "OK"
        await server.admin.post("/users/tokens/revoke", {"token_id": tokens[0]["id"]})
        await scene.ada.api.post("/posts", {"channel_id": scene.channel_id, "message": "unheard"})
        heard = [event for event in await socket.events() if event["event"] == "posted"]
        assert "unheard" not in [post_of(event)["message"] for event in heard]
        reply = await socket.ask("ping")
    assert (reply["status"], reply["error"]["id"]) == ("FAIL", NOT_AUTHENTICATED)
    assert reply["error"]["status_code"] == 401


async def test_a_revoked_session_of_a_token_comes_back(server: Mattermost, scene: Scene) -> None:
    """Revoking all sessions does not end a personal access token: the socket goes on hearing."""
    async with server.greeted(scene.ada) as socket:
        await server.admin.post(f"/users/{scene.ada.id}/sessions/revoke/all")
        await scene.bob.api.post("/posts", {"channel_id": scene.channel_id, "message": "still heard"})
        assert await socket.posted("still heard")
        assert (await socket.ask("ping"))["status"] == "OK"
