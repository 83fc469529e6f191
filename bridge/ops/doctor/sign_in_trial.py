"""The doctor lets Mattermost exchange a code that signs nobody in, and sees how far it comes."""

import re
from collections.abc import Sequence
from contextlib import suppress
from html import unescape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import ClientSession

from bridge.ops.doctor.web import fetch
from bridge.ops.findings import Finding
from bridge.ops.sign_in_settings import VARIABLE
from handlers.http.access_token import TRIAL_CODE
from handlers.http.oauth import COMPLETION

SUBJECT = "sign-in trial"

_SETUP = "run `equabot-bridge setup --bridge-url URL`, with SIGN_IN_SECRET if the bridge has one"


async def trial(session: ClientSession, url: str) -> Sequence[Finding]:
    """Begin a sign-in at Mattermost's `url` and finish it with the code; nothing if it is off there."""
    begin = await fetch(session, f"{url}/oauth/gitlab/login")
    state = _parameter(begin.headers.get("Location", ""), "state")
    if not state:
        return []  # the comparison of both sides reports it
    query = urlencode({"code": TRIAL_CODE, "state": state})
    headers = {"Cookie": _cookies(begin.headers.getall("Set-Cookie", ())), "Accept-Language": "en"}
    end = await fetch(session, f"{url}{COMPLETION}?{query}", headers=headers)
    return [outcome(_message(end.body.decode(errors="replace")))]


def outcome(message: str) -> Finding:
    """Judge Mattermost's error, in its English, when the trial ends (server/i18n/en.json).

    The bridge takes the trial's code with the right secret only, and tells nobody's name for it.
    """
    match message:
        case "Received invalid response from OAuth service provider.":
            return Finding(SUBJECT, "good", "Mattermost reaches the bridge, with the same secret")
        case "Token request failed." | "Token request to gitlab failed.":
            found = "Mattermost does not reach the bridge"
            return Finding(SUBJECT, "bad", found, f"see GitLabSettings.TokenEndpoint: {_SETUP}")
        case "Bad response from token request.":
            found = f"the bridge refuses Mattermost: its secret is not {VARIABLE}, or it is not ours"
            return Finding(SUBJECT, "bad", found, _SETUP)
        case "":
            found = "not seen: something between here and Mattermost answers in its place"
            return Finding(SUBJECT, "absent", found, "")
    return Finding(SUBJECT, "bad", f"Mattermost cannot finish a sign-in: {message}", "see Mattermost's log")


def _parameter(address: str, name: str) -> str:
    return next(iter(parse_qs(urlsplit(address).query).get(name, ())), "")


def _cookies(headers: Sequence[str]) -> str:
    """Return the Cookie header that a browser sends after these Set-Cookie headers."""
    cookies = SimpleCookie()
    for header in headers:
        with suppress(CookieError):
            cookies.load(header)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())


def _message(page: str) -> str:
    """Return the error in Mattermost's page, which leads on to its web app; empty if it is another page."""
    links = re.findall(r'<a href="([^"]*)"', page)
    return next((found for link in links if (found := _parameter(unescape(link), "message"))), "")
