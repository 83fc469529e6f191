"""No server holds up the others: nothing that it sends takes long in one go (CPU time)."""

import contextlib
import json
import time
from collections.abc import Iterator

import pytest

from bridge.agent import openai
from bridge.agent.answer_text import clean, cut
from bridge.agent.body import BODY_LIMIT, Body
from bridge.agent.completions import Answer
from bridge.agent.receive import ERROR_LIMIT, SLICE
from bridge.agent.refusals import Refusal, refused
from tests.support.cost import least, seconds, without_collection

SECONDS = 0.15
"""Three times what is promised, so that a busy machine does not fail; the shapes cost up to 8 s once."""


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    with without_collection():
        yield


def full(piece: bytes, size: int = BODY_LIMIT) -> bytes:
    return piece * (size // len(piece))


def whole(value: object) -> bytes:
    return json.dumps({"choices": value}).encode()[:BODY_LIMIT]


SHAPES = {
    "one long text": whole([{"message": {"content": "x" * (BODY_LIMIT - 100)}, "finish_reason": "stop"}]),
    "many parts": whole([{"message": {"content": [{"type": "text", "text": "x"}] * 45_000}}]),
    "many choices": whole([{"index": 1}] * 100_000),
    "nested": full(b'{"error":'),
    "lists": full(b"["),
    "words of errors": json.dumps({"error": "model input prompt exceeds " * 50_000}).encode(),
    "lines of JSON": full(b"{}\n"),
    "lines of half JSON": full(b"{\n"),
    "empty events": b"data: x\n\n" + full(b"data:\n\n"),
    "line ends": b":\n" + full(b"\n"),
    "small chunks": full(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'),
    "data without end": full(b"data: x\n", 1 << 19),
    "carriage returns": b":\n" + full(b"\r"),
}


@pytest.mark.parametrize("sent", SHAPES.values(), ids=SHAPES.keys())
def test_no_slice_of_an_answer_takes_long(sent: bytes) -> None:
    assert least(lambda: _slowest_slice(sent), SECONDS) <= SECONDS


def _slowest_slice(sent: bytes) -> float:
    answer, body, slowest = Answer(openai.DIALECT), Body(), 0.0
    with contextlib.suppress(Refusal):
        for start in range(0, len(sent), SLICE):
            began = time.thread_time()
            for event in body.feed(sent[start : start + SLICE]):
                answer.take(event)
            slowest = max(slowest, time.thread_time() - began)
        began = time.thread_time()
        answer.end(body.end(), whole_body=body.is_whole)
        slowest = max(slowest, time.thread_time() - began)
    return slowest


@pytest.mark.parametrize(
    "piece",
    [
        b"prompt input request exceed ",
        b"no invalid missing token expired ",
        b"\n",
        b"data: {\n\n",
        b"[",
        b'{"a":',
    ],
)
def test_no_refusal_takes_long(piece: bytes) -> None:
    said = full(piece, ERROR_LIMIT)

    assert seconds(lambda: refused(400, said, openai.DIALECT), SECONDS) <= SECONDS


@pytest.mark.parametrize("piece", ["\x07\r", "\ud83d", "\ude00\ud83d", "```\nx\n", "- a\n", "~~~\n> "])
def test_no_text_is_slow_to_clean_and_to_cut(piece: str) -> None:
    text = piece * (200_000 // len(piece))

    assert seconds(lambda: cut(clean(text)), 2 * SECONDS) <= 2 * SECONDS
