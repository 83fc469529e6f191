"""Whether a browser that is signed in already was sent here by somebody who wants it to be somebody else."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web

from handlers.http.mattermost_cookies import TOKEN

_FETCH_METADATA = ("Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-Mode")


def is_doubtful(request: web.Request, origins: Sequence[str]) -> bool:
    """Return whether a page that is not one of `origins`, or no page, opens the link in a signed-in tab.

    Goes by what only the browser itself writes (https://www.w3.org/TR/fetch-metadata/), and where a browser
    writes none of that, as over plain HTTP, by the page that it names: a strange page can keep its name to
    itself, so a browser that names none is asked as well, frame or not. Else a frame is not: its cookies are
    kept for the site around it, so they replace none of a tab's. Pages of the chat's own site are trusted:
    among them is the page that asks whether to go on.
    """
    if TOKEN not in request.cookies:
        return False
    if not any(name in request.headers for name in _FETCH_METADATA):
        return not _is_known_page(request, origins)
    if request.headers.get("Sec-Fetch-Dest") != "document":
        return False
    somewhere_else = request.headers.get("Sec-Fetch-Site") in ("cross-site", "none")
    return somewhere_else and _origin(request.headers.get("Referer", "")) not in origins


def _is_known_page(request: web.Request, origins: Sequence[str]) -> bool:
    """Return whether Referer and Origin, of which there is one, are of `origins` or the chat's own host."""
    own = (f"https://{request.host}", f"http://{request.host}")
    named = (*request.headers.getall("Referer", ()), *request.headers.getall("Origin", ()))
    senders = [sender for sender in named if sender]
    return bool(senders) and all(_origin(sender) in (*origins, *own) for sender in senders)


def _origin(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}"
