"""Who a post speaks to. Pure: no I/O is imported here.

A mention is `@name` as Mattermost's people write it: in any case, and not as a part of a longer name
or an address. What stands in code, in a block quote or in a URL speaks to nobody.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_BEFORE = r"(?:(?<![\w@/])|(?<=\b_)|(?<=\b__))"
"""Not within a word, another mention or a path; but `_@name_` and `__@name__` are emphasis."""

_AFTER = r"[._-]*+(?!\w)"
"""A name ends where a run of its characters `[\\w._-]` ends, but for the punctuation of the sentence."""

_MARKS = r"_,.:;!?…\u2013\u2014-"
"""What may stand between a mention and the sentence; U+2013 and U+2014 are dashes."""

_URL = re.compile(r"://\S*|(?<!\w)www\.\S*", re.IGNORECASE)

_QUOTE_ENDS = re.compile(r"^( {0,3}>.*\n)(?! {0,3}>)", re.MULTILINE)

_SOMEBODY = re.compile(r"\s*(@\w[\w.-]*)")

_blocks = (
    MarkdownIt("zero").enable(["blockquote", "code", "fence", "heading", "hr", "list"]).disable("inline")
)
_inlines = MarkdownIt("zero").enable(["autolink", "backticks", "escape"])
"""Only what tells code, quotes and addresses; without links, emphasis and HTML both are linear."""


def mentions(text: str, username: str) -> bool:
    """Whether the text speaks to `username` by name, outside code, block quotes and URLs."""
    if f"@{username.casefold()}" not in text.casefold():
        return False
    name = _name(username)
    return any(name.search(_URL.sub(" ", said)) for said in _said(text))


def addresses_other(text: str, username: str) -> bool:
    """Whether the text begins by speaking to somebody else: `@other …`, `@all …`, `@here …`."""
    first = _SOMEBODY.match(text)
    return first is not None and not _name(username).match(first[1])


def strip_mention(text: str, username: str) -> str:
    """Return the text without a mention of `username` at its beginning and at its end, perhaps ""."""
    return _without_last(_without_first(text, username), username).rstrip()


@lru_cache(maxsize=8)
def _name(username: str) -> re.Pattern[str]:
    return re.compile(rf"{_BEFORE}@(?ai:{re.escape(username)}){_AFTER}")


@lru_cache(maxsize=8)
def _first(username: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:[ \t]*\n)*+ {{0,3}}@(?ai:{re.escape(username)})[{_MARKS}]*+(?:(?:[ \t]*\n)++|[ \t]++|\Z)"
    )


@lru_cache(maxsize=8)
def _last(username: str) -> re.Pattern[str]:
    return re.compile(rf"{_BEFORE}@(?ai:{re.escape(username)})(?P<marks>[{_MARKS}]*+)\s*\Z")


def _said(text: str) -> Iterator[str]:
    """Yield what is neither code nor quoted, a paragraph or heading with an `@` at a time."""
    # CommonMark lets a line without ">" continue a quote; who typed that line did not quote it.
    quotes = 0
    for block in _blocks.parse(_QUOTE_ENDS.sub(r"\1\n", text)):
        quotes += (block.type == "blockquote_open") - (block.type == "blockquote_close")
        if block.type == "inline" and "@" in block.content and not quotes:
            yield "".join(_plain(_inlines.parseInline(block.content)[0].children or []))


def _plain(children: list[Token]) -> Iterator[str]:
    address = False
    for child in children:
        if child.type in ("link_open", "link_close"):
            address = child.type == "link_open"
        yield child.content if child.type == "text" and not address else " "


def _without_first(text: str, username: str) -> str:
    found = _first(username).match(text)
    return text[found.end() :] if found and mentions(text[: found.end()], username) else text


def _without_last(text: str, username: str) -> str:
    found = _last(username).search(text)
    # Only this one may count: an earlier mention says nothing about where the last one stands.
    if not found or not mentions(text[: found.start()].replace("@", " ") + found[0], username):
        return text
    rest = text[: found.start()].rstrip(" \t\n,;")
    return rest + found["marks"].strip("_,:;-\u2013\u2014") if rest[-1:].isalnum() else rest
