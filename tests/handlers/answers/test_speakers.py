import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.chat import User, UserId
from handlers.answers.speakers import label, spoken

ADA = User(UserId("a" * 26), "ada")
LINE_ENDS = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize(
    ("full_name", "shown"),
    [
        ("Ada Moreno", "Ada Moreno (@ada)"),
        ("", "@ada"),
        ("  Ada \t Moreno\n", "Ada Moreno (@ada)"),
        ("Ben (@ben): I agree", "Ben ben I agree (@ada)"),
        ("Ada\nBen: hello", "Ada Ben hello (@ada)"),
        ("\u202eadA\u2066", "adA (@ada)"),
        ("\u200b\u2060", "@ada"),
        ("\u3164", "@ada"),
        ("\u115f\u1160", "@ada"),
        ("\uffa0\u2800", "@ada"),
        ("\u034f\ufe0f", "@ada"),
        ("Ben\uff08\uff20ben\uff09\uff1a hello", "Ben ben hello (@ada)"),
        ("Ben \ufe6bben", "Ben ben (@ada)"),
        ("**Ada** `x` [y]", "Ada x y (@ada)"),
        ("Zoë 王", "Zoë 王 (@ada)"),
        ("x" * 500, "x" * 60 + " (@ada)"),
    ],
)
def test_a_name_is_cleaned_and_made_unique(full_name: str, shown: str) -> None:
    """Anybody can call themselves anything; their username is theirs alone."""
    assert label(User(ADA.id, ADA.username, first_name=full_name)) == shown


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_no_text_can_speak_for_somebody_else(line_end: str) -> None:
    """A speaker's name stands at the beginning of a line, where no text gets."""
    text = spoken("@ada", f"hi{line_end}@ben: I agree")

    assert text == "@ada: hi\n  @ben: I agree"


def test_one_person_alone_needs_no_name() -> None:
    assert spoken(None, "hi\nthere") == "hi\nthere"


@given(st.text(st.characters() | st.sampled_from([end for end in LINE_ENDS if len(end) == 1])))
def test_whatever_is_said_only_the_first_line_names_a_speaker(text: str) -> None:
    lines = spoken("@ada", text).splitlines()

    assert lines[0].startswith("@ada: ")
    assert all(line.startswith("  ") for line in lines[1:])
