"""Nothing that a person or an agent can write holds the event loop: processor time, not the clock's."""

from collections.abc import Callable, Iterator
from functools import partial
from math import isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.notices.escape import block, inline, line, plain
from bridge.text.broadcast_mentions import without_broadcast_mentions
from bridge.text.images import linked_images
from bridge.text.mentions import addressed, addresses_others, mentions, strip_mention
from bridge.text.posts import shown_so_far
from bridge.text.split import split
from bridge.text.storable import storable
from bridge.text.visible import visible, visible_so_far
from tests.support.cost import seconds

POST = 16_383
"""Characters of the longest post."""
ANSWER = 200_000
"""Characters of an answer that are kept."""
NAME = "equabot"
LIMIT = 0.075
"""Seconds: half as much again as is promised, for a busy machine takes more processor time for the same."""

PIECES = (
    *("x", "w", " ", "\t", "\n", "  \n", "a\n", "a\n\n", "こ", "e\u0301", "\u0301", "A sentence. "),
    *(
        "`",
        "` ",
        "``` ",
        "`` ` ",
        "`a` ",
        "\\`",
        "```\n",
        "~~~\n",
        "~~~",
        "```\nx\n```\n",
        "- ```\n  x\n  ```\n",
    ),
    *(
        "> ```\n",
        "    ```\n",
        "  ```\n",
        "    a\n",
        "    a\n\n",
        "  - a\n",
        "- a\n",
        "* a\n",
        "-\n",
        "- ",
        "1. ",
    ),
    *(
        "2) a\n",
        "- - - ",
        ">",
        "> ",
        "> a\n",
        "> > a\n",
        "#\n",
        "# a\n",
        "===\n",
        "a\n===\n",
        "---\n",
        "|a|b|\n",
    ),
    *(
        "|a|b|\n|-|-|\n",
        "|",
        "[",
        "]",
        "](",
        "[a](b) ",
        "[a]: b\n",
        "![",
        "![a](b) ",
        "![a][b]",
        "!",
        "[[",
        "(",
        ")",
    ),
    *("<", "<a", "<a@b.c>", "<!--", "<div>\n", "<img ", '<img src="x">', "&", "&#64;", "&lt;", "&commat;all"),
    *(
        "*",
        "**",
        "**a",
        "*a_ ",
        "_",
        "__a ",
        "$$",
        "$$a\n",
        "$",
        "~",
        "://",
        "www.",
        "a.b/",
        "https://a.b ",
        "a.a.",
    ),
    *(
        "@",
        "@a",
        "@a/",
        "@-",
        "@@",
        "@all ",
        "@all_",
        "@equabot.",
        "@equabot ",
        "/@equabot",
        "_@equabot",
        "@equabotこ",
    ),
    *(
        "`@equabot` ",
        "    @equabot\n",
        "    @equabot\n\n",
        "> @equabot\n",
        "- @equabot\n",
        "https://a/@equabot",
        "@b `",
    ),
    *(
        "<think>",
        "</think>",
        "<think>\n</think>\n",
        "<tool_call>",
        "<tool_call>x</tool_call>",
        "<tool_call ",
        "</x>",
    ),
    *(
        "<|",
        "<|channel|>",
        "<|a|>",
        "- <|a|>\n",
        "- <think>\n",
        "<invoke name=",
        "[TOOL_CALLS]",
        "[Tool Call: x]\n",
        "Arguments: x\n",
        "MEDIA:x\n",
    ),
    *(
        "MEDIA:",
        "[[reply_to_current]]",
        "[[reply_to:",
        "NO_REPLY ",
        "NO_REPLY\n",
        "HEARTBEAT_OK",
        "Reasoning:\n_a_\n",
    ),
    *(
        "> Reasoning:\n",
        "analysisW",
        "assistantfinal",
        '{"name":',
        "{",
        "functools",
        "\r",
        "\x00",
        "\ud800",
        "\u200b",
    ),
)


