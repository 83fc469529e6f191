"""What an answer of the REST interface means."""

import json
from typing import Any

import pytest

from bridge.errors import MattermostFull, MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.responses import (
    Answer,
    Endless,
    NotMattermost,
    Overloaded,
    Pending,
    Throttled,
    TooLarge,
    seconds_to_wait,
    too_large,
    value,
)

NOW = 1_700_000_000.0


def answer(status: int, body: Any = b"", media_type: str = "application/json") -> Answer:
    return Answer(status, media_type, body if isinstance(body, bytes) else json.dumps(body).encode())


def error(error_id: str, status: int = 400) -> Answer:
    return answer(status, {"id": error_id, "message": "Nein.", "request_id": "req1", "status_code": status})


@pytest.mark.parametrize("media_type", ["application/json", "application/problem+json"])
def test_json_is_decoded_by_its_media_type(media_type: str) -> None:
    """Any JSON media type will do."""
    assert value(answer(201, {"id": 1}, media_type)) == {"id": 1}


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_empty_answer_is_none(body: bytes) -> None:
    """204, or 200 without a body."""
    assert value(Answer(200, "application/octet-stream", body)) is None


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        (answer(200, b"<!doctype html>", "text/html"), NotMattermost),
        (answer(200, b'[{"id":1}{"id":"app.channel.get_channels.not_found.app_error"}'), MalformedError),
        (answer(302), NotMattermost),
        (answer(304), NotMattermost),
        (error("api.context.session_expired.app_error", 401), TokenRefused),
        (answer(401, b"Unauthorized", "text/plain"), NotMattermost),
        (answer(401, {"error": "unauthorized"}), NotMattermost),
        (error("api.context.permissions.app_error", 403), MattermostRefused),
        (error("api.context.404.app_error", 404), MattermostRefused),
        (answer(404, {"id": "api.context.404.app_error"}, "text/plain"), MattermostRefused),
        (answer(403, b"Forbidden", "text/plain"), NotMattermost),
        (answer(404, b"<html>", "text/html"), NotMattermost),
        (answer(413, b"<html>", "text/html"), NotMattermost),
        (answer(400, b"{", "application/json"), NotMattermost),
        (answer(400, [], "application/json"), NotMattermost),
        (answer(400, {"id": 1}, "application/json"), NotMattermost),
        (answer(501, b"<html>", "text/html"), Overloaded),
        (error("app.user_access_token.disabled", 501), MattermostRefused),
        (error("api.user.create_user.user_limits.exceeded"), MattermostFull),
        (error("app.user.update_active.user_limit.exceeded"), MattermostFull),
        (error("app.team.join_user_to_team.save_member.max_accounts.app_error"), MattermostFull),
        (error("store.sql_channel.save_channel.limit.app_error"), MattermostFull),
        (error("api.post.deduplicate_create_post.pending", 500), Pending),
        (error("app.post.save.app_error", 500), Overloaded),
        (answer(502, b"<html>", "text/html"), Overloaded),
        (answer(429, b"limit exceeded", "text/plain"), Throttled),
    ],
)
def test_errors(given: Answer, raised: type[Exception]) -> None:
    """Each answer that is no value is one error."""
    with pytest.raises(raised) as caught:
        value(given)

    assert type(caught.value) is raised


def test_refusal_carries_what_mattermost_said() -> None:
    """Status, error id and request id are there to decide by and to look up in Mattermost's log."""
    with pytest.raises(MattermostRefused) as caught:
        value(error("api.x", 403))

    refused = caught.value
    assert (refused.http_status, refused.error_id, refused.request_id) == (403, "api.x", "req1")


def test_message_is_not_mattermosts() -> None:
    """Its message is translated and may name what does not concern the reader."""
    with pytest.raises(MattermostRefused) as caught:
        value(error("api.x", 403))

    assert "Nein" not in caught.value.message


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_stands_before_mattermost_refuses_nothing(status: int) -> None:
    """A proxy says so while Mattermost restarts: trying again helps; if it does not, the address is wrong."""
    with pytest.raises(MattermostUnavailable, match=f"{status}.*is MATTERMOST_URL right") as caught:
        value(answer(status, b"404 page not found", "text/plain"))

    assert caught.value.retryable


@pytest.mark.parametrize("status", [403, 429, 503])
def test_wait_is_carried_along(status: int) -> None:
    """Whoever gives up knows how long the server asked to wait."""
    with pytest.raises(MattermostUnavailable) as caught:
        value(Answer(status, "text/plain", b"limit exceeded", retry_after=7))

    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("status", "media_type", "raised"),
    [
        (200, "application/json", TooLarge),
        (200, "text/html", Endless),
        (502, "application/json", NotMattermost),
    ],
)
def test_too_large(status: int, media_type: str, raised: type[Exception]) -> None:
    """Only Mattermost's own answer may be smaller when less is asked for."""
    assert type(too_large(status, media_type)) is raised


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        (["2"], 2),
        (["2", "2"], 2),
        (["1, 1"], 1),
        (["0"], 0),
        (["1.5"], 1.5),
        (["soon", "3"], 3),
        (["-1"], None),
        (["nan"], None),
        ([""], None),
        (["1700000009"], 9),
        (["1600000000"], 0),
        (["Tue, 14 Nov 2023 22:13:25 GMT"], 5),
        (["Tue, 14 Nov 2023 22:13:25 -0000"], 5),
        (["Tue, 14 Nov 2000 22:13:25 GMT"], 0),
    ],
)
def test_seconds_to_wait(headers: list[str], seconds: float | None) -> None:
    """Seconds, a moment or a date; the header may stand twice."""
    assert seconds_to_wait(headers, NOW) == seconds
