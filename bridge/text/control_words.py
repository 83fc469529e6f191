"""Words by which an agent asks the gateway for silence. Pure: no I/O is imported here."""

import re

_WORD = r"(?:NO_REPLY|HEARTBEAT_OK|ANNOUNCE_SKIP|REPLY_SKIP)"
_MARKS = r"[*_`\"'.!\s]{0,20}"

_FIRST = re.compile(rf"[*_`\"']{{0,6}}{_WORD}(?![\w-]){_MARKS}")
_LAST = re.compile(rf"(?<![\w-])[*_`\"']{{0,6}}{_WORD}{_MARKS}\Z")
_NO_RESPONSE = re.compile(r"No response from [A-Z][\w.-]*\.?")
"""What older gateways answer when the agent gave them nothing."""

_MOST = 10
"""Words at the end of a text that are taken off."""


def without_control_words(text: str) -> tuple[str, bool]:
    """Return the text without control words at its ends, and whether it asks for silence."""
    stripped = text.strip()
    rest = stripped
    if found := _FIRST.match(rest):
        rest = rest[found.end() :]
    for _ in range(_MOST):
        if not (found := _LAST.search(rest, max(0, len(rest) - 100))):
            break
        rest = rest[: found.start()].rstrip()
    if _NO_RESPONSE.fullmatch(rest):
        rest = ""
    return rest, rest != stripped and not rest.strip() and not _NO_RESPONSE.fullmatch(stripped)
