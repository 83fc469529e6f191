"""An answer as posts, whole or while it grows. Pure: no I/O is imported here."""

import re
from collections.abc import Collection

from bridge.text.broadcast_mentions import without_broadcast_mentions
from bridge.text.fences import fences
from bridge.text.split import split
from bridge.text.visible import visible_so_far

_REACH = 1_000
"""Characters at the end that are searched for something unfinished; what is longer is shown as it stands."""

_ROW = re.compile(r"[ \t]{0,9}\|")
_LINK = re.compile(r"!?\[[^\[\]\n]*(?:\](?:\([^()\n]*)?)?\Z")
_CODE = re.compile(r"`[^`\n]*`")
_PAIRS = ("**", "__", "~~")


def posts_of(text: str, limit: int) -> list[str]:
    """Return the posts of a text, each of at most `limit` characters; nobody is alarmed by any."""
    # A cut can make `@all` of `@alliance`; undoing that adds a character.
    return [without_broadcast_mentions(part) for part in split(text, limit - 1)]


def shown_so_far(text: str, image_hosts: Collection[str] = (), *, late_ends: int = 0) -> str:
    """Return what is shown of an answer that still grows; "" while there is nothing.

    Before so many late ends of reasoning nothing is shown.

    Without its last lines that close open code, it is the beginning of the whole answer as it is posted, but
    for the invisible sign that keeps a mention from alarming anybody. No link, emphasis, formula or row of a
    table is shown in part.
    """
    shown = without_broadcast_mentions(visible_so_far(text, image_hosts, late_ends=late_ends))
    last = next(reversed(fences(shown, len(shown))), None)
    if last and last.closing == last.end == len(shown):
        return shown + last.ending
    return shown[: _settled_end(shown, last.end if last else 0)].rstrip()


def _settled_end(text: str, start: int) -> int:
    """Return where the text ends before anything unfinished; its last code ends at `start`."""
    end = max(_table_end(text), start)
    reach = max(start, end - _REACH)
    tail = _CODE.sub(lambda code: "`" * len(code[0]), text[reach:end])
    tail = _without_open(tail, "$$", tail.rfind("\n\n") + 1)
    for pair in _PAIRS:
        tail = _without_open(tail, pair, tail.rfind("\n") + 1)
    found = _LINK.search(tail)
    return reach + (found.start() if found else len(tail))


def _without_open(text: str, pair: str, start: int) -> str:
    """Return the text without the last of these marks behind `start`, and what follows, if it opens."""
    return text[: text.rfind(pair)] if text.count(pair, start) % 2 else text


def _table_end(text: str) -> int:
    """Return the end without a row that may go on, and without the head of a table that has no rule yet."""
    start = text.rfind("\n") + 1
    if not _ROW.match(text, start):
        return len(text)
    before = text.rfind("\n", 0, max(0, start - 1)) + 1
    if start and _ROW.match(text, before) and not _begins_table(text, before):
        return start
    return before if start and _ROW.match(text, before) else start


def _begins_table(text: str, line: int) -> bool:
    """Return whether the line is a row with none above it, so that it may be the head of a table."""
    above = text.rfind("\n", 0, max(0, line - 1)) + 1
    return not (line and _ROW.match(text, above))
