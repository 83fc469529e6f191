"""Where a browser may go once it is signed in: a path of the chat's host. Pure: no I/O is imported here."""

import re

from bridge.errors import InvalidRequest

LONGEST = 1024
"""Characters."""

PATTERN = (
    r"(?=/)(/(?!\.\.?([/?#]|$))[A-Za-z0-9._~@:+-]+)*/?"
    r"(\?[A-Za-z0-9._~@:=&+-]*)?(#[A-Za-z0-9._~@:=&+-]*)?"
)
"""No "//" and no "\\", so that no browser reads a host; no "%", so that nobody can decode it to either.

Mattermost's teams, channels, people and posts are written without (server/public/model/utils.go).
"""


def redirect_path(path: str) -> str:
    """Return the path; raise `InvalidRequest` if it is malformed, or leads above where it begins."""
    if len(path) > LONGEST or not re.fullmatch(PATTERN, path):
        raise InvalidRequest(
            "redirect_to has to be a path of the chat such as /acme-corp/channels/agent, in plain characters."
        )
    return path
