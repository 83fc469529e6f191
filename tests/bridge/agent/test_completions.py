import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.agent import gateway, openai
from bridge.agent.answer_text import ANSWER_LIMIT, CUT, clean
from bridge.agent.completions import Answer
from bridge.agent.refusals import Dialect, Refusal
from bridge.agent.sse import Event
from bridge.errors import AgentFailed, AgentUnavailable
from tests.support.agent import STOP, piece

ROLE = '{"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}'
USAGE = '{"choices":[],"usage":{"total_tokens":7}}'


def answer(*events: str, dialect: Dialect = gateway.DIALECT) -> str:
    taken = Answer(dialect)
    for event in events:
        taken.take(Event(event))
    taken.end([], whole_body=False)
    return taken.text()


def whole(body: bytes) -> str:
    taken = Answer(gateway.DIALECT)
    taken.end([Event(body.decode())], whole_body=True)
    return taken.text()


@pytest.mark.parametrize(
    "events",
    [
        (ROLE, piece("Hello, "), piece("Ada."), STOP, "[DONE]"),
        (ROLE, piece("Hello, "), piece("Ada.", "stop"), "[DONE]"),
        (ROLE, piece("Hello, "), piece("Ada."), STOP),
        (piece("Hello, Ada."), STOP, USAGE, "[DONE]"),
        (ROLE, piece("Hello, "), piece("Ada."), "[DONE]"),
        (piece("Hello, Ada."), piece("", "content_filter"), "[DONE]"),
        (ROLE, piece("Hello, ", "stop"), piece("Ada.", "stop")),
        (ROLE, piece("Hello, Ada."), "[DONE]", piece("and more"), '{"error":{"message":"late"}}'),
        (
            piece("Hello, Ada."),
            '{"error":null,"choices":[]}',
            '{"choices":[{"index":1,"delta":{"content":"x"}}]}',
            STOP,
        ),
        (piece(r"\n Hello,\u0000 Ada.\r\n"), STOP),
    ],
)
def test_a_finished_stream_is_an_answer(events: tuple[str, ...]) -> None:
    """The pieces up to the finish_reason make the answer."""
    assert answer(*events) == "Hello, Ada."


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ((), AgentUnavailable),
        ((ROLE, "[DONE]"), AgentUnavailable),
        ((ROLE, piece("half")), AgentUnavailable),
        ((ROLE, STOP, "[DONE]"), AgentFailed),
        ((piece(r" \n\t\u200b\u0000"), STOP), AgentFailed),
        ((piece("half", "error"),), AgentFailed),
        ((piece("half", "tool_calls"),), AgentFailed),
        ((piece("half"), "{no json", STOP), AgentFailed),
        ((piece("half"), "{" * 100_000, STOP), AgentFailed),
        ((piece("half"), STOP, '{"error":{"message":"late"}}'), AgentFailed),
        (("no json",), AgentFailed),
        (("no json", STOP), AgentFailed),
        ((piece("half"), '{"error":{"message":"upstream provider error","type":"api_error"}}'), AgentFailed),
        ((piece("half"), '{"error":"broken"}'), AgentFailed),
        ((ROLE, '{"error":{"message":"internal error","type":"api_error"}}'), AgentUnavailable),
        ((ROLE, piece("Error: no model", "stop"), "[DONE]"), AgentFailed),
        ((ROLE, piece("half"), piece("Error: no model", "stop"), "[DONE]"), AgentFailed),
    ],
)
def test_everything_else_is_no_answer(
    events: tuple[str, ...], error: type[AgentFailed | AgentUnavailable]
) -> None:
    """Half an answer does not count. The error says whether another try may help, and quotes no text."""
    with pytest.raises(Refusal) as caught:
        answer(*events)

    assert type(caught.value.error).code == error.code
    assert not any(word in caught.value.error.message for word in ("half", "no model", "broken", "upstream"))


