"""When a browser is asked before it is signed in as somebody else."""

import pytest
from aiohttp.test_utils import make_mocked_request

from handlers.http.login_csrf import is_doubtful

APP = "https://app.example.com"
ORIGINS = ("https://equa.example.org", APP)
TAB = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
SIGNED_IN = {"Cookie": "MMAUTHTOKEN=t"}


def doubtful(**headers: str) -> bool:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return is_doubtful(make_mocked_request("GET", "/login/token", headers=sent), ORIGINS)


@pytest.mark.parametrize("site", ["cross-site", "none"])
@pytest.mark.parametrize(
    "referer",
    [
        {},
        {"Referer": "https://evil.example/"},
        {"Referer": f"{APP}.evil.example/"},
        {"Referer": f"https://evil.example/{APP}/"},
        {"Referer": "https://app.example.com@evil.example/"},
        {"Referer": "http://app.example.com/"},
        {"Referer": "https://app.example.com:8443/"},
        {"Referer": "https://[app.example.com/"},
        {"Referer": "rubbish"},
    ],
)
def test_nobody_that_is_known_sends_it(site: str, referer: dict[str, str]) -> None:
    """Another site, or what is no page at all, such as a mail program."""
    assert doubtful(**TAB, **SIGNED_IN, **referer, Sec_Fetch_Site=site)


@pytest.mark.parametrize("referer", [f"{APP}/", f"{APP}/org/messaging?x=1", "https://equa.example.org/"])
def test_pages_of_the_platform_are_known(referer: str) -> None:
    """On whatever site they are."""
    assert not doubtful(**TAB, **SIGNED_IN, Sec_Fetch_Site="cross-site", Referer=referer)


@pytest.mark.parametrize("site", ["same-site", "same-origin"])
def test_pages_of_the_same_site_are_known(site: str) -> None:
    """The chat's own, such as the one that has asked."""
    assert not doubtful(**TAB, **SIGNED_IN, Sec_Fetch_Site=site)


def test_nobody_is_replaced_who_is_not_signed_in() -> None:
    """Whoever sends the browser."""
    assert not doubtful(**TAB, Sec_Fetch_Site="cross-site", Cookie="MMUSERID=u")


def test_a_frame_is_not_asked() -> None:
    """What is around it decides whether it is shown, and its cookies are its own."""
    assert not doubtful(**SIGNED_IN, Sec_Fetch_Dest="iframe", Sec_Fetch_Site="cross-site")


@pytest.mark.parametrize(
    "sender",
    [
        {"Referer": "https://evil.example/"},
        {"Referer": f"{APP}.evil.example/"},
        {"Referer": "https://chat.example.com.evil.example/"},
        {"Referer": "https://chat.example.com@evil.example/"},
        {"Referer": "https://chat.example.com:8443/"},
        {"Referer": "https://[chat.example.com/"},
        {"Referer": "rubbish"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
        {"Referer": ""},
        {"Origin": "https://evil.example", "Referer": f"{APP}/"},
    ],
)
def test_without_fetch_metadata_another_page_and_none_are_asked(sender: dict[str, str]) -> None:
    """Old browsers send none, and all of them without https; a strange page can keep its name to itself."""
    assert doubtful(**SIGNED_IN, **sender, Host="chat.example.com")
    assert not doubtful(**sender, Host="chat.example.com")


@pytest.mark.parametrize(
    "sender",
    [
        {"Referer": f"{APP}/messaging"},
        {"Referer": "https://chat.example.com/login/token?x"},
        {"Referer": "http://chat.example.com/"},
        {"Origin": APP},
    ],
)
def test_without_fetch_metadata_known_pages_are_not_asked(sender: dict[str, str]) -> None:
    """The page that asks is one of them."""
    assert not doubtful(**SIGNED_IN, **sender, Host="chat.example.com")
