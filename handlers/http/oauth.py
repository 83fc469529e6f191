"""What Mattermost's GitLab sign-in asks of its provider (RFC 6749). Pure: no I/O is imported here.

Written by hand: Authlib's server calls its storage synchronously, and what is left without it is this page.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus, urlencode

from bridge.db.sign_ins import Client
from bridge.errors import InvalidRequest, NotPermitted

CLIENT_ID = "equabot-bridge"

COMPLETION = "/signup/gitlab/complete"
"""Where a code is brought to, below the chat's address: also from the mobile and the desktop apps
(`completeOAuth` in server/channels/web/oauth.go)."""

LONGEST_STATE = 2048
"""Characters; Mattermost's has a token and the path that the browser goes on to."""

_SCOPES = frozenset({"", "read_user"})
"""Mattermost sends what its settings say; the second is GitLab's own name for what we answer."""

_PLACES: Mapping[str, str] = {
    "login": r"(/(?![/\\])[^\x00-\x1f\x7f\\]*)?",
    "mobile": r"((?!(?i:https?):)[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20\x7f]*)?",
}
"""By the action of a sign-in that is nothing else: where it may end. A phone goes back to its app."""

_TEAMS = frozenset({"team_id", "invite_id"})
_OTHER = _TEAMS | {"email"}
"""What a `state` has that does more."""

AuthorizationError = Literal["invalid_request", "access_denied", "unsupported_response_type", "invalid_scope"]
"""Of RFC 6749 section 4.1.2.1; the others of that list never lead back to Mattermost, see `client_of`."""

TokenError = Literal["invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type"]


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """Goes back to Mattermost in the address."""

    error: AuthorizationError
    description: str


def require_client(query: Mapping[str, Sequence[str]], client: Client) -> None:
    """Raise `NotPermitted` unless the request comes from the client and leads back to it.

    Such a request must be sent back nowhere (RFC 6749 section 4.1.2.1).
    """
    known = {"client_id": client.client_id, "redirect_uri": client.redirect_uri}
    if any(list(query.get(name, ())) != [value] for name, value in known.items()):
        raise NotPermitted("This address signs nobody in: it does not lead back to the chat.")
    if len(_one(query, "state")) > LONGEST_STATE:
        raise InvalidRequest("This sign-in carries too much. Please open Messaging in Equa again.")


def state_of(query: Mapping[str, Sequence[str]]) -> str:
    """Return the `state` of a request that asks for a code; raise `Refusal`."""
    if any(len(values) > 1 for values in query.values()):
        raise Refusal("invalid_request", "A parameter is there twice.")
    if not _one(query, "response_type"):
        raise Refusal("invalid_request", "response_type is missing.")
    if _one(query, "response_type") != "code":
        raise Refusal("unsupported_response_type", "Only codes are given.")
    if _one(query, "scope") not in _SCOPES:
        raise Refusal("invalid_scope", "There is no such scope.")
    state = _one(query, "state")
    if not is_plain(state):
        raise Refusal("access_denied", "Signing in joins no team and changes no account.")
    return state


def is_plain(state: str) -> bool:
    """Return whether Mattermost does nothing with a `state` but sign somebody in.

    Whoever has a browser can write a state anew: Mattermost protects its token, action and address, but not
    the id of a team that it then puts the person into (`AuthorizeOAuthUser` and `LoginByOAuth` in
    server/channels/app/oauth.go). Nor does it keep the browser on its host: it takes "//host" for a path, and
    every address that begins like its own (`IsValidWebAuthRedirectURL` in server/channels/utils/utils.go).
    """
    props = _props(state)
    place = _PLACES.get(props.get("action", ""))
    stays = place is not None and re.fullmatch(place, props.get("redirect_to", "")) is not None
    return stays and bool(props.get("token")) and not _OTHER & props.keys()


def place_of(state: str) -> str:
    """Return where the browser goes once it is signed in, empty if a `state` does not say."""
    return _props(state).get("redirect_to", "")


def joins_no_team(state: str) -> bool:
    """Return whether a `state` can be read and names no team."""
    props = _props(state)
    return bool(props) and not _TEAMS & props.keys()


def _props(state: str) -> Mapping[str, str]:
    """Return what a `state` holds, nothing if Mattermost might read it in another way."""
    try:
        props = json.loads(base64.b64decode(state, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    if not isinstance(props, dict) or not all(isinstance(value, str) for value in props.values()):
        return {}
    return props


def back(client: Client, state: str, **fields: str) -> str:
    """Return the address that leads back to Mattermost."""
    answer = {**fields, **({"state": state} if state else {})}
    return f"{client.redirect_uri}?{urlencode(answer)}"


def credentials(authorization: str, form: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """Return a client's id and secret, of the header or of the form; None if there are none, or both."""
    in_form = (_one(form, "client_id"), _one(form, "client_secret"))
    scheme, _, encoded = authorization.partition(" ")
    if not authorization:
        return in_form if all(in_form) else None
    if scheme.lower() != "basic" or in_form[1]:
        return None
    return _basic(encoded.strip())


def _basic(encoded: str) -> tuple[str, str] | None:
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    # Both are URL-encoded first (RFC 6749 section 2.3.1).
    return (unquote_plus(name), unquote_plus(secret)) if colon else None


def _one(values: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(values.get(name, ())), "")
