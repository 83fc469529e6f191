"""What the post of an agent's question shows, and how an answer to it is read."""

import json

import pytest

from bridge.models.agent_questions import QuestionRecord, QuestionState
from bridge.models.approvals import AgentQuestion, AgentQuestionId, Choice, Inquiry
from bridge.models.chat import PostId, UserId
from bridge.models.conversations import Conversation
from handlers.jobs import agent_question_text as text
from tests.support.control import KEY

COLORS = (Choice("Blue", "like the sea"), Choice("Dark red"), Choice("2"))
COLOR = Inquiry("color", "Color", "Which color?", COLORS)
SIZE = Inquiry("size", "Size", "How big?")


def record(
    *inquiries: Inquiry, state: QuestionState = "pending", chosen: str | None = None
) -> QuestionRecord:
    question = AgentQuestion(
        AgentQuestionId("ask_1"), Conversation.of(KEY), "run", inquiries, 0, 1_795_000_000_000
    )
    return QuestionRecord(question, "lane", PostId("t" * 26), UserId("u"), state, chosen=chosen)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Blue", "Blue"),
        (" blue. ", "Blue"),
        ("DARK RED!", "Dark red"),
        ("1", "Blue"),
        ("#1", "Blue"),
        ("2", "2"),
        ("3.", "2"),
        ("4", "4"),
        ("0", "0"),
        ("something\nquite else", "something\nquite else"),
        ("99999999999999", "99999999999999"),
    ],
)
def test_a_label_or_a_number_is_a_choice(said: str, answer: str) -> None:
    assert text.answers(record(COLOR), said) == {"color": [answer]}


@pytest.mark.parametrize(
    ("said", "chosen"),
    [("1, dark red", ["Blue", "Dark red"]), ("1,1", ["Blue"]), ("blue and red", ["blue and red"])],
)
def test_several_choices_have_commas_between_them(said: str, chosen: list[str]) -> None:
    several = Inquiry("color", "Color", "Which colors?", COLORS, several=True)

    assert text.answers(record(several), said) == {"color": chosen}


def test_several_questions_have_a_line_each() -> None:
    assert text.answers(record(COLOR, SIZE), "1. blue\n\n2) very big") == {
        "color": ["Blue"],
        "size": ["very big"],
    }
    with pytest.raises(text.NotUnderstood, match="2 lines"):
        text.answers(record(COLOR, SIZE), "blue")


def test_only_choices_are_taken_where_nothing_else_is_accepted() -> None:
    closed = Inquiry("color", "Color", "Which color?", COLORS, is_open=False)

    with pytest.raises(text.NotUnderstood, match="Blue, Dark red"):
        text.answers(record(closed), "green")


def test_the_words_of_an_agent_do_nothing() -> None:
    """They mention nobody, are no link, and end nothing."""
    evil = Inquiry("q", "", "@all **x** [a](http://b)\n# c", (Choice("@channel `y`", "![](http://z)"),))
    message = text.pending_message(record(evil), "dana")
    shown = text.pending_props(record(evil), ())["attachments"][0]["text"]

    assert message.startswith("@dana, the agent asks: **")
    assert "\n" not in message
    for part in ("@all", "@channel", "http://", "**x**", "`y`"):
        assert part not in message.removeprefix("@dana") + shown


@pytest.mark.parametrize(
    ("state", "chosen", "says"),
    [
        ("answered", None, "Answered."),
        ("answered", "Blue", "Answered: Blue"),
        ("expired", None, "Expired: the agent went on without an answer."),
        ("cancelled", "Blue", "Cancelled: the agent does not wait for an answer any more."),
        ("withdrawn", None, "The agent does not wait for an answer any more."),
    ],
)
def test_its_end_is_said(state: QuestionState, chosen: str | None, says: str) -> None:
    ended = record(COLOR, state=state, chosen=chosen)

    assert text.ended_props(ended)["attachments"][0]["text"] == says
    assert text.ended_message(ended) == "The agent asks: **Which color?**"


def test_it_says_how_to_answer_and_until_when() -> None:
    def way(*inquiries: Inquiry) -> str:
        shown: str = text.pending_props(record(*inquiries), ())["attachments"][0]["text"]
        return shown.rsplit("\n\n", maxsplit=1)[-1]

    assert (
        way(COLOR)
        == "_Reply in this thread with a number or in your own words until 11:06 UTC. “stop” ends it._"
    )
    assert way(SIZE).startswith("_Reply in this thread until ")
    assert way(COLOR, SIZE).startswith("_Reply in this thread in 2 lines, one for each question, until ")


@pytest.mark.parametrize("words", ["@", "$", "*", "<", "x"])
def test_whatever_an_agent_asks_fits_into_a_post(words: str) -> None:
    """Mattermost takes 16,383 characters of text and 800,000 of props, and refuses a post with more."""
    choices = tuple(Choice(words * 4_000, words * 200) for _ in range(20))
    asked = record(*(Inquiry("i", "", words * 4_000, choices, is_open=False) for _ in range(10)))

    assert len(text.pending_message(asked, "a" * 64)) <= 16_383
    assert len(json.dumps(text.pending_props(asked, []))) <= 800_000
    with pytest.raises(text.NotUnderstood) as refused:
        text.answers(record(asked.question.inquiries[0]), "none of them")
    assert len(str(refused.value)) <= 16_383


def test_a_question_says_how_much_of_it_is_not_shown() -> None:
    """The condition may stand at its end."""
    asked = Inquiry("i", "", "x" * 4_000, beyond=6_000)

    assert "(9,000 more characters are not shown)" in text.pending_message(record(asked), "ada")
    two = text.pending_message(record(asked, asked), "ada")
    assert two.count("(9,000 more characters are not shown)") == 2
    ended = text.ended_props(record(COLOR, state="answered", chosen="y" * 130))
    assert "(30 more characters are not shown)" in ended["attachments"][0]["text"].replace("\\", "")


def test_a_button_turns_no_text() -> None:
    assert text.button_name("Pay \u202e001") == "Pay \ufffd001"
    assert text.button_name("y" * 41) == "y" * 39 + "…"
