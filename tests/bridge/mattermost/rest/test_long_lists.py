"""Long lists, item by item."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.long_lists import batches


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for first in range(0, len(body), size):
        yield body[first : first + size]


async def read(body: bytes, size: int = 1 << 16) -> list[Any]:
    return [item async for batch in batches(pieces(body, size)) for item in batch]


@pytest.mark.parametrize(
    "values",
    [
        *([], [1], [1.5e3, -12, True, [[]]], [{"a": "]"}, None, [2, []], "ü,"]),
        [{"name": str(number)} for number in range(1000)],
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
async def test_it_is_what_the_whole_would_be(values: list[Any], indent: int | None) -> None:
    """However it is laid out, and wherever it is divided: also within a letter and behind a digit."""
    body = f" {json.dumps(values, indent=indent, ensure_ascii=False)} ".encode()

    for size in (1, 7, len(body)):
        assert await read(body, size) == values


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{}", b"null", b"[", b"[1", b"[1,", b"[1,]", b"[,]", b'[{"a":', b"[1 2]", b"\xff[]"),
        *(b"[" * 100_000, b'["' + b"x" * 3_000_000 + b'"]', b'["\xc3'),
    ],
)
async def test_what_is_no_list_or_breaks_off(body: bytes) -> None:
    """Or has an item that is longer than any of Mattermost's."""
    with pytest.raises(MalformedError):
        await read(body)


async def test_nothing_behind_the_end_counts() -> None:
    assert await read(b"[1] [2] \xff", 3) == [1]


async def test_what_has_come_is_given_before_the_rest() -> None:
    """Nobody holds a list whole."""
    came = [b'[{"a": 1}, {"b": ', b"2}]"]

    async def coming() -> AsyncIterator[bytes]:
        while came:
            yield came.pop(0)

    assert await anext(aiter(batches(coming()))) == [{"a": 1}]
    assert came == [b"2}]"]


async def test_others_go_on_meanwhile() -> None:
    """However long it is."""
    turns, body = 0, json.dumps([{"id": number} for number in range(20_000)]).encode()

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await read(body, len(body))
    task.cancel()

    assert turns >= 20_000 / 200
