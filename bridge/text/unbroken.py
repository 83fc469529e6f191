"""What a cut between posts leaves whole: tables, links, emphasis, formulas. Pure: no I/O is imported here."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

_TABLE = re.compile(
    r"^(?=[^\n|]*\|)[^\n]*+\n(?=[^\n]*\|)(?=[^\n]*-)[ \t|:-]++\n"
    r"(?P<rows>(?:(?=[^\n|]*\|)[^\n]*+(?:\n|\Z))++)",
    re.MULTILINE,
)
_EMPHASIS = "|".join(
    rf"{mark}{mark}(?=\S)(?:[^{mark}\n]|{mark}(?!{mark})|\n(?![ \t]*\n))+{mark}{mark}"
    for mark in (r"\*", "_", "~")
)
_LINK = r"\[(?:[^\[\]\n]|\n(?![ \t]*\n))*\](?:\((?:[^()\n]|\([^()\n]*\))*\)|\[[^\[\]\n]*\])"
# Every alternative begins with a character that stands for itself, so that other text is passed over quickly.
_SPAN = re.compile(
    rf"\\.|`[^`\n]+`(?!`)|\$\$(?:[^$]|\$(?!\$))+\$\$|{_EMPHASIS}|{_LINK}|!{_LINK}|<https?://[^\s<>]+>",
    re.DOTALL,
)
_REACH = 1_000
"""Characters before and behind a cut that are searched for something that it tears."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as offsets into a text: head and rule, rows, end."""

    start: int
    rows: int
    end: int


def tables(text: str) -> list[Table]:
    """Return the tables of a text in order."""
    return [Table(found.start(), found.start("rows"), found.end()) for found in _TABLE.finditer(text)]


def table_around(known: Sequence[Table], position: int) -> Table | None:
    """Return the table that begins before `position` and ends behind it."""
    index = bisect_left(known, position, key=lambda table: table.start) - 1
    return known[index] if index >= 0 and position < known[index].end else None


def span_start(text: str, start: int, position: int) -> int:
    """Return where the link, emphasis, formula or code begins that a cut at `position` tears, or `position`.

    `start` is where the part begins; what is longer than `_REACH` may be torn.
    """
    low = max(start, position - _REACH)
    paragraph = text.rfind("\n\n", low, position)
    if paragraph >= 0 and text.count("$$", low, paragraph) % 2 == 0:
        low = paragraph
    for found in _SPAN.finditer(text, low, position + _REACH):
        if found.start() >= position:
            break
        if position < found.end():
            return found.start()
    return position
