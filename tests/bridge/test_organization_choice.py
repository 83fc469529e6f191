"""Whose agent gets a direct message: only a choice of its author among their organizations counts."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.chat import TeamId
from bridge.models.conversation_starts import Candidate
from bridge.models.equa import OrganizationId
from bridge.organization_choice import AskWhich, Choice, Chosen, Left, Nowhere, Switched, choose, named
from bridge.text.commands import Command, Number, Use


def organization(number: int, name: str) -> Candidate:
    return Candidate(OrganizationId(UUID(int=number)), name, TeamId(str(number) * 26), f"team-{number}")


ACME, BOREALIS, BIRCH = (
    organization(1, "Acme Corp"),
    organization(2, "Borealis Labs"),
    organization(3, "Birch"),
)
BOTH = (ACME, BOREALIS)
OFFERED = [ACME.organization_id, BOREALIS.organization_id]
TO_BOREALIS = Use("Borealis", certain=True)


@pytest.mark.parametrize(
    ("command", "mine", "chosen", "offered", "choice"),
    [
        (None, (), None, [], Nowhere()),
        (Number(1), (), None, OFFERED, Nowhere()),
        (None, (ACME,), None, [], Chosen(ACME, begins=True)),
        ("new", (ACME,), None, [], Chosen(ACME, begins=True)),
        (None, BOTH, None, [], AskWhich(BOTH)),
        (None, BOTH, ACME, [], Chosen(ACME, begins=False)),
        (Number(2), BOTH, None, OFFERED, Switched(BOREALIS)),
        (Number(2), BOTH, ACME, OFFERED, Switched(BOREALIS)),
        # A number without a list is a question, and so is one beyond it.
        (Number(2), BOTH, ACME, [], Chosen(ACME, begins=False)),
        (Number(3), BOTH, ACME, OFFERED, Chosen(ACME, begins=False)),
        (Number(0), BOTH, None, OFFERED, AskWhich(BOTH)),
        # The number goes by the list that was shown, whoever has joined or left since.
        (Number(1), (BOREALIS, BIRCH), None, OFFERED, AskWhich((BOREALIS, BIRCH))),
        (Number(2), (BIRCH, BOREALIS), None, OFFERED, Switched(BOREALIS)),
        (TO_BOREALIS, BOTH, ACME, [], Switched(BOREALIS)),
        (Use("2", certain=True), BOTH, ACME, [], Switched(BOREALIS)),
        (TO_BOREALIS, (ACME,), ACME, [], AskWhich((ACME,), "Borealis")),
        (Use("the cap table", certain=False), BOTH, ACME, [], Chosen(ACME, begins=False)),
        (Use("b", certain=True), (BOREALIS, BIRCH), None, [], AskWhich((BOREALIS, BIRCH), "b")),
        (None, (BOREALIS,), ACME, [], Left(BOREALIS, (BOREALIS,))),
        (None, (BOREALIS, BIRCH), ACME, [], Left(None, (BOREALIS, BIRCH))),
        (TO_BOREALIS, (BOREALIS,), ACME, [], Switched(BOREALIS)),
    ],
)
def test_a_message_has_one_choice(
    command: Command | None,
    mine: tuple[Candidate, ...],
    chosen: Candidate | None,
    offered: list[OrganizationId],
    choice: Choice,
) -> None:
    """The table of what somebody may mean."""
    assert choose(command, mine, chosen.organization_id if chosen else None, offered) == choice


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("acme corp", ACME),
        ("  ACME   Corp ", ACME),
        ("Acme", ACME),
        ("Bor", BOREALIS),
        ("Bo", None),
        ("B", None),
        ("Corp", None),
        ("", None),
    ],
)
def test_a_name_fits_one_or_none(name: str, found: Candidate | None) -> None:
    """A whole name wins over a beginning; what fits several fits none."""
    assert named(name, (ACME, BOREALIS, BIRCH)) == found


def test_equal_names_are_told_apart_by_number_alone() -> None:
    """Nobody guesses which of two is meant."""
    twin = organization(4, "Acme Corp")
    assert named("Acme Corp", (ACME, twin)) is None
    assert choose(Number(2), (ACME, twin), None, [ACME.organization_id, twin.organization_id]) == Switched(
        twin
    )


organizations = st.lists(st.sampled_from((ACME, BOREALIS, BIRCH)), unique=True)
commands = st.sampled_from(
    (None, "new", "help", Number(1), Number(2), TO_BOREALIS, Use("acme", certain=False))
)


@given(commands, organizations, st.sampled_from((None, ACME, BOREALIS)), organizations)
def test_no_question_reaches_another_organization(
    command: Command | None, mine: list[Candidate], chosen: Candidate | None, offered: list[Candidate]
) -> None:
    """Who is asked is an organization of the author, and that of the conversation if there is one."""
    choice = choose(
        command,
        mine,
        chosen.organization_id if chosen else None,
        [each.organization_id for each in offered],
    )
    if isinstance(choice, Chosen):
        assert choice.organization in mine
        assert choice.organization == chosen or (chosen is None and mine == [choice.organization])
    if isinstance(choice, Switched):
        assert choice.organization in mine
