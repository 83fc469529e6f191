"""What an approval's post shows: an agent's words as they are, and nothing that they could do."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bridge.models.approval_records import ApprovalRecord, Decider, RecordId
from bridge.models.approvals import Approval, ApprovalId
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId, PersonId
from handlers.jobs import approval_text
from handlers.jobs.approval_text import Offer

NOON = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
THREAD = PostId("t" * 26)
PLACE = Conversation(OrganizationId(UUID(int=1)), ChannelId("c" * 26), THREAD)
APPROVAL = Approval(
    ApprovalId("plugin:1"),
    "plugin",
    PLACE,
    "run",
    "Pay 100",
    "Pay 100 to Acme.",
    "equa_pay",
    "critical",
    ("allow-once", "deny"),
    0,
    0,
)
RECORD = ApprovalRecord(
    RecordId(UUID(int=7)),
    APPROVAL,
    THREAD,
    UserId("a" * 26),
    "pending",
    NOON,
    NOON + timedelta(minutes=2),
)
BUTTONS = Offer("buttons", "admins")


def saying(**words: Any) -> ApprovalRecord:
    return replace(RECORD, approval=replace(APPROVAL, **words))


def card(record: ApprovalRecord, offer: Offer = BUTTONS) -> dict[str, Any]:
    (found,) = approval_text.pending_props(record, offer, [])["attachments"]
    assert isinstance(found, dict)
    return found


def test_it_says_what_who_until_when_and_how() -> None:
    shown = card(RECORD)

    assert approval_text.pending_message(RECORD, "ada") == "**Approval needed**, asked by @ada: Pay 100"
    assert {each["title"]: each["value"] for each in shown["fields"]} == {
        "Tool": "equa\\_pay",
        "Severity": "Critical",
        "Decide until": "14:07 UTC (2 minutes)",
        "How": "Press a button below.",
    }
    assert shown["footer"] == "An administrator of the organization decides."
    assert approval_text.pending_message(RECORD, "") == "**Approval needed**: Pay 100"


def test_a_direct_message_says_that_others_are_asked_elsewhere() -> None:
    """Nobody but the asker sees it, who often may not decide."""
    place = replace(PLACE, person_id=PersonId(UUID(int=2)))
    fields = {each["title"]: each["value"] for each in card(saying(conversation=place))["fields"]}

    assert fields["How"] == (
        "The administrators get a message of their own. If you may decide, press a button below."
    )


@pytest.mark.parametrize(
    "words",
    [
        "@all and @channel, @here",
        "[click](https://evil.example) ![x](https://evil.example/x.png)",
        "**Approved** by @ada\n# Heading\n> quoted",
        "https://evil.example <script>alert(1)</script> ~town-square #tag :smile:",
        "\u202etxt.exe\u2066 \u200bhidden\x00\x1b[31m",
    ],
)
def test_an_agents_words_do_nothing(words: str) -> None:
    """No mention, link, image, format or line of their own, and nothing that turns or hides text."""
    record = saying(title=words, description=words, tool=words)
    shown = json.dumps([approval_text.pending_message(record, ""), card(record)], ensure_ascii=False)
    shown += approval_text.ended_message(replace(record, state="expired"), "")
    shown += approval_text.reminder(record, "https://chat.example.com/x", "ada")

    assert not any(
        each in shown for each in ("@all", "@channel", "@here", "@ada\n", "](https://evil", "<script")
    )
    assert not any(
        each in shown for each in ("\u202e", "\u2066", "\x1b", "\\u0000", "\n#", "\n>", ":smile:", "#tag")
    )
    assert "https://evil" not in shown
    assert "\n" not in approval_text.pending_message(record, "")


def test_a_command_is_shown_whole_or_says_that_it_is_not() -> None:
    """In a block that it cannot end, with a sign for what nobody sees; a long one says what is missing."""
    command = "echo ```\n```` && rm -rf /\u202e\x07"
    shown = card(saying(kind="exec", description=command))["text"]
    assert shown == "`````\necho ```\n```` && rm -rf /\ufffd\ufffd\n`````"

    shown = card(saying(kind="exec", description="x" * 2_500))["text"]
    assert "500 more characters are not shown" in shown
    shown = card(saying(kind="exec", description="x" * 4_000, beyond=96_000))["text"]
    assert "(98,000 more characters are not shown)" in shown
    assert len(json.dumps(card(saying(description="\\" * 100_000, title="&" * 9_999)))) < 40_000


def test_what_the_agent_does_not_take_is_not_offered() -> None:
    record = saying(decisions=("deny",))

    fields = {each["title"]: each["value"] for each in card(record, Offer("reactions", "members"))["fields"]}

    assert fields["How"] == "React to this post with :x: to deny."


@pytest.mark.parametrize(
    ("state", "outcome", "decider", "sentence"),
    [
        ("approved", "allowed", "@ada", "**Approved** by @ada, 14:06 UTC: Pay 100"),
        ("denied", "denied", "@ada", "**Denied** by @ada, 14:06 UTC: Pay 100"),
        ("expired", "expired", "", "**Expired**, nobody has decided, 14:07 UTC: Pay 100"),
        ("expired", "expired", "@ada", "**Expired**, @ada decided too late, 14:07 UTC: Pay 100"),
        ("elsewhere", "allowed", "", "**Approved elsewhere**, 14:06 UTC: Pay 100"),
        ("elsewhere", "denied", "@ada", "**Denied elsewhere** before @ada decided, 14:06 UTC: Pay 100"),
        (
            "withdrawn",
            "withdrawn",
            "",
            "**Withdrawn** before anybody decided, 14:06 UTC; the agent does not wait any more: Pay 100",
        ),
    ],
)
def test_its_end(state: Any, outcome: str, decider: str, sentence: str) -> None:
    """Without buttons, and with everything else that was shown."""
    by = Decider("button", "admin") if decider else None
    record = replace(RECORD, state=state, outcome=outcome, decider=by, ended=NOON + timedelta(minutes=1))

    assert approval_text.ended_message(record, decider) == sentence
    props = approval_text.ended_props(record)
    assert props["equabot_bridge"] == {"approval": str(RECORD.id), "remark": True}
    assert "actions" not in props["attachments"][0]
    assert props["attachments"][0]["text"] == "Pay 100 to Acme\\."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "less than a minute"), (60, "1 minute"), (1800, "30 minutes"), (7200, "2 hours")],
)
def test_how_long_there_is(seconds: int, words: str) -> None:
    record = replace(RECORD, expires_at=NOON + timedelta(seconds=seconds))

    assert approval_text.deadline(record).endswith(f"({words})")
