"""Show what an agent hides in what people are to approve. Pure: no I/O is imported here."""

import re
import unicodedata

from bridge.text.storable import is_seen

SIGN = "\N{REPLACEMENT CHARACTER}"
"""Stands where a character is that nobody sees."""

_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""Characters that turn the direction of what follows them, and tags, by which text says what nobody sees."""

_PLAIN = frozenset(" \n\t")
_SELECTORS = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Marks without a shape."""


def revealed(text: str) -> str:
    """Return a text of an agent with a sign for what makes it look like another one."""
    return _TURNING.sub(SIGN, text)


def revealed_command(text: str) -> str:
    """Return a command with a sign for each character that nobody sees, or that only looks like a space."""
    return "".join(each if _shows(each) else SIGN for each in text)


def cut(text: str, longest: int, beyond: int = 0) -> str:
    """Return the text, or its beginning and how much is missing: what is not shown may be what matters.

    `beyond`: characters that are missing already.
    """
    return f"{text[:longest]}{not_shown(max(0, len(text) - longest) + beyond)}"


def not_shown(missing: int) -> str:
    """Return what stands at the end of a text of which so many characters are missing; empty for none."""
    return f" … ({missing:,} more characters are not shown)" if missing else ""


def _shows(character: str) -> bool:
    if character in _PLAIN or is_seen(character):
        return True
    return unicodedata.category(character)[0] == "M" and not _SELECTORS.fullmatch(character)
