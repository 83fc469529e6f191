"""Fenced code that every reader of Markdown takes for code. Pure: no I/O is imported here.

Mattermost's server, its web app and its phone apps read Markdown differently: in the web app a blank line
ends the code of a fence that follows a list, a fence may stand within an HTML comment, and backticks mixed
with tildes may close it, and one that is not closed is none. All agree on a closed fence at the beginning of
a line, behind plain text or a blank line.
"""

import re
from collections.abc import Iterator

_MARKED_LINE = re.compile(r"^.*(?:```|~~~).*$", re.MULTILINE)
_OPENING = re.compile("(`{3,}|~{3,})[^`~]*")
_CONTAINER = re.compile(r"^[ \t]*(?:[*+\->|<\[#]|!+\[|\d{1,9}[.)])", re.MULTILINE)
_HTML = re.compile(r"^ {0,3}<[!?/A-Za-z]", re.MULTILINE)
_BLANK_LINE = re.compile(r".*\n[ \t]*\n", re.DOTALL)


_MOST_LINES = 2_000
"""Lines with three such marks that are looked at; a text with more has no certain code behind them."""


def segments(text: str) -> Iterator[tuple[str, bool]]:
    """Divide a text; yield each piece and whether it is code. From the first doubtful fence on nothing is."""
    start, fence = 0, ""
    for number, line in enumerate(_MARKED_LINE.finditer(text)):
        if number == _MOST_LINES:
            break
        if fence:
            if _closes(line[0], fence):
                yield text[start : line.start()], True
                start, fence = line.start(), ""
            elif line[0].lstrip(" ").startswith(fence):
                break
        elif (found := _OPENING.fullmatch(line[0])) and _is_plain(text[start : line.start()]):
            yield text[start : line.end()], False
            start, fence = line.end(), found[1]
        else:
            break
    yield text[start:], False


def _closes(line: str, fence: str) -> bool:
    return line.startswith(fence) and not line.rstrip(" ").strip(fence[0])


def _is_plain(before: str) -> bool:
    """Whether no list, quote, table or HTML is open at the end of the text before a fence."""
    if _HTML.search(before):
        return False
    blank = _BLANK_LINE.match(before)
    return not _CONTAINER.search(before, blank.end() if blank else 0)
