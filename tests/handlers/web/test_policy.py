import pytest

from handlers.web.policy import page_policy


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://chat.example.com", "https://chat.example.com"),
        ("https://chat.example.com/base", "https://chat.example.com"),
        ("http://127.0.0.1:8065", "http://127.0.0.1:8065"),
        (None, "'none'"),
    ],
)
def test_only_the_chat_is_framed(url: str | None, origin: str) -> None:
    """A path in a policy would not match where Mattermost redirects to."""
    assert f"; frame-src {origin};" in page_policy(url, ())


def test_who_may_embed_us_may_frame_the_page() -> None:
    """Nobody else but our own origin."""
    assert "; frame-ancestors 'self' https://a.example https://b.example;" in page_policy(
        None, ("https://a.example", "https://b.example")
    )
    assert "; frame-ancestors 'self';" in page_policy(None, ())


def test_all_else_is_forbidden() -> None:
    """Inline scripts and styles above all."""
    policy = page_policy("https://chat.example.com", ())

    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "*" not in policy
