"""An answer without the markup of models and gateways. Pure: no I/O is imported here."""

import json
import re

from bridge.text.fences import FenceReader
from bridge.text.inline_code import code_span_end, paragraph_end
from bridge.text.mark_finder import kind_of, mark_finder
from bridge.text.model_markup import (
    CLOSINGS,
    DROPPED,
    DROPPED_LINES,
    FINAL_UNFINISHED,
    MEDIA_IN_PROSE,
    OPENINGS,
    THINK_CLOSING,
    UNFINISHED,
    UNFINISHED_TOOL,
)

_MARKS = {**OPENINGS, "lone": THINK_CLOSING, "dropped": DROPPED, "line": DROPPED_LINES}
_WITHOUT_CODE = mark_finder(_MARKS)
_WITH_CODE = mark_finder({"ticks": ("``*",), "tildes": ("~~~~*",), **_MARKS})
_CLOSINGS = {kind: re.compile(closing, re.IGNORECASE) for kind, closing in CLOSINGS.items()}

_MOST_CODE = 1_000
"""Runs of backticks and tildes that are looked at; behind them nothing counts as code."""

_FARTHEST = 100
"""Characters that may stand before a fence on its line."""

_DATA = re.compile(r"\s{0,99}[{\[<]")

_LONGEST_MARK = 1_500
"""Characters that the end of a growing text is searched for an unfinished mark."""

_CALL_KEYS = frozenset(("name", "arguments", "parameters", "input", "id", "type", "function"))
_CALL_SIGNS = frozenset(("arguments", "parameters", "input", "function"))
"""Without one of these a name with an id or a type is somebody's, not a tool's."""


def without_markup(text: str, *, whole: bool = True, late_ends: int = 0) -> str:
    """Return the text without the markup that stands outside of code.

    An opening without its closing hides the rest if it begins a line or data follows it. Of a text that
    still grows (not `whole`) only that is returned which no continuation hides, apart from late ends beyond
    so many: behind fewer of them nothing is returned.
    """
    if _is_call(text, whole=whole):
        return ""
    if not whole and (tool := UNFINISHED_TOOL.search(text, max(0, len(text) - _LONGEST_MARK))):
        text = text[: tool.start()]
    reader = _Reader(text, whole=whole)
    shown = reader.read()
    return shown if whole or reader.late_ends >= late_ends else ""


def count_late_ends(text: str) -> int:
    """Return how many lone closing tags of reasoning make reasoning of what stands before them."""
    reader = _Reader(text, whole=True)
    reader.read()
    return reader.late_ends


