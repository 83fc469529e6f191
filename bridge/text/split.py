"""Divide a long text into posts. Pure: no I/O is imported here."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bridge.text.fences import Fence, around, fences
from bridge.text.unbroken import Table, span_start, table_around, tables

_SHORTEST = 100

_BLANK_LINES = re.compile(r"(?:[ \t\r]*\n)*+")
_REST_OF_LINE = re.compile(r"[ \t\r]*+(?:[ \t\r]*\n)*+")

_LINES = (("\n\n",), ("\n",))
_WORDS = ((". ", "! ", "? ", "… ", "。", "！", "？"), (" ",))  # noqa: RUF001  # the full-width ones are meant

_FENCE = re.compile(r"[ \t\r]*+(?:```|~~~)")
"""What would open a fence at the beginning of a part, but opens none in the middle of a line."""

_SEQUENCE = 32
"""No character that people write is made of more code points."""


def split(text: str, limit: int) -> list[str]:
    """Return the text in parts of at most `limit` (100 or more) characters, which are code points.

    A part ends at a paragraph, else at a line, a sentence, a word, else anywhere but within a character, and
    where possible not within a link, emphasis or formula. Code that is cut is closed with its own fence and
    reopened with the same in the next part. A table that fits into the next part moves there; of a longer one
    each part repeats the head. Nothing but blank space is lost, and that only at a cut and at both ends; a
    blank text has no parts.
    """
    if limit < _SHORTEST:
        raise ValueError(f"A part must be allowed {_SHORTEST} characters or more, not {limit}.")
    return list(_parts(text.rstrip(), limit))


def _parts(text: str, limit: int) -> Iterator[str]:
    start = _next(text, 0)
    longest = limit // 4
    is_long = len(text) - start > limit
    known, grids = (fences(text, longest), tables(text)) if is_long else ([], [])
    reserve = max((len(fence.ending) for fence in known), default=0)
    head = ""
    while len(head) + len(text) - start > limit:
        end = _end(text, start, start + limit - len(head), reserve, known)
        fence = around(known, end)
        table = None if fence else table_around(grids, end)
        if table:
            end = _before_table(table, start, end, limit)
        elif not fence:
            end = _before_span(text, start, end)
        yield from _part(head + text[start:end], fence)
        head = _table_head(text, end, table, limit // 2) or _head(text, end, fence, longest)
        start = end if fence else _next(text, end)
    if start < len(text):
        yield head + text[start:]


def _before_table(table: Table, start: int, end: int, limit: int) -> int:
    """Return the beginning of the table if it fits into the next part, or if only its head would stay."""
    moves = table.end - table.start <= limit or end <= table.rows
    return table.start if moves and table.start > start else end


def _before_span(text: str, start: int, end: int) -> int:
    begin = span_start(text, start, end)
    return begin if text[start:begin].strip() and not _FENCE.match(text, begin) else end


def _table_head(text: str, end: int, table: Table | None, longest: int) -> str:
    """Return the head and the rule of a table that goes on behind a cut between two rows."""
    if not table or end <= table.rows or table.rows - table.start > longest or text[end - 1] != "\n":
        return ""
    return text[table.start : table.rows]


def _part(part: str, fence: Fence | None) -> Iterator[str]:
    if fence:
        yield part.removesuffix("\n") + fence.ending
    elif part := part.rstrip():
        yield part


def _head(text: str, position: int, fence: Fence | None, longest: int) -> str:
    if not fence:
        return ""
    return fence.opening(longest) + ("" if text[position - 1] == "\n" else fence.indent)


def _next(text: str, position: int) -> int:
    """Return where the next part begins: the indentation of its first line stays."""
    begins_line = position == 0 or text[position - 1] == "\n"
    blank = (_BLANK_LINES if begins_line else _REST_OF_LINE).match(text, position)
    return blank.end() if blank else position


def _end(text: str, start: int, most: int, reserve: int, known: Sequence[Fence]) -> int:
    """Return where the part that begins at `start` ends: by `most`, with `reserve` left to close a fence."""
    furthest = most - reserve
    words = around(known, furthest) is None
    end = _break(text, start, furthest, words=words) or _whole(text, start, furthest)
    fence = around(known, end)
    if fence and end <= fence.code:
        # None of the code would stand in this part, so it begins with the next one.
        return fence.start if fence.start > start else _whole(text, start, furthest)
    if fence and end == fence.closing and fence.end - 1 <= most:
        return fence.end
    return end


def _break(text: str, start: int, furthest: int, *, words: bool) -> int:
    """Return the last break of the best kind, sought in the second half first; 0 if there is none."""
    for low in ((start + furthest) // 2, start + 1):
        for marks in _LINES + _WORDS * words:
            if end := max(_behind(mark, text, low, furthest) for mark in marks):
                return end
    return 0


def _behind(mark: str, text: str, low: int, furthest: int) -> int:
    # White space at the end of a part is taken off, so it may stand beyond.
    high = furthest + mark[-1].isspace()
    while (found := text.rfind(mark, low, high)) >= 0:
        end = found + len(mark)
        if mark[-1] == "\n" or not _FENCE.match(text, end):
            return end
        high = end - 1
    return 0


def _whole(text: str, start: int, furthest: int) -> int:
    """Return the last place that does not cut through a character made of several code points."""
    for end in range(furthest, max(furthest - _SEQUENCE, start), -1):
        if not _continues(text[end - 1], text[end]):
            return end
    return furthest


def _continues(before: str, character: str) -> bool:
    """Tell whether a code point may not begin a part: accents, joined emoji, skin tones, fences."""
    return (
        unicodedata.category(character).startswith("M")
        or "\u200d" in (before, character)
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\udc00" <= character <= "\udfff"
        or character in "`~"
    )
