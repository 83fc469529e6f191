"""The reasoning that a model writes in front of its answer. Pure: no I/O is imported here."""

import re

from bridge.text.model_markup import THINK_CLOSING, THINK_OPENING

_PREAMBLE = re.compile(
    r"\s+|<\|(?:start|im_start)\|>\s*(?:assistant)?|<\|start_header_id\|>\s*assistant\s*<\|end_header_id\|>"
    r"|<\|(?:start|begin)_?of_?\w{1,20}\|>|<s>|<final>"
)

_BLOCKS = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (
        ("|".join(THINK_OPENING), "|".join(THINK_CLOSING)),
        (r"<details\b[^<>]{0,200}\btype=[\"']?reasoning\b[^<>]{0,200}>", r"</details\s{0,9}>"),
    )
)

_UNTAGGED = re.compile(r"(?:analysis|commentary)(?=[A-Z\"'“])")
_UNTAGGED_END = re.compile(r"assistant\s{0,9}final")
"""What remains of harmony's channels on a server that drops their tags but not their names."""

_HEADING = r"\W{0,6}(?:Reasoning|Thinking)(?:\W{0,6}(?:\n|\Z)|:[^\n]*(?:\n|\Z))"
_QUOTED = re.compile(rf">{_HEADING}(?:>[^\n]*(?:\n|\Z))*")
_ITALIC = re.compile(r"(?:Reasoning|Thinking):[ \t]*\n(?:[ \t]*_[^\n]*_[ \t]*(?:\n|\Z)|[ \t]*\n(?=[ \t]*_))+")
"""The gateway shows reasoning as a quote, or in italics line by line, where it is configured to show it."""

_BEGINNING = re.compile(
    r"(?:>[^\n]*(?:\n>[^\n]*)*\n?|(?:Reasoning|Thinking):(?:[\s_].*)?|<[^<>]{0,400})\Z", re.DOTALL
)


def without_leading_reasoning(text: str, *, whole: bool = True) -> str:
    """Return the text without the reasoning that it begins with; a block without an end hides all of it.

    Of a text that still grows (not `whole`) nothing is returned while its beginning may become reasoning.
    """
    text = _answer(text)
    if not whole and (_BEGINNING.match(text)):
        return ""
    return text


def _answer(text: str) -> str:
    position = 0
    while (end := _passed(text, position)) is not None:
        position = end
    return text[position:]


def _passed(text: str, position: int) -> int | None:
    """Return the end of the reasoning or preamble that stands at `position`; None if there is none."""
    if (
        found := _PREAMBLE.match(text, position)
        or _QUOTED.match(text, position)
        or _ITALIC.match(text, position)
    ):
        return found.end()
    for opening, closing in (*_BLOCKS, (_UNTAGGED, _UNTAGGED_END)):
        if found := opening.match(text, position):
            end = closing.search(text, found.end())
            return end.end() if end else len(text)
    return None
