"""What the messaging page may load and show. Pure: no I/O is imported here."""

from collections.abc import Iterable
from urllib.parse import urlsplit


def page_policy(chat_url: str | None, embedders: Iterable[str] | None) -> str:
    """Return the page's Content-Security-Policy.

    `chat_url` is what the page shows in its frame; `embedders` are the origins that may frame the page; None
    for a page that nobody may.
    """
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "frame-src": _origin(chat_url) if chat_url else "'none'",
        "frame-ancestors": "'none'" if embedders is None else " ".join(("'self'", *embedders)),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
