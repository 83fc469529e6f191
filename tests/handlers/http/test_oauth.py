"""What a state may hold, and where a client's credentials stand."""

import base64
import json
from typing import Any

import pytest

from handlers.http.oauth import credentials, is_plain, joins_no_team

LOGIN = {"action": "login", "isMobile": "false", "redirect_to": "/acme/channels/agent", "token": "t" * 64}
MOBILE = {"action": "mobile", "isMobile": "true", "redirect_to": "mmauth://callback", "token": "t" * 64}
DESKTOP = {**LOGIN, "desktop_token": "dev-1"}


def encoded(props: object) -> str:
    return base64.b64encode(json.dumps(props).encode()).decode()


@pytest.mark.parametrize("props", [LOGIN, MOBILE, DESKTOP])
def test_a_sign_in_is_plain(props: dict[str, str]) -> None:
    """Of a browser, a phone and the desktop."""
    assert is_plain(encoded(props))
    assert joins_no_team(encoded(props))


@pytest.mark.parametrize(
    "changes",
    [
        {"team_id": "x" * 26},
        {"team_id": ""},
        {"invite_id": "x"},
        {"email": "ada@example.com", "action": "email_to_sso"},
        {"action": "email_to_sso"},
        {"action": "sso_to_email"},
        {"action": "signup"},
        {"action": ""},
        {"token": ""},
        {"token": 7},
        {"redirect_to": None},
    ],
)
def test_whatever_does_more_is_not(changes: dict[str, Any]) -> None:
    assert not is_plain(encoded({**LOGIN, **changes}))


@pytest.mark.parametrize(
    ("place", "plain"),
    [
        ("", True),
        ("/", True),
        ("/acme/channels/agent", True),
        ("/oauth/authorize?client_id=x&redirect_uri=https%3A%2F%2Fapp.example%2F", True),
        ("/acme/channels/caf\u00e9 bar", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/acme\\..", False),
        ("/\t/evil.example", False),
        ("/\r\n/evil.example", False),
        (" //evil.example", False),
        ("evil", False),
        (".evil.example", False),
        ("https://evil.example", False),
        ("https:evil.example", False),
        ("https://chat.example.com.evil.example/", False),
        ("https://chat.example.com@evil.example/", False),
        ("javascript:alert(1)", False),
        ("mmauth://callback", False),
    ],
)
def test_a_browser_stays_on_the_host(place: str, plain: bool) -> None:  # noqa: FBT001  # a table
    """Mattermost 10.4 itself goes on to "//host", and to whatever begins with its own address."""
    assert is_plain(encoded({**LOGIN, "redirect_to": place})) is plain


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "HTTP://evil.example", "/x"])
def test_a_phone_goes_back_to_its_app(place: str) -> None:
    assert not is_plain(encoded({**MOBILE, "redirect_to": place}))


@pytest.mark.parametrize(
    "state",
    [
        "",
        "no base64!",
        encoded(LOGIN) + "\n",
        encoded(LOGIN).rstrip("=") + "*",
        base64.b64encode(b'{"action":"login","token":"t"} {"team_id":"x"}').decode(),
        base64.b64encode(b'{"action":"login","token":"t","\\u0074eam_id":"x"}').decode(),
        base64.b64encode(b'{"action":"login","token":"t","redirect_to":"\xff"}').decode(),
        base64.b64encode(b"[" * 5000).decode(),
        encoded([LOGIN]),
        encoded("login"),
    ],
)
def test_what_mattermost_could_read_in_another_way_is_neither(state: str) -> None:
    """Go reads one value and passes over the rest; names may be escaped."""
    assert not is_plain(state)
    assert not joins_no_team(state)


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "form", "found"),
    [
        ("", {"client_id": ["c"], "client_secret": ["s"]}, ("c", "s")),
        (basic("c:s"), {}, ("c", "s")),
        (basic("c:s:t%3A+u"), {"client_id": ["c"]}, ("c", "s:t: u")),
        ("basic  " + basic("c:")[6:], {}, ("c", "")),
        ("", {"client_id": ["c"]}, None),
        ("", {}, None),
        (basic("c:s"), {"client_secret": ["s"]}, None),
        (basic("no colon"), {}, None),
        ("Basic ***", {}, None),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), {}, None),
        ("Bearer s", {"client_id": ["c"], "client_secret": ["s"]}, None),
    ],
)
def test_a_client_shows_itself_in_one_way(
    header: str, form: dict[str, list[str]], found: tuple[str, str] | None
) -> None:
    """By header or by form (RFC 6749 section 2.3)."""
    assert credentials(header, form) == found
