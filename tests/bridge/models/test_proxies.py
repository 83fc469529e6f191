import pytest

from bridge.models.proxies import Proxies, without_login

HTTP, HTTPS = "http://one:3128", "http://two:3128"


def chosen(url: str, *exceptions: str) -> str | None:
    return Proxies(HTTP, HTTPS, exceptions).of(url)


def test_the_scheme_chooses_the_proxy() -> None:
    assert chosen("http://chat.example.com/api") == HTTP
    assert chosen("https://chat.example.com/api") == HTTPS
    assert Proxies(https=HTTPS).of("http://chat.example.com") is None
    assert Proxies().of("https://chat.example.com") is None


@pytest.mark.parametrize(
    ("exception", "url"),
    [
        ("*", "http://chat.example.com"),
        ("example.com", "http://example.com"),
        ("example.com", "http://chat.example.com"),
        (".example.com", "http://chat.example.com"),
        (".example.com", "http://example.com"),
        ("*.example.com", "http://chat.example.com"),
        ("EXAMPLE.com", "http://Chat.Example.COM"),
        (" example.com ", "http://example.com"),
        ("example.com", "http://example.com./"),
        ("example.com:8065", "http://example.com:8065"),
        ("example.com:80", "http://example.com"),
        ("example.com:443", "https://example.com"),
        ("localhost", "http://localhost:8065"),
        ("127.0.0.1", "http://127.0.0.1:8065"),
        ("127.0.0.1:8065", "http://127.0.0.1:8065"),
        ("10.0.0.0/8", "http://10.1.2.3:8065"),
        ("10.1.2.3/8", "http://10.200.0.1"),
        ("::1", "http://[::1]:8065"),
        ("[::1]:8065", "http://[::1]:8065"),
        ("fd00::/8", "http://[fd00::1]"),
        ("127.0.0.0/8", "http://[::ffff:127.0.0.1]"),
    ],
)
def test_an_exception_goes_directly(exception: str, url: str) -> None:
    assert chosen(url, "other.example.net", exception) is None


@pytest.mark.parametrize(
    ("exception", "url"),
    [
        ("example.com", "http://example.org"),
        ("example.com", "http://notexample.com"),
        ("chat.example.com", "http://example.com"),
        ("example.com:8065", "http://example.com:8066"),
        ("example.com:8065", "http://example.com"),
        ("10.0.0.0/8", "http://11.0.0.1"),
        ("10.0.0.0/8", "http://example.com"),
        ("10.0.0.0/99", "http://10.0.0.1"),
        ("0.0.1", "http://127.0.0.1"),
        ("", "http://example.com"),
        (".", "http://example.com"),
        ("nonsense/8", "http://example.com"),
        ("::1", "http://[::2]"),
    ],
)
def test_everything_else_goes_through_the_proxy(exception: str, url: str) -> None:
    assert chosen(url, exception) == HTTP


def test_what_is_shown_has_no_login() -> None:
    secret = Proxies("http://ada:secret@one:3128", None, ("a", "b"))

    assert list(secret.shown) == ["HTTP_PROXY http://one:3128", "NO_PROXY a,b"]
    assert "secret" not in repr(secret)
    assert without_login("http://a@b:c@one:1") == "http://one:1"
    assert list(Proxies(exceptions=("a",)).shown) == []
