"""A thread that the agent has begun by itself: it is told what it said there."""

from typing import Any

from bridge.models.chat import Post, PostId, UserId
from handlers.answers.history import with_own_words
from handlers.posts.parts import MARK
from tests.support.posting import CHANNEL, ME, WRITER


def said(number: int, by: UserId, text: str, **mark: Any) -> Post:
    return Post(PostId(f"p{number}"), CHANNEL, by, "", text, number, props={MARK: mark} if mark else {})


OWN = [said(1, ME, "Two grants\nwait.", message="m"), said(2, ME, "Shall I?", message="n")]


def test_the_first_question_carries_what_the_agent_said() -> None:
    """Its memory of the thread begins there."""
    assert with_own_words("yes", OWN, ME) == (
        "[You began this thread by yourself with:]\n> Two grants\n> wait.\n> Shall I?\n\nyes"
    )


def test_any_other_question_stays_as_it_is() -> None:
    """A later one, one in a thread of people, one below an answer, and one that opens a thread."""
    answer = said(3, ME, "Hello!", answers="p0", part=1, of=1)
    for posts in ([*OWN, said(3, WRITER, "what?")], [said(1, WRITER, "look")], [answer], []):
        assert with_own_words("yes", posts, ME) == "yes"
