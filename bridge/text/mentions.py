"""Who a post speaks to. Pure: no I/O is imported here.

A mention is `@name` as people write it in Mattermost: in any case, and not as a part of a longer name or an
e-mail address. Code, block quotes and addresses of pages mention nobody.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from bridge.text.spoken import Spoken

_LATIN = (
    r"0-9A-Za-z_\u00aa\u00b5\u00ba\u00c0-\u02ff\u1e00-\u1eff\u2100-\u214f\u2c60-\u2c7f\ua720-\ua7ff"
    r"\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
)
"""Letters and digits that go on with an ASCII name; letters of other scripts need no space beside it."""

_BEFORE = rf"(?:(?<![{_LATIN}@])|(?<=\b_)|(?<=\b__))"
"""Not within a word or another mention; but `_@name_` and `__@name__` are emphasis."""

_AFTER = rf"[._-]*+(?![{_LATIN}])"
"""A name ends where a run of its characters ends, but for the punctuation of the sentence."""

_MARKS = r"_,.:;!?…\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f\u2013\u2014-"
"""What may stand between a mention and the sentence: ASCII, full-width, and two dashes."""

_ME = re.compile(r"\s*\*(?P<said>[^*]*)\*\s*")
"""The message of `/me`, which Mattermost stores in italics."""

_NAME = re.compile(rf"{_BEFORE}@(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?){_AFTER}(?!/[{_LATIN}])")
"""Somebody's name; `@scope/package` is none."""


_LONGEST_END = 50
"""Punctuation behind a mention at the end of a text, at most."""


def mentions(text: str, username: str) -> bool:
    """Whether the text speaks to `username` by name, outside of code, block quotes and addresses."""
    if f"@{username.casefold()}" not in text.casefold():
        return False
    spoken = Spoken(text)
    return any(spoken.at(found.start()) for found in _name(username).finditer(text))


def addressed(text: str) -> Iterator[str]:
    """Yield the names that the text mentions, in lower case; `all`, `channel` and `here` are among them."""
    spoken = Spoken(text)
    for found in _NAME.finditer(text):
        if spoken.at(found.start()):
            yield found["name"].lower()


def addresses_others(text: str, username: str) -> bool:
    """Whether the text mentions anybody but `username`, or everybody."""
    return any(name != username.lower() for name in addressed(text))


def strip_mention(text: str, username: str) -> str:
    """Return the text without a mention of `username` at its beginning and at its end, perhaps ""."""
    return _without_last(_without_first(text, username), username).rstrip()


@lru_cache(maxsize=8)
def _name(username: str) -> re.Pattern[str]:
    return re.compile(rf"{_BEFORE}@(?ai:{re.escape(username)}){_AFTER}")


@lru_cache(maxsize=8)
def _first(username: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:[ \t]*\n)*+ {{0,3}}@(?ai:{re.escape(username)})"
        rf"(?:[{_MARKS}]*+(?:(?:[ \t]*\n)++|[ \t]++|\Z)|[{_MARKS}]*+(?=[^\W{_LATIN}]))"
    )


@lru_cache(maxsize=8)
def _last(username: str) -> re.Pattern[str]:
    return re.compile(rf"{_BEFORE}@(?ai:{re.escape(username)})(?P<marks>[{_MARKS}]*+)\s*+\Z")


def _without_first(text: str, username: str) -> str:
    found = _first(username).match(text)
    if not found and (italic := _ME.fullmatch(text)) and (found := _first(username).match(italic["said"])):
        text = italic["said"]
    return text[found.end() :] if found else text


def _without_last(text: str, username: str) -> str:
    end = text.rstrip()
    found = _last(username).search(text, max(0, len(end) - len(username) - _LONGEST_END))
    if not found or not Spoken(text).at(found.start()):
        return text
    rest = text[: found.start()].rstrip(" \t\n,;")
    return rest + found["marks"].strip("_,:;-\u2013\u2014") if rest[-1:].isalnum() else rest
