import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.agent.sse import LINE_LIMIT, EventStream, EventTooLong


def read(*pieces: bytes) -> list[str]:
    stream = EventStream()
    return [event.data for piece in pieces for event in stream.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\n", ["one"]),
        (b"data:one\n\n", ["one"]),
        (b"data:  one\n\n", [" one"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        (b"data: one\r\rdata: two\r\r", ["one", "two"]),
        (b"data: one\ndata: two\n\n", ["one\ntwo"]),
        (b"data\n\n", [""]),
        (b"data: \n\n", [""]),
        (b": keep-alive\n\ndata: one\n\n", ["one"]),
        (b"event: message\nid: 7\nretry: 10\ndata: one\n\n", ["one"]),
        (b"\xef\xbb\xbfdata: one\n\n", ["one"]),
        (b"data: \xef\xbb\xbfone\n\n", ["\ufeffone"]),
        (b"\n\n\n\n", []),
        (b"data: one", []),
        (b"data: one\n", []),
        (b"database: one\n\n", []),
        (b"data: caf\xc3\xa9 \xff\n\n", ["café \ufffd"]),
    ],
)
def test_events_are_read_as_the_standard_says(stream: bytes, events: list[str]) -> None:
    """One table row an oddity of the format."""
    assert read(stream) == events


STREAM = "\ufeffdata: é\r\n\r\n: comment\rdata: two\rdata: lines\r\r\n\ndata: last\n\ndata: unended".encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=len(STREAM)))
def test_it_does_not_matter_where_the_network_cuts(cuts: list[int]) -> None:
    """The same bytes give the same events, however they are cut."""
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]

    assert read(*pieces) == ["é", "two\nlines", "last"]


@given(st.binary(max_size=300), st.integers(1, 9))
def test_any_bytes_give_text_only(data: bytes, size: int) -> None:
    """Nothing that a server sends makes the parser fail, or give what cannot be encoded."""
    for event in read(*(data[start : start + size] for start in range(0, len(data), size))):
        assert isinstance(event.encode(), bytes)


def test_a_long_event_is_read_in_small_pieces() -> None:
    """300 kB in pieces of 100 bytes come out whole."""
    text = json.dumps({"content": "x" * 300_000})
    stream = f"data: {text}\n\n".encode()

    events = read(*(stream[start : start + 100] for start in range(0, len(stream), 100)))

    assert events == [text]


@pytest.mark.parametrize(
    "stream",
    [b"data: " + b"x" * LINE_LIMIT, b"data: x\n" * (LINE_LIMIT // 2), b"data:\n" * (LINE_LIMIT + 1)],
    ids=["a line without end", "lines without end", "empty lines without end"],
)
def test_an_endless_event_is_refused(stream: bytes) -> None:
    """Memory is bounded, whatever an event is made of."""
    with pytest.raises(EventTooLong):
        read(*(stream[start : start + 65536] for start in range(0, len(stream), 65536)))
