"""Who may show a page in a frame, by its headers."""

import pytest

from bridge.ops.doctor.framing import MIXED, obstacle

CHAT, APP = "https://chat.example.com/", "https://app.example.com"
STOCK = "frame-ancestors 'self' teams.microsoft.com; script-src 'self' cdn.rudderlabs.com"


@pytest.mark.parametrize(
    ("policies", "options"),
    [
        ([], []),
        (["script-src 'self'"], []),
        ([f"frame-ancestors 'self' {APP}; script-src 'self'"], []),
        ([f"frame-ancestors {APP}"], ["SAMEORIGIN"]),
        ([f"FRAME-ANCESTORS {APP.upper()}"], []),
        ([f"script-src 'self'; frame-ancestors {APP}"], []),
        (["frame-ancestors *"], []),
        (["frame-ancestors https:"], []),
        (["frame-ancestors *.example.com"], []),
        (["frame-ancestors app.example.com"], []),
        (["frame-ancestors app.example.com:443"], []),
        (["frame-ancestors https://app.example.com:*"], []),
        (["frame-ancestors http://app.example.com"], []),
        ([], ["ALLOW-FROM https://app.example.com"]),
    ],
)
def test_allowed(policies: list[str], options: list[str]) -> None:
    """Nothing stands in the way; X-Frame-Options counts only without frame-ancestors."""
    assert obstacle(CHAT, APP, policies, options) == ""


@pytest.mark.parametrize(
    ("policies", "options", "reason"),
    [
        ([STOCK], ["SAMEORIGIN"], "Content-Security-Policy: frame-ancestors 'self' teams.microsoft.com"),
        ([f"frame-ancestors {APP}", STOCK], [], "frame-ancestors 'self'"),
        ([f"frame-ancestors {APP}, {STOCK}"], [], "frame-ancestors 'self'"),
        (["frame-ancestors 'none'"], [], "frame-ancestors 'none'"),
        (["frame-ancestors"], [], "frame-ancestors 'none'"),
        (["frame-ancestors https://app.example.com:8443"], [], "8443"),
        (["frame-ancestors *.app.example.com"], [], "*.app"),
        (["frame-ancestors wss:"], [], "wss"),
        (["frame-ancestors 'unsafe-thing'"], [], "unsafe"),
        ([], ["SAMEORIGIN"], "X-Frame-Options: SAMEORIGIN"),
        ([], ["deny"], "X-Frame-Options: DENY"),
        ([], ["SAMEORIGIN, DENY"], "X-Frame-Options: SAMEORIGIN, DENY"),
    ],
)
def test_forbidden(policies: list[str], options: list[str], reason: str) -> None:
    """Every policy has to allow it, and the reason names the header."""
    assert reason in obstacle(CHAT, APP, policies, options)


def test_its_own_site_is_self() -> None:
    """'self' and SAMEORIGIN are the page's own origin."""
    own = "https://chat.example.com"

    assert obstacle(CHAT, own, [STOCK], ["SAMEORIGIN"]) == ""
    assert obstacle(CHAT, own, [], ["SAMEORIGIN"]) == ""
    assert obstacle(CHAT, own, [], ["DENY"])


def test_https_does_not_show_http() -> None:
    """Browsers block it whatever the headers say, unless it is on their own machine."""
    assert obstacle("http://chat.example.com/", APP, ["frame-ancestors *"], []) == MIXED
    assert obstacle("http://localhost:8065/", APP, ["frame-ancestors *"], []) == ""
