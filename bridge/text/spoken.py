"""Where the author of a post speaks: outside of code, quotes and addresses. Pure: no I/O is imported here."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from bridge.text.containers import line_at
from bridge.text.fences import Fence, around, fences
from bridge.text.inline_code import code_span_end

_BLOCK_START = re.compile(
    r"\n(?=[ \t]*(?:\n|\Z|(?:[-+*]|\d{1,9}[.)])[ \t]|#{1,6}[ \t\n]|>|```|~~~))|(?<=\n)#[^\n]*\n"
)
"""Code within a line does not reach over such a line end."""

_INLINE = re.compile(r"\\[!-/:-@\[-`{-~]|(?P<ticks>`+)|<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*>")
_QUOTED = re.compile(r"[ \t]*+(?:(?:[-+*]|\d{1,9}[.)])[ \t]++)*+>")
_INDENTED = re.compile(r" {0,3}\t| {4}")
_ADDRESS = re.compile(r"://|(?<!\w)www\.|(?<![\w@.-])[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}/", re.IGNORECASE)
_WORD_END = re.compile(r"\s|\Z")

_MOST_INDENTED = 20
"""Indented lines of a text that are looked at; further ones count as code."""


class Spoken:
    """Says of places in a text whether its author speaks there. It reads only what the answer needs."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._addresses: dict[int, int] = {}
        """Where the first address of a word begins, by the word's position."""
        self._indented: dict[int, bool] = {}
        self._code_spans: dict[int, list[tuple[int, int]]] = {}

    def at(self, position: int) -> bool:
        """Return False within code, a block quote or an address."""
        start = self.text.rfind("\n", 0, position) + 1
        return not (
            _QUOTED.match(self.text, start)
            or self._is_in_address(start, position)
            or around(self._fences, position + 1)
            or self._is_in_code_span(position)
            or self._is_indented_code(start)
        )

    @cached_property
    def _fences(self) -> list[Fence]:
        return fences(self.text, len(self.text) + 2)

    @cached_property
    def _block_starts(self) -> list[int]:
        return [0, *(found.end() for found in _BLOCK_START.finditer(self.text)), len(self.text)]

    def _is_in_address(self, start: int, position: int) -> bool:
        """Whether the word before `position` makes an address of what follows."""
        word = max(start, *(self.text.rfind(space, start, position) + 1 for space in " \t"))
        if word not in self._addresses:
            end = _WORD_END.search(self.text, word)
            found = _ADDRESS.search(self.text, word, end.start() if end else word)
            self._addresses[word] = found.end() if found else len(self.text)
        return self._addresses[word] <= position

    def _is_indented_code(self, start: int) -> bool:
        if not _INDENTED.match(self.text, start):
            return False
        if start not in self._indented:
            is_too_many = len(self._indented) >= _MOST_INDENTED
            self._indented[start] = is_too_many or line_at(self.text, start).is_code
        return self._indented[start]

    def _is_in_code_span(self, position: int) -> bool:
        if "`" not in self.text:
            return False
        index = bisect_right(self._block_starts, position) - 1
        start, stop = self._block_starts[index], self._block_starts[index + 1]
        if start not in self._code_spans:
            self._code_spans[start] = list(_code_spans(self.text, start, stop))
        spans = self._code_spans[start]
        before = bisect_right(spans, (position, position)) - 1
        return before >= 0 and position < spans[before][1]


def _code_spans(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    while found := _INLINE.search(text, start, stop):
        start = found.end()
        if found["ticks"] and (end := code_span_end(text, found.start(), stop)):
            yield found.start(), end
            start = end
