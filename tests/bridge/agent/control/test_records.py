"""What an agent asks for is read without losing what matters to whoever decides."""

from typing import Any
from uuid import UUID

import pytest

from bridge.agent.control import records
from bridge.models.approvals import Approval
from bridge.models.chat import ChannelId, PostId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId

PLACE = Conversation(OrganizationId(UUID(int=1)), ChannelId("c" * 26), PostId("t" * 26))


def command(text: str) -> Approval:
    return records.approval("exec", _record(command=text), PLACE)


def tool(**request: Any) -> Approval:
    return records.approval("plugin", _record(**request), PLACE)


def _record(**request: Any) -> dict[str, Any]:
    return {"id": "a1", "createdAtMs": 1, "expiresAtMs": 2, "request": request}


def test_a_long_description_says_how_much_of_it_is_missing() -> None:
    """The harm may stand at its end."""
    found = command("echo " + " " * 100_000 + "; rm -rf /")

    assert len(found.description) <= 4_000
    assert found.beyond == 96_015
    assert tool(title="Pay", description="x" * 4_000).beyond == 0
    assert tool(title="Pay", description="x" * 4_001).beyond == 1


def test_a_long_title_and_tool_show_that_they_are_cut() -> None:
    found = tool(title="t" * 201, toolName="u" * 100_000)

    assert (found.title, found.tool) == ("t" * 199 + "…", "u" * 199 + "…")
    assert tool(title="t" * 200).title == "t" * 200


@pytest.mark.parametrize("hidden", ["\x1b", "\x00", "\u202e", "\u200b", "\ud800", "\r"])
def test_a_command_is_read_with_what_nobody_sees(hidden: str) -> None:
    assert command(f"echo a{hidden}b").description == "echo a\ufffdb"


def test_words_of_a_tool_do_not_turn() -> None:
    found = tool(title="Pay \u202e001", description="\u2066x", toolName="a\u202e")

    assert (found.title, found.description, found.tool) == ("Pay \ufffd001", "\ufffdx", "a\ufffd")


def test_a_long_question_says_how_much_of_it_is_missing() -> None:
    asked = [{"questionId": "i", "question": "x" * 10_000}]
    record = {"id": "q1", "createdAtMs": 1, "expiresAtMs": 2, "questions": asked}

    (inquiry,) = records.question(record, PLACE).inquiries

    assert (len(inquiry.text), inquiry.beyond) == (4_000, 6_000)


@pytest.mark.parametrize("id_", ["", "a\x00", "a\ud800", "x" * 201, None])
def test_an_id_that_cannot_be_stored_is_malformed(id_: object) -> None:
    """It goes back as it came, so nothing can be put in its place; PostgreSQL refuses the whole question."""
    asked = [{"questionId": id_, "question": "?"}]

    with pytest.raises(records.MalformedRecord):
        records.question({"id": "q1", "createdAtMs": 1, "expiresAtMs": 2, "questions": asked}, PLACE)
