"""A long JSON list, read item by item while it comes: no copy of it is held, and others go on in between."""

import asyncio
import codecs
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from bridge.mattermost.json_text import MalformedError

_AT_ONCE = 200
"""Items between two moments for others; an item of Mattermost's takes about ten microseconds."""

_LONGEST_ITEM = 1 << 20
"""Characters; a channel has a thousandth of it."""

_BEGIN = re.compile(r"\s*\[\s*(?=\S)")
_BETWEEN = re.compile(r"\s*([,\]])")
_BLANK = re.compile(r"\s*")
_decode = json.JSONDecoder().raw_decode


async def batches(pieces: AsyncIterable[bytes]) -> AsyncIterator[list[Any]]:
    """Yield the items of a list, some at a time; raises `MalformedError`, also in the middle of it."""
    coming = _Coming()
    async for piece in pieces:
        coming.add(piece)
        items = coming.items()
        while batch := list(islice(items, _AT_ONCE)):
            yield batch
            await asyncio.sleep(0)
    coming.end()


@dataclass(slots=True)
class _Coming:
    """The text of a list as far as it has come, without the items that were read."""

    text: str = ""
    position: int = 0
    begun: bool = False
    ended: bool = False
    decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def add(self, piece: bytes) -> None:
        """Take the next piece of the text; raises `MalformedError` where no item has an end."""
        if self.ended:
            return
        self.text, self.position = self.text[self.position :] + self._decoded(piece), 0
        if len(self.text) > _LONGEST_ITEM + len(piece):
            raise MalformedError("Mattermost sent a list with an item that is too long.")

    def items(self) -> Iterator[Any]:
        """Yield the items that have come with what follows them."""
        self._begin()
        while self.begun and not self.ended:
            item, position = self._item()
            between = _BETWEEN.match(self.text, position) if position else None
            if not between:
                return
            self.position, self.ended = between.end(), between[1] == "]"
            yield item

    def end(self) -> None:
        """Raise `MalformedError` if the list has not ended."""
        if not self.ended:
            raise MalformedError("Mattermost sent no list, or one that breaks off.")

    def _begin(self) -> None:
        begin = None if self.begun else _BEGIN.match(self.text)
        if begin:
            self.begun, self.position = True, begin.end()
            self.ended = self.text.startswith("]", self.position)

    def _item(self) -> tuple[Any, int]:
        """Return the next item and where it ends, 0 while it has not come whole."""
        blank = _BLANK.match(self.text, self.position)
        try:
            return _decode(self.text, blank.end() if blank else self.position)
        except RecursionError:
            raise MalformedError("Mattermost sent JSON that is nested too deeply.") from None
        except ValueError:
            return None, 0

    def _decoded(self, piece: bytes) -> str:
        try:
            return self.decoder.decode(piece)
        except UnicodeDecodeError:
            raise MalformedError("Mattermost sent JSON that is not UTF-8.") from None
