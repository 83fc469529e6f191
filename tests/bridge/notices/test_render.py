"""The notices, one of each type; the texts here are approved."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events.types import NOTICED
from bridge.notices.render import Rendered, render
from tests.support.platform_events import DATA, nasty, without

TIME = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
FOOTER = "Equa · 22 November 2026, 14:05 UTC"


def notice(name: str, /, **fields: Any) -> Rendered:
    return render(NOTICED[name].model_validate({**DATA[name], **fields}), TIME)


def rendered(name: str, /, **fields: Any) -> dict[str, Any]:
    return notice(name, **fields).attachment


def fields(attachment: dict[str, Any]) -> dict[str, str]:
    return {field["title"]: field["value"] for field in attachment["fields"]}


@pytest.mark.parametrize(
    ("name", "title", "shown", "summary"),
    [
        (
            "cc.equa.shares.issued",
            "Shares issued",
            {
                "Recipient": "Ada Lovelace (`ada@example.test`)",
                "Security": "Common Stock",
                "Quantity": "1,500,000",
                "Price per share": "USD 0.0001",
                "Certificate": r"CS\-12",
            },
            "1,500,000 Common Stock issued to Ada Lovelace",
        ),
        (
            "cc.equa.shares.transferred",
            "Shares transferred",
            {
                "From": "Ada Lovelace",
                "To": "Grace Hopper",
                "Security": "Common Stock",
                "Quantity": "1,250.5",
            },
            "1,250.5 Common Stock transferred from Ada Lovelace to Grace Hopper",
        ),
        (
            "cc.equa.document.uploaded",
            "Document uploaded",
            {
                "Document": r"Bylaws 2026\.pdf",
                "Uploaded by": "Grace Hopper",
                "Size": "1.5 MB",
                "Folder": "Governance",
            },
            "Grace Hopper uploaded Bylaws 2026.pdf",
        ),
        (
            "cc.equa.member.added",
            "New member",
            {"Name": "Ada Lovelace", "Role": "Shareholder"},
            "Ada Lovelace joined as Shareholder",
        ),
        (
            "cc.equa.member.removed",
            "Member left",
            {"Name": "Ada Lovelace", "Role": "Shareholder"},
            "Ada Lovelace (Shareholder) left",
        ),
        ("cc.equa.announcement", "Announcement", {}, "Annual meeting"),
    ],
)
def test_approved(name: str, title: str, shown: dict[str, str], summary: str) -> None:
    """Title, fields in order, summary, link and time."""
    attachment = rendered(name)

    assert list(fields(attachment).items()) == list(shown.items())
    assert attachment["title"] == title
    assert attachment["title_link"] == DATA[name]["link"]
    assert attachment["fallback"] == notice(name).message == summary
    assert attachment["footer"] == FOOTER


def test_an_announcement_has_its_text_and_author() -> None:
    """The text keeps its lines, the author stands above the title."""
    attachment = rendered("cc.equa.announcement")

    assert attachment["author_name"] == "Grace Hopper"
    assert attachment["text"] == ("We meet on 3 December\\.\n\nPlease bring:\n\\- your vote\n\\- a question")


@pytest.mark.parametrize("name", sorted(NOTICED))
def test_no_text_stands_twice(name: str) -> None:
    """The message is a sentence of its own; the attachment shows the particulars."""
    found = notice(name)

    assert found.message not in (found.attachment["title"], found.attachment["text"])
    assert found.message not in found.attachment["fields"]


def test_a_message_can_be_searched_for() -> None:
    """Words and names of files stand in it as people type them."""
    message = notice("cc.equa.document.uploaded", name="Board_minutes-2026 (final).pdf").message

    assert message == "Grace Hopper uploaded Board_minutes-2026 (final).pdf"


def test_types_can_be_told_apart_at_a_glance() -> None:
    """Each has a colour that Mattermost takes."""
    colors = [rendered(name)["color"] for name in NOTICED]

    assert len(set(colors)) == len(colors)
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)


@pytest.mark.parametrize(
    ("name", "left_out", "gone"),
    [
        ("cc.equa.shares.issued", ("pricePerShare", "currency"), "Price per share"),
        ("cc.equa.shares.issued", ("pricePerShare",), "Price per share"),
        ("cc.equa.shares.issued", ("certificate",), "Certificate"),
        ("cc.equa.document.uploaded", ("folder",), "Folder"),
    ],
)
def test_what_was_not_told_has_no_field(name: str, left_out: tuple[str, ...], gone: str) -> None:
    """No empty fields."""
    attachment = render(NOTICED[name].model_validate(without(DATA[name], *left_out)), TIME).attachment

    assert gone not in fields(attachment)


def test_an_author_need_not_be_told() -> None:
    """Mattermost shows no author then."""
    data = NOTICED["cc.equa.announcement"].model_validate(without(DATA["cc.equa.announcement"], "author"))

    assert render(data, TIME).attachment["author_name"] == ""


_TEXTS = (
    *("recipient", "securityClass", "certificate", "from", "to", "name", "folder", "uploader", "role"),
    *("title", "text", "author"),
)


@st.composite
def attachments(draw: st.DrawFn) -> dict[str, Any]:
    """Notices of any type in which every text of somebody is nasty."""
    name = draw(st.sampled_from(sorted(NOTICED)))
    texts = {key: draw(nasty.map(lambda text: f"{text}x"[-100:])) for key in DATA[name] if key in _TEXTS}
    found = notice(name, **texts)
    return {**found.attachment, "message": found.message}


def strings(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from strings(each)
        case list():
            for each in value:
                yield from strings(each)
        case str():
            yield value


@settings(deadline=None)
@given(attachments())
def test_no_text_of_anybody_calls_anybody(attachment: dict[str, Any]) -> None:
    """After all that a parser may take away no `@` stands before what could be a name."""
    for text in strings(attachment):
        bare = unescape(re.sub(r"`[^`\s]+@[^`\s]+`", "", text).replace("\\", ""))
        assert not re.search(r"@[\w.:-]", bare)


@settings(deadline=None)
@given(attachments())
def test_names_fill_one_line(attachment: dict[str, Any]) -> None:
    """Only the text of an announcement has lines."""
    assert not [text for text in strings({**attachment, "text": ""}) if "\n" in text]


@pytest.mark.parametrize("character", ["<", "@", "😀", "\\", ":", "\n:"])
def test_the_longest_notices_can_be_posted(character: str) -> None:
    """Far below 300,000 bytes of a request, whatever escaping makes of a text."""
    longest = {"title": 200, "text": 10_000, "author": 200}
    announced = {key: f"{character * (size // len(character) - 1)}x" for key, size in longest.items()}

    attachment = rendered("cc.equa.announcement", **announced)

    assert len(json.dumps({"props": {"attachments": [attachment]}})) < 150_000
