"""What the posts of a channel say about its questions."""

from bridge.ingest.unanswered import Unanswered
from bridge.models.chat import ChannelId, Post, PostId, UserId

ME, ADA = UserId("me"), UserId("ada")


def post(name: str, author: UserId) -> Post:
    return Post(PostId(name), ChannelId("channel"), author, "", "hello", 1)


def test_what_comes_after_the_last_post_of_the_bot_has_no_answer() -> None:
    unanswered = Unanswered(fresh=3600)

    unanswered.note([post("first", ADA), post("answer", ME), post("second", ADA), post("third", ADA)], ME)

    assert [unanswered.has(PostId(name)) for name in ("first", "second", "third")] == [False, True, True]


def test_of_a_question_that_was_not_read_nothing_is_known() -> None:
    assert not Unanswered().has(PostId("question"))


def test_what_was_seen_before_says_nothing() -> None:
    unanswered = Unanswered(fresh=0)

    unanswered.note([post("question", ADA)], ME)

    assert not unanswered.has(PostId("question"))