def _is_call(text: str, *, whole: bool) -> bool:
    """Whether the whole text is a tool call in JSON, which some models write without any tag."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return not whole and text.lstrip().startswith(("{", "[{"))
    calls = data if isinstance(data, list) else [data]
    return bool(calls) and all(_is_call_object(call) for call in calls)


def _is_call_object(call: object) -> bool:
    return (
        isinstance(call, dict)
        and call.keys() <= _CALL_KEYS
        and len(call) > 1
        and not _CALL_SIGNS.isdisjoint(call)
        and isinstance(call.get("name", call.get("function")), str | dict)
    )


class _Reader:
    """Goes through a text once, from one mark to the next, and keeps what is visible."""

    def __init__(self, text: str, *, whole: bool) -> None:
        self.text = text
        self.whole = whole
        self.kept: list[str] = []
        self.start = self.position = 0
        self.fences = FenceReader(text)
        self.code_runs = 0
        self.unclosed: set[str] = set()
        """Kinds of openings that have no closing any more."""
        self.paragraph = 0
        """Where the current paragraph ends."""
        self.end: int | None = None
        self.late_ends = 0

    def read(self) -> str:
        while self.end is None and (found := self._finder.search(self.text, self.position)):
            self.position = found.end()
            self._pass(kind_of(found), found)
        if self.end is None:
            self.end = len(self.text) if self.whole else self._settled()
        self._keep(self.end)
        return "".join(self.kept)

    @property
    def _finder(self) -> re.Pattern[str]:
        return _WITH_CODE if self.code_runs < _MOST_CODE else _WITHOUT_CODE

    def _pass(self, kind: str, found: re.Match[str]) -> None:
        match kind:
            case "ticks" | "tildes":
                self.code_runs += 1
                self._pass_code(kind, found)
            case "line" | "think" if not self._begins_line(found.start()):
                pass
            case "line" if MEDIA_IN_PROSE.match(found[0]):
                pass
            case "dropped" if self._may_go_on(found):
                self.end = found.start()
            case "line" | "dropped":
                self._drop(found.start(), found.end())
            case "lone":
                self._drop_before(found)
            case _:
                self._hide(kind, found)

    def _pass_code(self, kind: str, run: re.Match[str]) -> None:
        if len(run[0]) >= 3 and self._pass_fence(run.start()):
            return
        if kind == "ticks":
            self._pass_code_span(run)

    def _pass_fence(self, position: int) -> bool:
        start = self.text.rfind("\n", max(0, position - _FARTHEST), position) + 1
        fence = self.fences.at(start) if start or position <= _FARTHEST else None
        if fence is None or fence.code < position:
            return False
        self.position = fence.end
        if not self.whole and fence.code == len(self.text):
            self.end = fence.start
        return True

    def _pass_code_span(self, opening: re.Match[str]) -> None:
        if opening.start() >= self.paragraph:
            self.paragraph = paragraph_end(self.text, opening.start())
        closed = code_span_end(self.text, opening.start(), self.paragraph)
        if closed is None and not self.whole and self.paragraph == len(self.text):
            self.end = opening.start()
        self.position = closed or opening.end()

    def _begins_line(self, position: int) -> bool:
        before = self.text[max(0, position - _FARTHEST) : position].rstrip(" \t")
        return not before or before.endswith("\n")

    def _drop_before(self, closing: re.Match[str]) -> None:
        """Drop what stands before a closing tag of reasoning, unless a sentence only names the tag."""
        before, behind = (
            self.text[max(0, closing.start() - 1) : closing.start()],
            self.text[closing.end() : closing.end() + 1],
        )
        if not (before and behind and before in " \t\"'(“\u2018«„" and behind in " \t.,;:!?\"')”\u2019»“"):
            self.late_ends += 1
            self.kept.clear()
            self.start = closing.end()

    def _hide(self, kind: str, opening: re.Match[str]) -> None:
        closing = None
        if kind not in self.unclosed:
            closing = _CLOSINGS[kind].search(self.text, opening.end())
        if closing and not self._may_go_on(closing):
            self._drop(opening.start(), closing.end())
            return
        self.unclosed.add(kind)
        if not self.whole or kind != "xml" or self._hides_rest(opening):
            self.end = opening.start()

    def _may_go_on(self, mark: re.Match[str]) -> bool:
        """Return whether the mark reaches the end of a growing text and may become longer."""
        return not self.whole and FINAL_UNFINISHED.match(self.text, mark.start()) is not None

    def _hides_rest(self, opening: re.Match[str]) -> bool:
        return self._begins_line(opening.start()) or bool(_DATA.match(self.text, opening.end()))

    def _drop(self, start: int, end: int) -> None:
        self._keep(start)
        self.start = self.position = end

    def _keep(self, end: int) -> None:
        piece = self.text[self.start : end]
        if self.kept and piece.startswith("\n") and (piece[:3] == "\n\n\n" or self.kept[-1][-1] == "\n"):
            # One blank line remains where a block between two was taken out.
            before = self.kept[-1]
            ends = len(before) - len(before.rstrip("\n"))
            begins = len(piece) - len(piece.lstrip("\n"))
            piece = "\n" * max(0, min(begins, 2 - ends)) + piece[begins:]
        if piece:
            self.kept.append(piece)

    def _settled(self) -> int:
        found = UNFINISHED.search(self.text, max(self.position, len(self.text) - _LONGEST_MARK))
        return found.start() if found else len(self.text)
