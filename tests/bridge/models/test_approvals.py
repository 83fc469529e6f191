"""What an agent wants from people."""

import pytest

from bridge.models.approvals import AgentQuestion, AgentQuestionId, Choice, Inquiry
from bridge.models.conversations import Conversation

CONVERSATION = Conversation.of(
    f"agent:main:mattermost:11111111-1111-4111-8111-111111111111:{'c' * 26}:{'t' * 26}"
)
BLUE, RED = Choice("Blue"), Choice("Red")


def question(*inquiries: Inquiry) -> AgentQuestion:
    return AgentQuestion(AgentQuestionId("ask_1"), CONVERSATION, "chatcmpl_1", inquiries, 1, 2)


@pytest.mark.parametrize(
    ("inquiries", "choices"),
    [
        ((Inquiry("color", "", "Which?", (BLUE, RED)),), (BLUE, RED)),
        ((Inquiry("color", "", "Which?", (BLUE, RED), several=True),), ()),
        ((Inquiry("color", "", "Which?"),), ()),
        ((Inquiry("color", "", "Which?", (BLUE, RED)), Inquiry("size", "", "How big?", (BLUE,))), ()),
    ],
)
def test_only_one_single_choice_can_be_answered_by_one_press(
    inquiries: tuple[Inquiry, ...], choices: tuple[Choice, ...]
) -> None:
    assert question(*inquiries).choices == choices


def test_one_secret_makes_the_whole_question_secret() -> None:
    assert question(Inquiry("a", "", "Name?"), Inquiry("b", "", "Password?", is_secret=True)).is_secret
    assert not question(Inquiry("a", "", "Name?")).is_secret
