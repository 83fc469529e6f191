"""messaging.d.ts says what messaging.js does."""

import re

from handlers.web.assets import assets

CODE = assets()["messaging.js"].body.decode()
TYPES = assets()["messaging.d.ts"].body.decode()


def block(text: str, start: str) -> str:
    """Return the lines from one that starts so to the next that is not indented."""
    return text[text.index(start) :].split("\n}", 1)[0]


def test_every_code_with_a_sentence_is_declared() -> None:
    """And the two that have the sentence for anything else."""
    codes = set(re.findall(r"^  (\w+): \[", block(CODE, "const SENTENCES"), re.MULTILINE))
    declared = set(re.findall(r'"(\w+)"', block(TYPES, "export type MessagingErrorCode").split(";")[0]))

    assert codes
    assert declared - codes == {"internal_error", "unexpected", "invalid_answer"}
    assert codes <= declared


def test_every_public_member_is_declared() -> None:
    """Of the element and of the API."""
    for name in ("EquaMessaging", "MattermostApi"):
        members = re.findall(
            r"^  (?:get |async )?([a-z]\w+)\(", block(CODE, f"export class {name}"), re.MULTILINE
        )
        callbacks = {member for member in members if member.endswith("Callback")}
        declared = re.findall(
            r"^  (?:readonly )?(\w+)[(:<]", block(TYPES, f"export class {name}"), re.MULTILINE
        )
        assert set(members) - callbacks <= set(declared)
        assert members


def test_a_failure_is_made_as_it_is_declared() -> None:
    """Of a code, and of what the server has said."""
    (made,) = re.findall(r"constructor\(code, \{ ([^}]*) \}", block(CODE, "class Failure"))
    (declared,) = re.findall(
        r"constructor\(code: MessagingErrorCode, options\?: \{ ([^}]*) \}\);",
        block(TYPES, "export class Failure"),
    )

    assert re.findall(r"(\w+) =", made) == re.findall(r"(\w+)\?:", declared)
    assert "status" in declared


def test_every_attribute_and_event_is_declared() -> None:
    """By its name."""
    attributes = re.findall(r"(\w+): ", block(CODE, "const ATTRIBUTES").split("\n")[0])
    events = set(re.findall(r'this\.#tell\("(\w+)"', CODE))

    assert sorted(attributes) == ["api", "channel", "organization", "theme"]
    for attribute in (*attributes, "downloads"):
        assert f"  {attribute}?: " in block(TYPES, "export interface MessagingAttributes")
        assert f"  {attribute}: " in block(TYPES, "export class EquaMessaging")
    assert events == {"state", "error", "ready"}
    for event in events:
        assert f'"equa-messaging-{event}": CustomEvent' in TYPES
        assert f'"onequa-messaging-{event}"' in TYPES


def test_the_component_makes_no_markup_of_text() -> None:
    """Elements are built; nothing that a server says can become one."""
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", CODE
    )
    assert "import " not in CODE
