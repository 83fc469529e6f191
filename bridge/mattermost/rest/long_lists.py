"""A long JSON list read item by item, so that others go on in between and no copy of it is held."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

from bridge.mattermost.json_text import MalformedError

_AT_ONCE = 200
"""Items between two moments for others; an item of Mattermost's takes about ten microseconds."""

_BEGIN = re.compile(r"\s*\[\s*")
_BETWEEN = re.compile(r"\s*([,\]])\s*")
_decode = json.JSONDecoder().raw_decode


async def items(body: bytes) -> AsyncIterator[Any]:
    """Yield the items of a list; raises `MalformedError`, also in the middle of it."""
    text = _text(body)
    begin = _BEGIN.match(text)
    if not begin:
        raise MalformedError("Mattermost sent something else than a list.")
    position, number = begin.end(), 0
    while not (number == 0 and text.startswith("]", position)):
        item, position = _item(text, position)
        yield item
        number += 1
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        between = _BETWEEN.match(text, position)
        if not between:
            raise MalformedError("Mattermost sent a list that breaks off.")
        if between[1] == "]":
            return
        position = between.end()


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise MalformedError("Mattermost sent JSON that is not UTF-8.") from None


def _item(text: str, position: int) -> tuple[Any, int]:
    try:
        return _decode(text, position)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"Mattermost sent broken JSON ({type(error).__name__}).") from None