def hostile(size: int) -> Iterator[tuple[str, str]]:
    """Yield texts of a size by name, each made to be expensive in one way."""
    root = isqrt(2 * size)
    shapes = {
        "nested list": "\n".join(f"{'  ' * depth}- a" for depth in range(isqrt(size))),
        "nested quotes": "> " * (size // 4) + "a\n" + "> " * (size // 4),
        "runs of ticks": " ".join("`" * length for length in range(1, root)),
        "shorter runs": " ".join("`" * length for length in range(root, 1, -1)),
        "longer fences": "\n".join("`" * length for length in range(3, root)),
        "shorter fences": "\n".join("`" * length for length in range(root, 3, -1)),
        "list, then fences": "* a\n" * (size // 5) + "```\nx\n```\n" * (size // 50),
        "lines, then a fence": "a\n" * (size // 2 - 20) + "```\nx",
        "fences in a list": "- a\n" + "  ```\n  x\n  ```\n" * (size // 18),
        "deep fences": "".join(f"{' ' * (depth % 90)}- ```\n" for depth in range(size // 52)),
        "brackets": "[" * (size // 2) + "]" * (size // 2),
        "an open tag": "<tool_call>" + "x" * size,
        "indented": (" " * 20 + "@equabot\n") * (size // 29),
        "one line of images": "![a](https://e.example/x.png)" * (size // 30),
    }
    for name, shape in shapes.items():
        yield name, shape[:size]
    for piece in PIECES:
        yield repr(piece), (piece * (size // len(piece) + 1))[:size]


def _ends(text: str) -> tuple[str, ...]:
    return f"{text}\n\n@{NAME} x"[-POST:], f"{text} @{NAME}`"[-POST:], f"@{NAME} {text}"[:POST]


INCOMING: dict[str, Callable[[str], object]] = {
    "mentions": lambda text: mentions(text, NAME),
    "addressed": lambda text: list(addressed(text)),
    "addresses_others": lambda text: addresses_others(text, NAME),
    "strip_mention": lambda text: strip_mention(text, NAME),
}
OUTGOING: dict[str, Callable[[str], object]] = {
    "storable": storable,
    "visible": lambda text: visible(text, {"chat.example"}),
    "visible_so_far": visible_so_far,
    "shown_so_far": shown_so_far,
    "linked_images": lambda text: linked_images(text, {"chat.example"}),
    "without_broadcast_mentions": without_broadcast_mentions,
    "split": lambda text: split(text, POST),
    "split into small parts": lambda text: split(text, 1_000),
}
NOTICES: dict[str, Callable[[str], object]] = {"plain": plain, "line": line, "inline": inline, "block": block}


@pytest.mark.parametrize("function", sorted(INCOMING))
def test_the_longest_post_is_read_at_once(function: str) -> None:
    """Whatever its shape, and wherever the name stands in it."""
    slow = {
        name: taken
        for name, text in hostile(POST)
        for end in _ends(text)
        if (taken := seconds(partial(INCOMING[function], end), LIMIT)) > LIMIT
    }
    assert not slow


@pytest.mark.parametrize("function", sorted(OUTGOING))
def test_the_longest_answer_is_prepared_at_once(function: str) -> None:
    """Whatever its shape."""
    slow = {
        name: taken
        for name, text in hostile(ANSWER)
        if (taken := seconds(partial(OUTGOING[function], text), LIMIT)) > LIMIT
    }
    assert not slow


@pytest.mark.parametrize("function", sorted(NOTICES))
def test_the_longest_text_of_an_event_is_escaped_at_once(function: str) -> None:
    """10,000 characters."""
    slow = {
        name: taken
        for name, text in hostile(10_000)
        if (taken := seconds(partial(NOTICES[function], text), LIMIT)) > LIMIT
    }
    assert not slow


@pytest.mark.parametrize(
    ("function", "size"),
    [
        *((name, 2_000) for name in INCOMING),
        *((name, 15_000) for name in OUTGOING if name != "split"),  # which leaves so short a text alone
        *((name, 2_000) for name in NOTICES),
    ],
)
def test_time_grows_with_the_length_only(function: str, size: int) -> None:
    """Four times the text takes about four times the time, not sixteen times."""
    call = {**INCOMING, **OUTGOING, **NOTICES}[function]
    worse = {}
    for (name, small), (_, large) in zip(hostile(size), hostile(4 * size), strict=True):
        few, many = (seconds(partial(call, text), LIMIT) for text in (small, large))
        if many > 6 * few + 0.005:
            few = seconds(partial(call, small), 0)
            many = seconds(partial(call, large), 6 * few + 0.005)
        if many > 6 * few + 0.005:
            worse[name] = (few, many)
    assert not worse


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join))
def test_no_mixture_is_slow(piece: str) -> None:
    """Any few pieces, repeated up to the limits."""
    post, answer = ((piece * (size // len(piece) + 1))[:size] for size in (POST, ANSWER))

    for text in _ends(post):
        for call in INCOMING.values():
            assert seconds(partial(call, text), LIMIT) <= LIMIT
    for call in OUTGOING.values():
        assert seconds(partial(call, answer), LIMIT) <= LIMIT
