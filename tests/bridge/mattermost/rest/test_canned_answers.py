"""What the administrator's calls send, and what canned answers of Mattermost mean."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientConnectionError

from bridge.errors import (
    BridgeError,
    EmailNotAccepted,
    EmailTaken,
    MattermostFull,
    MattermostUnavailable,
    NameTaken,
    TokenRefused,
)
from bridge.mattermost.rest.admin import RestAdmin
from bridge.mattermost.rest.responses import NotMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import ChannelId, Preference, TeamId, UserId
from tests.support.canned import canned_answers, sent

URL = "https://chat.equa.test"
API = f"{URL}/api/v4"
ADA, ACME, AGENT = UserId("a" * 26), TeamId("t" * 26), ChannelId("c" * 26)
QUICK = RetryPolicy(tries=2, first_delay=0.001, longest_delay=0.001)

ADA_JSON = {"id": ADA, "username": "ada", "first_name": "Ada", "last_name": "M", "nickname": "Addie"}


@pytest.fixture
async def admin() -> AsyncIterator[RestAdmin]:
    async with client_session() as session:
        yield RestAdmin(Transport(session, URL, "secret", lambda *_: None, QUICK))


def refusal(error_id: str, status: int = 400) -> dict[str, Any]:
    return {"status": status, "payload": {"id": error_id, "message": "No.", "status_code": status}}


async def test_an_account_comes_with_its_names(admin: RestAdmin) -> None:
    """Asked for with the administrator's token."""
    with canned_answers() as canned:
        canned.get(f"{API}/users/{ADA}", payload=ADA_JSON)
        user = await admin.user(ADA)

    assert user
    assert (user.first_name, user.last_name, user.nickname) == ("Ada", "M", "Addie")
    ((_, _, request),) = sent(canned)
    assert request["headers"] == {"Authorization": "Bearer secret"}


async def test_names_are_patched_and_preferences_put(admin: RestAdmin) -> None:
    """Each preference names its user."""
    with canned_answers() as canned:
        canned.put(f"{API}/users/{ADA}/patch", payload=ADA_JSON)
        canned.put(f"{API}/users/{ADA}/preferences", payload={"status": "OK"})
        await admin.set_names(ADA, {"last_name": "Lind"})
        await admin.set_preferences(ADA, [Preference("theme", "", "{}")])

    assert [request["json"] for _, _, request in sent(canned)] == [
        {"last_name": "Lind"},
        [{"user_id": ADA, "category": "theme", "name": "", "value": "{}"}],
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"payload": [{"user_id": ADA, "category": "theme", "name": "", "value": "{}"}]}, 1),
        (refusal("api.preference.preferences_category.get.app_error", 404), 0),
    ],
)
async def test_preferences_of_a_category(admin: RestAdmin, answer: dict[str, Any], expected: int) -> None:
    """None is a 404."""
    with canned_answers() as canned:
        canned.get(f"{API}/users/{ADA}/preferences/theme", **answer)
        assert len(await admin.preferences(ADA, "theme")) == expected


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("api.context.invalid_url_param.app_error"), EmailNotAccepted),
        (refusal("api.context.session_expired.app_error", 401), TokenRefused),
        ({"status": 404, "body": "not here"}, NotMattermost),
        ({"status": 200, "body": "<html>", "content_type": "text/html"}, NotMattermost),
        ({"status": 502}, MattermostUnavailable),
        ({"exception": ClientConnectionError("refused")}, MattermostUnavailable),
    ],
)
async def test_an_address_that_cannot_be_looked_up(
    admin: RestAdmin, answer: dict[str, Any], error: type[BridgeError]
) -> None:
    """Only Mattermost's own word counts."""
    with canned_answers() as canned:
        canned.get(re.compile(f"{API}/users/email/.*"), repeat=True, **answer)
        with pytest.raises(error):
            await admin.user_by_email("a..b@x")


@pytest.mark.parametrize(
    ("error_id", "error"),
    [
        ("app.user.save.email_exists.app_error", EmailTaken),
        ("model.user.is_valid.email.app_error", EmailNotAccepted),
        ("api.user.update_user.accepted_domain.app_error", EmailNotAccepted),
    ],
)
async def test_an_address_that_is_refused(admin: RestAdmin, error_id: str, error: type[BridgeError]) -> None:
    """By what it says, not by its status alone."""
    with canned_answers() as canned:
        canned.put(f"{API}/users/{ADA}/patch", **refusal(error_id))
        with pytest.raises(error):
            await admin.set_email(ADA, "taken@example.com")


@pytest.mark.parametrize(
    ("error_id", "error"),
    [
        ("store.sql_channel.save_channel.exists.app_error", NameTaken),
        ("api.channel.create_channel.max_channel_limit.app_error", MattermostFull),
    ],
)
async def test_a_channel_that_cannot_be_created(
    admin: RestAdmin, error_id: str, error: type[BridgeError]
) -> None:
    """Because of its name or because there is no room."""
    with canned_answers() as canned:
        canned.post(f"{API}/channels", **refusal(error_id))
        with pytest.raises(error):
            await admin.create_channel(ACME, "agent", "Agent", "Ask")


@pytest.mark.parametrize(
    "error_id",
    ["app.channel.get_member.missing.app_error", "store.sql_channel.get_member.missing.app_error"],
)
async def test_who_is_not_in_a_channel_is_out_of_it(admin: RestAdmin, error_id: str) -> None:
    """A second removal is no error."""
    with canned_answers() as canned:
        canned.delete(f"{API}/channels/{AGENT}/members/{ADA}", **refusal(error_id, 404))
        await admin.remove_from_channel(AGENT, ADA)
