"""Words by which an agent asks the gateway for silence. Pure: no I/O is imported here.

They are obeyed where they stand for themselves: as the whole answer, on a first or last line of their own, or
bare behind the last sentence. In quotes, in code or in a list of others they are a part of the answer.
"""

import re

_WORD = r"(?:NO_REPLY|HEARTBEAT_OK|ANNOUNCE_SKIP|REPLY_SKIP)"
_ALONE = re.compile(
    rf"(?:```\w{{0,10}}\n)?(?:[^\w\s]|_){{0,9}}(?:{_WORD}|NO\\_REPLY)"
    rf"(?:[\W_]{{1,20}}{_WORD}){{0,9}}[\W_]{{0,20}}",
    re.IGNORECASE,
)
"""In any quotes or marks, but nothing before it that a growing answer shows."""

_DRESSED = rf"[*_`\"']{{0,6}}{_WORD}[*_`\"'.!]{{0,9}}"
_FIRST = re.compile(rf"{_DRESSED}[ \t]{{0,20}}\n\s{{0,20}}")
_LAST = re.compile(
    rf"(?:(?<=\n)[ \t]{{0,9}}{_DRESSED}|(?<![^\s.!?])[*_]{{0,6}}{_WORD}[*_.!]{{0,9}})\s{{0,20}}\Z"
)
_ITEM = re.compile(r"(?:\A|\n)[ \t]{0,9}(?:[-*+>#|]|\d{1,9}[.)])[ \t]{0,9}\Z")
"""The beginning of an item that would be left empty without its word."""
_NO_RESPONSE = re.compile(r"No response from [A-Z][\w.-]*\.?")
"""What older gateways answer when the agent gave them nothing."""

_MOST = 10
"""Words at the end of a text that are taken off."""


def without_control_words(text: str) -> tuple[str, bool]:
    """Return the text without control words at its ends, and whether it asks for silence."""
    text = text.strip()
    if _ALONE.fullmatch(text):
        return "", True
    rest = text
    if found := _FIRST.match(rest):
        rest = rest[found.end() :]
    for _ in range(_MOST):
        found = _LAST.search(rest, max(0, len(rest) - 100))
        if not found or _ITEM.search(rest, max(0, found.start() - 30), found.start()):
            break
        rest = rest[: found.start()].rstrip()
    return ("" if _NO_RESPONSE.fullmatch(rest) else rest), rest != text and not rest
