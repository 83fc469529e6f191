"""What every REST call has in common: identity, errors, headers, limits of size and of pages."""

import re

import pytest

from bridge.errors import MattermostRefused
from bridge.mattermost.rest.transport import Transport, client_session
from tests.contract.client import Api
from tests.contract.server import Mattermost, Scene, size_of

ID = re.compile(r"[ybndrfg8ejkmcpqxot1uwisza345h769]{26}")


async def test_ids_are_26_characters_of_a_base32_alphabet(server: Mattermost) -> None:
    """Every id and every token is 26 characters of z-base-32."""
    account = await server.account()
    team = await server.team(account)
    for value in (account.id, account.token, team["id"]):
        assert ID.fullmatch(value)


async def test_an_error_has_an_id_a_message_and_its_status(server: Mattermost) -> None:
    """Errors are JSON with id, message, empty detailed_error, request_id and status_code."""
    answer = await server.admin.call("GET", "/users/" + "a" * 26)
    assert answer.status == 404
    assert answer.body["id"] == "app.user.missing_account.const"
    assert answer.body["message"]
    assert answer.body.get("detailed_error", "") == ""
    assert answer.body["status_code"] == 404
    assert ID.fullmatch(answer.body["request_id"])
    assert answer.headers["X-Request-Id"] == answer.body["request_id"]


async def test_every_answer_names_the_version(server: Mattermost) -> None:
    """X-Version-Id is on every answer and is what hello calls server_version."""
    account = await server.account()
    answer = await account.api.call("GET", "/users/me")
    async with server.socket(account.token) as socket:
        hello = await socket.receive()
    version = ".".join(map(str, server.version))
    assert answer.headers["X-Version-Id"].startswith(version)
    assert hello["data"]["server_version"] == answer.headers["X-Version-Id"]


async def test_without_a_token_nothing_is_told(server: Mattermost) -> None:
    """A call without a token gets 401 session_expired."""
    answer = await server.nobody.call("GET", "/users/me")
    assert (answer.status, answer.error) == (401, "api.context.session_expired.app_error")


async def test_a_bad_token_is_401(server: Mattermost) -> None:
    """A token that nobody has gets the same answer as none."""
    answer = await server.nobody.as_("a" * 26).call("GET", "/users/me")
    assert (answer.status, answer.error) == (401, "api.context.session_expired.app_error")


async def test_an_unknown_route_is_refused_by_mattermost_itself(server: Mattermost) -> None:
    """By JSON with an id; 5.x says of it that it is plain text."""
    async with client_session() as session:
        transport = Transport(session, server.url, server.admin.token, lambda *_: None)
        with pytest.raises(MattermostRefused) as refused:
            await transport.get("/no/such/route")
    assert (refused.value.http_status, refused.value.error_id) == (404, "api.context.404.app_error")


async def test_a_token_in_the_query_is_refused(server: Mattermost) -> None:
    """Only OAuth sessions may be named in ?access_token=."""
    account = await server.account()
    answer = await server.nobody.call("GET", f"/users/me?access_token={account.token}")
    assert (answer.status, answer.error) == (401, "api.context.token_provided.app_error")


async def test_both_spellings_of_the_authorization_header_work(server: Mattermost) -> None:
    """`Bearer` in any case, and `token`."""
    account = await server.account()
    for scheme in ("Bearer", "BEARER", "token"):
        headers = {"Authorization": f"{scheme} {account.token}"}
        answer = await server.nobody.call("GET", "/users/me", headers=headers)
        assert answer.body["id"] == account.id


async def test_an_unknown_route_of_the_api_is_404_json(server: Mattermost) -> None:
    """Below /api/v4 there is no web page."""
    answer = await server.admin.call("GET", "/no/such/route")
    assert answer.status == 404
    assert answer.error


async def test_ping_needs_no_token_and_does_not_mind_a_bad_one(server: Mattermost) -> None:
    """GET /system/ping says OK to anybody."""
    for api in (server.nobody, server.nobody.as_("a" * 26)):
        answer = await api.call("GET", "/system/ping")
        assert (answer.status, answer.body["status"]) == (200, "OK")


async def test_ping_can_tell_of_the_database(server: Mattermost) -> None:
    """get_server_status=true adds how database and file store are."""
    body = await server.nobody.get("/system/ping?get_server_status=true")
    assert (body["database_status"], body["filestore_status"]) == ("OK", "OK")


async def test_a_body_that_is_no_json_is_400(server: Mattermost, scene: Scene) -> None:
    """Undecodable JSON is an invalid parameter."""
    answer = await scene.ada.api.call("POST", "/posts", b"{")
    assert answer.status == 400
    assert answer.error in ("api.context.invalid_body_param.app_error", "api.context.invalid_param.app_error")


async def test_a_body_above_300000_bytes_is_413(server: Mattermost) -> None:
    """MaximumPayloadSizeBytes limits every body that is no file."""
    server.needs(10)
    ids = ["a" * 26] * 12_000
    assert size_of(ids) > 301_000
    answer = await server.admin.call("POST", "/users/ids", ids)
    assert answer.status in (400, 413)
    fields = {"channel_id": "a" * 26, "message": "x" * 301_000}
    answer = await server.admin.call("POST", "/posts", fields)
    assert (answer.status, answer.error) == (413, "api.context.request_body_too_large.app_error")


async def test_ten_thousand_ids_fit_into_one_body(server: Mattermost) -> None:
    """There is no limit of count for POST /users/ids below the size of a body."""
    user = await server.user()
    others = [f"{number:026d}" for number in range(10_000)]
    found = await server.admin.post("/users/ids", [*others, user["id"]])
    assert [each["id"] for each in found] == [user["id"]]


async def test_pages_are_60_long_and_never_longer_than_200(server: Mattermost, scene: Scene) -> None:
    """per_page defaults to 60 and is silently cut at 200."""
    for number in range(205):
        fields = {"channel_id": scene.channel_id, "message": str(number)}
        await scene.ada.api.post("/posts", fields)
    path = f"/channels/{scene.channel_id}/posts"
    assert len((await scene.ada.api.get(path))["order"]) == 60
    assert len((await scene.ada.api.get(path + "?per_page=1000"))["order"]) == 200


async def test_me_stands_for_oneself(server: Mattermost) -> None:
    """`me` may stand where a user id is asked for."""
    account = await server.account()
    me: Api = account.api
    assert (await me.get("/users/me"))["id"] == account.id
    assert await me.get("/users/me/teams") == []


async def test_the_client_config_tells_the_size_of_a_post(server: Mattermost) -> None:
    """MaxPostSize is a string of digits, shown to whoever is signed in."""
    account = await server.account()
    config = await account.api.get("/config/client?format=old")
    assert int(config["MaxPostSize"]) == 16_383
    assert "MaxPostSize" not in await server.nobody.get("/config/client?format=old")
    answer = await server.nobody.call("GET", "/config/client")
    assert answer.status in (200, 400, 501)
