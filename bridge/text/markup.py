"""An answer without the markup of models and gateways. Pure: no I/O is imported here."""

import json
import re

from bridge.text.inline_code import code_span_end, paragraph_end
from bridge.text.model_markup import DROPPED, HIDDEN, LONE_CLOSING, UNFINISHED

_FENCE = r"(?m:^)[ \t>*+\-\d.)]*(?P<marks>`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})[^\n]*(?:\n|\Z)"

_NEXT = re.compile(
    f"(?P<fence>{_FENCE})|(?P<ticks>`+)"
    + "".join(f"|(?P<{name}>{opening})" for name, (opening, _) in HIDDEN.items())
    + f"|(?P<lone>{LONE_CLOSING})|(?P<dropped>{DROPPED})",
    re.IGNORECASE,
)
_CLOSINGS = {name: re.compile(closing, re.IGNORECASE) for name, (_, closing) in HIDDEN.items()}

_FENCE_END = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*$", re.MULTILINE)
_DATA = re.compile(r"\s{0,99}[{\[<]")

_LONGEST_MARK = 1_500
"""Characters that the end of a growing text is searched for an unfinished mark."""

_CALL_KEYS = frozenset(("name", "arguments", "parameters", "input", "id", "type", "function"))


def without_markup(text: str, *, whole: bool = True) -> str:
    """Return the text without the markup that stands outside of code.

    An opening without its closing hides the rest if it begins a line or data follows it. Of a text that
    still grows (not `whole`) only that is returned which no continuation hides.
    """
    return "" if _is_call(text, whole=whole) else _Reader(text, whole=whole).read()


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
        and isinstance(call.get("name", call.get("function")), str | dict)
    )


class _Reader:
    """Goes through a text once, from one mark to the next, and keeps what is visible."""

    def __init__(self, text: str, *, whole: bool) -> None:
        self.text = text
        self.whole = whole
        self.kept: list[str] = []
        self.start = self.position = 0
        self.unclosed: set[str] = set()
        """Kinds of openings without a closing further on, and backticks without one in their paragraph."""
        self.paragraph = 0
        """Where the current paragraph ends."""
        self.end: int | None = None

    def read(self) -> str:
        while self.end is None and (found := _NEXT.search(self.text, self.position)):
            self._pass(found)
        if self.end is None:
            self.end = len(self.text) if self.whole else self._settled()
        self._keep(self.end)
        return "".join(self.kept)

    def _pass(self, found: re.Match[str]) -> None:
        match found.lastgroup:
            case "fence":
                self.position = self._behind_fence(found)
            case "ticks":
                self._pass_ticks(found)
            case "dropped":
                self._drop(found.start(), found.end())
            case "lone":
                self.kept.clear()
                self.start = self.position = found.end()
            case kind:
                self._hide(str(kind), found)

    def _behind_fence(self, opening: re.Match[str]) -> int:
        for closing in _FENCE_END.finditer(self.text, opening.end()):
            if closing[1].startswith(opening["marks"]):
                return closing.end()
        return len(self.text)

    def _pass_ticks(self, opening: re.Match[str]) -> None:
        if opening.start() >= self.paragraph:
            self.paragraph = paragraph_end(self.text, opening.start())
        closed = code_span_end(self.text, opening.start(), self.paragraph)
        if closed is None and not self.whole and self.paragraph == len(self.text):
            self.end = opening.start()
        self.position = closed or opening.end()

    def _hide(self, kind: str, opening: re.Match[str]) -> None:
        closing = kind not in self.unclosed and _CLOSINGS[kind].search(self.text, opening.end())
        if closing:
            self._drop(opening.start(), closing.end())
            return
        self.unclosed.add(kind)
        if self.whole and kind == "xml" and not self._hides_rest(opening):
            self.position = opening.end()
        else:
            self.end = opening.start()

    def _hides_rest(self, opening: re.Match[str]) -> bool:
        line = self.text[self.text.rfind("\n", 0, opening.start()) + 1 : opening.start()]
        return not line.strip() or bool(_DATA.match(self.text, opening.end()))

    def _drop(self, start: int, end: int) -> None:
        self._keep(start)
        self.start = self.position = end

    def _keep(self, end: int) -> None:
        piece = self.text[self.start : end]
        if self.kept and piece.startswith("\n"):
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