@pytest.mark.parametrize(
    "events",
    [
        (piece(r"Look:\n"), piece("Error: the total is wrong.", "stop")),
        (piece("Look: "), piece("Error: the total is wrong.", "stop")),
        (piece("Error: the total is wrong."), piece(r"\nIt should be 3."), STOP),
        (piece("**"), piece("Error: the total is wrong.", "stop")),
    ],
)
def test_an_answer_may_speak_of_errors(events: tuple[str, ...]) -> None:
    """The whole text is compared with the old gateways' way to fail, or a piece inside a word."""
    assert "Error: the total is wrong." in answer(*events)


def test_another_server_may_finish_with_a_sentence_about_errors() -> None:
    """What the old gateways did says nothing about other servers."""
    assert answer(piece("Error: 404.", "stop"), dialect=openai.DIALECT) == "Error: 404."


@pytest.mark.parametrize("content", ['"Hi."', '[{"type":"text","text":"Hi."},{"type":"image"}]'])
def test_a_whole_answer_is_taken_as_well(content: str) -> None:
    """A server may answer in JSON, its text being a string or a list of parts."""
    body = f'{{"choices":[{{"message":{{"content":{content}}},"finish_reason":"stop"}}]}}'

    assert whole(body.encode()) == "Hi."


@pytest.mark.parametrize("text", ["Error: the run failed", "No response from Equabot.", ""])
def test_a_whole_answer_that_is_a_failure_is_refused(text: str) -> None:
    """The gateway's words for a failure are not shown as an answer."""
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}

    with pytest.raises(Refusal):
        whole(json.dumps(body).encode())


def test_a_too_long_answer_is_cut_and_says_so() -> None:
    """It needs no finish_reason, because it is not read to its end."""
    taken = Answer(gateway.DIALECT)
    for _ in range(ANSWER_LIMIT // 1000):
        taken.take(Event(piece("x" * 1000)))
    full_at_the_limit = taken.is_full
    taken.take(Event(piece("y")))

    assert (full_at_the_limit, taken.is_full) == (False, True)
    assert ANSWER_LIMIT - 100 <= len(taken.text()) <= ANSWER_LIMIT
    assert taken.text().endswith(CUT)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (r"```python\nx = 1", "x = 1\n```"),
        (r"- one:\n  ~~~~\n  code", "code\n  ~~~~"),
        (r"```\nx = 1\n```\nand more", "and more"),
        (r"`x", "`x"),
    ],
)
def test_a_cut_closes_the_code_that_it_leaves_open(text: str, end: str) -> None:
    """The remark is no code."""
    assert answer(piece(text), piece("", "length")).endswith(end + CUT)


def test_an_answer_of_exactly_the_limit_is_whole() -> None:
    assert answer(piece("x" * ANSWER_LIMIT), STOP) == "x" * ANSWER_LIMIT


def test_a_character_cut_in_two_becomes_whole() -> None:
    """JavaScript cuts between the halves of a character."""
    assert answer(piece(r"ok \ud83d"), piece(r"\ude00"), STOP) == "ok 😀"


@given(st.text(st.characters(), max_size=50) | st.text(st.characters(categories=["Cs", "Cc"]), max_size=50))
def test_a_cleaned_text_can_be_stored(text: str) -> None:
    """No NUL, no half character, and cleaning twice changes nothing."""
    cleaned = clean(text)

    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned
    assert clean(cleaned) == cleaned


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["stop", "Error: x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "message", "content", "error", "finish_reason", "text", "index", "role"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
@example({"choices": [{"delta": {"role": ["assistant"], "content": "hello"}}]})
@example({"choices": [{"message": {"role": {}, "content": "hello"}, "finish_reason": []}]})
def test_no_json_breaks_the_reader(payload: object) -> None:
    """Whatever the shape, it is text or a refusal."""
    with contextlib.suppress(Refusal):
        assert answer(json.dumps(payload)).strip()
