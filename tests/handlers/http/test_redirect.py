"""Where a browser may be sent."""

import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidRequest
from handlers.http.redirect import LONGEST, redirect_path

CHAT = "https://chat.example.com"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/acme-corp",
        "/acme-corp/channels/town-square",
        "/acme-corp/channels/cap_table/",
        "/acme-corp/messages/@ada.moreno",
        "/acme-corp/pl/9r4ba4rspqzkn1f6icjw5kcxdw",
        "/acme-corp/channels/agent?embed=1&theme=dark#end",
        "/a..b/.hidden/c.",
    ],
)
def test_places_of_the_chat_are_taken(path: str) -> None:
    """As they are."""
    assert redirect_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "acme-corp",
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2f/evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "/%255cevil.example",
        "/acme-corp//channels",
        "/\t/evil.example",
        "/ /evil.example",
        "\n/acme-corp",
        "/acme-corp\n",
        "/acme-corp\r\nSet-Cookie: a=b",
        "/\x00",
        "/..//evil.example",
        "/acme-corp/../../x",
        "/..",
        "/.",
        "/./x",
        "/x/..?y",
        "/x/..#y",
        "/\u2215evil.example",
        "/\uff0fevil.example",
        "/acme-corp/channels/\u00e4",
        "/x?y?z//",
        "/x;y",
        "/<script>",
        "/" + "a" * LONGEST,
    ],
)
def test_everything_else_is_refused(path: str) -> None:
    """Other hosts in every spelling, and what could be read as one."""
    with pytest.raises(InvalidRequest):
        redirect_path(path)


@given(
    st.text(alphabet="/\\.%2f5cC:@#?&=-_ \t\n\x00azAZ\u2215\uff0f\u3002", max_size=24).map(
        lambda text: "/" + text
    )
)
def test_no_accepted_path_leads_away(path: str) -> None:
    """Whoever reads it, decoded or not: it stays on the host and below where it begins."""
    try:
        accepted = redirect_path(path)
    except InvalidRequest:
        return
    for variant in (accepted, unquote(accepted), accepted.replace("\\", "/")):
        joined = urlsplit(urljoin(f"{CHAT}/", variant))
        assert (joined.scheme, joined.netloc) == ("https", "chat.example.com")
        assert urljoin(f"{CHAT}/sub/", "." + variant).startswith(f"{CHAT}/sub/")
    assert re.fullmatch(r"[!-~]+", accepted)


def test_a_long_wrong_path_is_refused_quickly() -> None:
    """The pattern does not try one character in many ways."""
    for unit in ("/a", "a", "/.", "a.", "/a/"):
        with pytest.raises(InvalidRequest):
            redirect_path(("/" + unit * LONGEST)[: LONGEST - 1] + "%")
