"""Where a browser may be sent after it was signed in: a path of the chat's host. Pure: no I/O is imported here."""

import re
from urllib.parse import unquote_to_bytes

from bridge.errors import InvalidRequest

LONGEST = 1024

_USUAL = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*")
"""What a path, a query and a fragment are written with (RFC 3986, appendix A)."""

_ELSEWHERE = re.compile(r"(?!/)|/?/|.*(//|\\|[\x00-\x20\x7f-\x9f])|[^?#]*/\.\.?(/|[?#]|$)".replace("/?/", "//"), re.DOTALL)
"""No path; or one that some reader could take for another host, or for something above."""

_MOST_TIMES = 8


def destination(given: str) -> str:
    """Return the path as it was given; raise `InvalidRequest` if it could lead away from the host.

    Whoever comes next may decode it once more, so no number of decodings may make it a different thing.
    """
    if len(given) > LONGEST or not _USUAL.fullmatch(given) or any(map(_ELSEWHERE.match, _readings(given))):
        raise InvalidRequest(
            f"redirect_to has to be a path such as /acme-corp/channels/agent, of {LONGEST} characters at most."
        )
    return given
