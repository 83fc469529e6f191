"""Who sends a browser that is signed in already to a link that signs it in, perhaps as somebody else."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web

from handlers.http.mattermost_cookies import TOKEN


def is_doubtful(request: web.Request, origins: Sequence[str]) -> bool:
    """Tell whether a page that is not one of `origins`, or nobody knows what, opens the link in a tab.

    By what only the browser itself writes (https://www.w3.org/TR/fetch-metadata/). A frame's cookies are kept
    for the site around it, so they replace none of a tab's. Pages of the chat's own site are trusted: among
    them is the page that asks whether to go on.
    """
    if request.headers.get("Sec-Fetch-Dest") != "document" or TOKEN not in request.cookies:
        return False
    somewhere_else = request.headers.get("Sec-Fetch-Site") in ("cross-site", "none")
    return somewhere_else and _origin(request.headers.get("Referer", "")) not in origins


def _origin(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}"
