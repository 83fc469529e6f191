"""What the bot says about organizations: their names are other people's texts."""

from uuid import UUID

from bridge.models.chat import TeamId
from bridge.models.conversation_starts import Candidate
from bridge.models.equa import OrganizationId
from handlers.jobs.choice_texts import footer, left, switched, which


def organization(number: int, name: str) -> Candidate:
    return Candidate(OrganizationId(UUID(int=number)), name, TeamId("t" * 26), f"team-{number}")


EVIL = organization(1, "@all **Evil** [x](http://x.example)\n1. Acme")


def test_names_mention_nobody_and_format_nothing() -> None:
    """One line each, however they are written."""
    text = which([EVIL, organization(2, "Birch")], unknown="@here `x`")
    assert "@all" not in text
    assert "@here" not in text
    assert [line[:2] for line in text.splitlines()[2:]] == ["1.", "2."]
    for text in (switched(EVIL, "equabot"), left(EVIL, [EVIL])):
        assert "@all" not in text
        assert "[x](" not in text
    assert "@all" not in footer(EVIL)
    assert "\n" not in footer(EVIL)


def test_equal_names_are_shown_with_their_teams() -> None:
    """Otherwise the numbers would say nothing."""
    shown = which([organization(1, "Acme"), organization(2, "acme"), organization(3, "Birch")])
    assert shown.splitlines()[2:] == ["1. Acme (team-1)", "2. acme (team-2)", "3. Birch"]
