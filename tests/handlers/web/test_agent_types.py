"""agent-admin.d.ts says what agent-admin.js does."""

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from bridge.models.audit import AUDIT_KINDS
from bridge.models.organization_settings import STRICTEST_APPROVERS, STRICTEST_FOLLOW_UPS
from bridge.models.usage import Outcome
from bridge.models.usage_report import Figures
from bridge.reasons import AUDITED_REFUSALS
from handlers.http.settings_models import NOTICE_TYPES
from handlers.web.assets import assets

CODE = assets()["agent-admin.js"].body.decode()
TYPES = assets()["agent-admin.d.ts"].body.decode()
DOCUMENT = (Path(__file__).parents[3] / "handlers" / "README.md").read_text()


def block(text: str, start: str) -> str:
    """Return the lines from one that starts so to the next that is not indented."""
    return text[text.index(start) :].split("\n}", 1)[0]


def test_every_code_with_a_sentence_is_declared() -> None:
    """And those that have the sentence for anything else."""
    codes = set(re.findall(r"^  (\w+): \[", block(CODE, "const FAILURES"), re.MULTILINE))
    declared = set(re.findall(r'"(\w+)"', block(TYPES, "export type AgentAdminErrorCode").split(";")[0]))

    assert codes
    assert declared - codes == {"internal_error", "unexpected", "invalid_answer"}
    assert codes <= declared


def test_every_member_attribute_and_event_is_declared() -> None:
    """By its name."""
    element = block(TYPES, "export class EquaAgentAdmin")
    attributes = re.findall(r"(\w+): ", block(CODE, "const ATTRIBUTES").split("\n")[0])
    members = re.findall(
        r"^  (?:get |async )?([a-z]\w+)\(", block(CODE, "export class EquaAgentAdmin"), re.MULTILINE
    )
    events = set(re.findall(r'this\.#tell\("(\w+)"', block(CODE, "export class EquaAgentAdmin")))

    assert attributes == ["organization", "api", "section", "theme"]
    for attribute in attributes:
        assert f"  {attribute}?: " in block(TYPES, "export interface AgentAdminAttributes")
        assert f"  {attribute}: " in element
    assert {each for each in members if not each.endswith("Callback")} == {"state", "reload"}
    assert events == {"state", "error"}
    for event in events:
        assert f'"equa-agent-admin-{event}": CustomEvent' in TYPES
        assert f'"onequa-agent-admin-{event}"' in TYPES


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("const KINDS", AUDIT_KINDS),
        ("const APPROVERS", STRICTEST_APPROVERS),
        ("const FOLLOW_UPS", STRICTEST_FOLLOW_UPS),
        ("const NOTICES", NOTICE_TYPES),
        ("  question_refused: {", AUDITED_REFUSALS),
    ],
)
def test_every_code_of_the_api_has_its_words(table: str, codes: Iterable[str]) -> None:
    """What the bridge learns to say, the page says in words."""
    words = CODE[CODE.index(table) :].split("};\n", 1)[0]
    named = set(re.findall(r'"?([\w.]+)"?: "', words.split("\n  },", 1)[0]))

    assert named == set(codes)


def test_every_outcome_of_the_audit_has_its_sentence() -> None:
    """Those that callers of the API are told of; reasons of refusals are compared above."""
    rows = re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \|[^|]+\| ([^|;]+)", DOCUMENT, re.MULTILINE)
    told = {kind: set(re.findall(r"`(\w+)`", codes)) for *kinds, codes in rows for kind in kinds}
    told["question_refused"] = set(AUDITED_REFUSALS)
    words = block(CODE, "const SENTENCES").split("\n};")[0]
    sentences = {
        kind: set(re.findall(r"(\w+): \"", each)) for kind, each in re.findall(r"(\w+): \{([^}]*)\}", words)
    }

    assert {kind: told[kind] for kind in AUDIT_KINDS} == sentences


def test_everything_that_a_question_can_become_is_drawn() -> None:
    """A new outcome would be missing from the bars."""
    drawn = set(re.findall(r'\{ id: "(\w+)"', block(CODE, "const BECAME").split("];")[0]))
    known = {field.name for field in fields(Figures)} & set(get_args(Outcome))

    assert drawn == {"noReply" if outcome == "no_reply" else outcome for outcome in known}


def test_every_section_is_declared() -> None:
    """By its name as an attribute."""
    declared = re.search(r"export type AgentAdminSection = (.*);", TYPES)

    assert declared
    assert re.findall(r'static id = "(\w+)"', CODE) == ["approvals", "audit", "settings", "usage"]
    assert sorted(re.findall(r'"(\w+)"', declared[1])) == ["approvals", "audit", "settings", "usage"]


def test_the_component_makes_no_markup_of_text() -> None:
    """Elements are built; nothing that a server says can become one."""
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", CODE
    )
