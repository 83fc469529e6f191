"""Long lists, item by item."""

import asyncio
import json
from typing import Any

import pytest

from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.long_lists import items


async def read(body: bytes) -> list[Any]:
    return [item async for item in items(body)]


@pytest.mark.parametrize(
    "values", [[], [1], [{"a": "]"}, None, [2, []], "ü,"], [{"name": str(number)} for number in range(1000)]]
)
@pytest.mark.parametrize("indent", [None, 2])
async def test_it_is_what_the_whole_would_be(values: list[Any], indent: int | None) -> None:
    """However it is laid out."""
    body = f" {json.dumps(values, indent=indent)} "

    assert await read(body.encode()) == values


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"null", b"[", b"[1", b"[1,", b"[1,]", b"[,]", b'[{"a":', b"[1 2]", b"\xff[]"),
        b"[" * 100_000,
    ],
)
async def test_what_is_no_list_or_breaks_off(body: bytes) -> None:
    with pytest.raises(MalformedError):
        await read(body)


async def test_others_go_on_meanwhile() -> None:
    """However long it is."""
    turns, body = 0, json.dumps([{"id": number} for number in range(20_000)]).encode()

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await read(body)
    task.cancel()

    assert turns >= 20_000 / 200
