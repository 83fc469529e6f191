"""Reading JSON that somebody else wrote."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mattermost.json_text import MalformedError, load_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_says_what_the_json_says(value: object) -> None:
    """Whatever is written is read back, from text and from bytes."""
    text = json.dumps(value)

    assert (load_json(text), load_json(text.encode())) == (value, value)


@pytest.mark.parametrize("broken", ["", "{", "nul", '{"a":1}}', b"\xff\xfe", b'"\xc3"', "1" * 5000])
def test_broken_json_is_malformed(broken: str | bytes) -> None:
    """What cannot be read raises the one error, never a ValueError of the parser."""
    with pytest.raises(MalformedError):
        load_json(broken)


@given(JSON)
def test_deep_nesting_costs_only_itself(beside: object) -> None:
    """A value nested deeper than the parser goes becomes shallower; what stands beside it stays."""
    text = f'{{"before": {json.dumps(beside)}, "deep": {_deep(5000)}, "after": {json.dumps(beside)}}}'

    read = load_json(text)

    assert (read["before"], read["after"]) == (beside, beside)
    assert isinstance(read["deep"], list)


def test_brackets_inside_strings_are_no_nesting() -> None:
    """A text full of brackets and escaped quotes is kept when something else is too deep."""
    text = '[[["\\"' * 2000

    read = load_json(f'{{"text": {json.dumps(text)}, "deep": {_deep(5000)}}}')

    assert read["text"] == text


def test_deep_and_broken_is_malformed() -> None:
    """What is too deep and never ends is as broken as anything else."""
    with pytest.raises(MalformedError):
        load_json("[" * 5000)


def _deep(levels: int) -> str:
    return "[" * levels + '{"a": 1}' + "]" * levels
