from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.agent.conversation import conversation, newer_half
from bridge.models.agent import Message

MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(min_size=1, max_size=9)), max_size=9
)


def test_neighbours_of_one_role_are_joined() -> None:
    """And the agent never begins."""
    history = [
        Message("assistant", "a notice"),
        Message("user", "one"),
        Message("user", "two"),
        Message("assistant", "first part"),
        Message("assistant", "second part"),
        Message("user", "three"),
    ]

    assert conversation(history, Message("user", "now?")) == [
        Message("user", "one\n\ntwo"),
        Message("assistant", "first part\n\nsecond part"),
        Message("user", "three\n\nnow?"),
    ]


@given(MESSAGES)
def test_roles_alternate_from_a_person_to_a_person(history: list[Message]) -> None:
    messages = conversation(history, Message("user", "now?"))

    assert messages[0].role == messages[-1].role == "user"
    assert messages[-1].text.endswith("now?")
    assert all(one.role != other.role for one, other in pairwise(messages))


@given(MESSAGES.filter(bool))
def test_the_newer_half_is_the_end_of_it(history: list[Message]) -> None:
    """Never all of it, and at most half of its characters."""
    half = list(newer_half(history))

    assert half == history[len(history) - len(half) :]
    assert len(half) < len(history)
    assert 2 * sum(len(message.text) for message in half) <= sum(len(message.text) for message in history)
