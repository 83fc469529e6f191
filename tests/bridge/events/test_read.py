"""Events are read all or none, and every field that is wrong is named."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import ConversationUnknown, InvalidRequest
from bridge.events.cloudevents import BATCH, EITHER, SINGLE
from bridge.events.read import read
from bridge.events.types import TYPES, AgentMessage, Announcement, SharesIssued
from tests.support.platform_events import ACME, ADA, DATA, EXAMPLES, MESSAGE, encoded, event, nasty, without

ISSUED = "cc.equa.shares.issued"


def mistakes(body: Any, media_type: str = EITHER) -> list[str]:
    """What is complained of."""
    with pytest.raises(InvalidRequest) as refused:
        read(encoded(body), media_type)
    return refused.value.message.removesuffix(".").split("; ")


def issued(*left_out: str, **fields: Any) -> dict[str, Any]:
    return event(ISSUED, data={**without(DATA[ISSUED], *left_out), **fields})


@pytest.mark.parametrize("name", sorted(TYPES))
def test_one_of_each_type(name: str) -> None:
    """The example of each type is one."""
    (found,) = read(encoded(event(name)), SINGLE)

    assert (found.source, found.id) == ("https://app.equa.cc", "event-1")
    assert found.organization_id == UUID(ACME)
    assert found.time == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    assert isinstance(found.data, TYPES[name])


@pytest.mark.parametrize("name", sorted(TYPES))
def test_what_is_stored_reads_again_as_the_same(name: str) -> None:
    """An event may wait in the inbox for days."""
    data = TYPES[name].model_validate(EXAMPLES[name])

    assert TYPES[name].model_validate(json.loads(json.dumps(data.stored()))) == data


@pytest.mark.parametrize(
    ("body", "media_type", "count"),
    [
        (event(), SINGLE, 1),
        (event(), EITHER, 1),
        ([event()], BATCH, 1),
        ([event()], EITHER, 1),
        ([event(number=n) for n in range(100)], BATCH, 100),
    ],
)
def test_one_or_a_list(body: Any, media_type: str, count: int) -> None:
    """The media type says which, JSON may be either."""
    assert len(read(encoded(body), media_type)) == count


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (event(), BATCH),
        ([event()], SINGLE),
        (event(), "text/plain"),
        (event(), "application/octet-stream"),
        ([], BATCH),
        ([event(number=n) for n in range(101)], BATCH),
        ("event", EITHER),
        (None, EITHER),
    ],
)
def test_neither_one_nor_a_list(body: Any, media_type: str) -> None:
    """The message says what a body may be."""
    message = "; ".join(mistakes(body, media_type))

    assert SINGLE in message
    assert "1 to 100" in message


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff{}", b'{"id": NaN}', b"[" * 100_000, b"1" * 5000, "{}".encode("utf-16")]
)
def test_what_is_no_json(body: bytes) -> None:
    """Also what Python's reader would take, or break on."""
    with pytest.raises(InvalidRequest, match="not JSON"):
        read(body, EITHER)


def test_optional_attributes() -> None:
    """Time and content type may be missing or null; other attributes are extensions."""
    spare = without(event(), "time")
    extended = event(time=None, datacontenttype=None, dataschema="x", traceparent="y", Odd={"z": 1})

    assert [found.time for found in read(encoded([spare, extended]), BATCH)] == [None, None]


@pytest.mark.parametrize(
    ("time", "read_as"),
    [
        ("2026-11-22T14:05:00+01:00", "2026-11-22T13:05:00+00:00"),
        ("2026-11-22t14:05:00.123456789z", "2026-11-22T14:05:00.123456+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_times(time: str, read_as: str) -> None:
    """RFC 3339, kept in UTC."""
    (found,) = read(encoded(event(time=time)), SINGLE)

    assert found.time == datetime.fromisoformat(read_as)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"specversion": "0.3"}, 'specversion must be "1.0"'),
        ({"specversion": 1.0}, "specversion should be a valid string"),
        ({"id": ""}, "id must be a text without control characters, not empty"),
        ({"id": "a\nb"}, "id must be a text without control characters, not empty"),
        ({"id": 7}, "id should be a valid string"),
        ({"id": "x" * 501}, "id should have at most 500 characters"),
        ({"source": None}, "source should be a valid string"),
        ({"subject": "acme"}, "subject must be a UUID"),
        ({"subject": f"{{{ACME}}}"}, "subject must be a UUID"),
        ({"subject": [ACME]}, "subject must be a UUID"),
        ({"time": "yesterday"}, "time must be a time such as 2026-11-22T14:05:00Z"),
        ({"time": "2026-11-22T14:05:00"}, "time must be a time such as 2026-11-22T14:05:00Z"),
        ({"time": "2026-02-30T14:05:00Z"}, "time must be a time such as 2026-11-22T14:05:00Z"),
        ({"time": "0001-01-01T00:00:00+01:00"}, "time must be a time such as 2026-11-22T14:05:00Z"),
        ({"time": 1795356300}, "time must be a time such as 2026-11-22T14:05:00Z"),
        ({"datacontenttype": "text/xml"}, 'datacontenttype must be "application/json"'),
        ({"data": None}, "data must be an object"),
        ({"data": [1]}, "data must be an object"),
    ],
)
def test_wrong_attributes(fields: dict[str, Any], wrong: str) -> None:
    """One sentence for one mistake."""
    assert mistakes(event(**fields)) == [wrong]


@pytest.mark.parametrize("name", ["cc.equa.shares.voided", "", None, ["cc.equa.announcement"]])
def test_unknown_types(name: Any) -> None:
    """The error lists the known ones."""
    (message,) = mistakes({**event(), "type": name})

    assert message == f"type must be one of {', '.join(sorted(EXAMPLES))}"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (issued("recipient"), "data.recipient is missing"),
        (issued(recipient=" \t\u200b"), "data.recipient must not be blank"),
        (issued(recipient="x" * 201), "data.recipient should have at most 200 characters"),
        (issued(recipient=7), "data.recipient should be a valid string"),
        (issued(recipientEmail="ada"), "data.recipientEmail must be an e-mail address"),
        (issued(recipientEmail="a`b@c.test"), "data.recipientEmail must be an e-mail address"),
        (issued(securityClass="x" * 101), "data.securityClass should have at most 100 characters"),
        (issued("currency"), "data.currency is missing, but there is a pricePerShare"),
        (issued(currency="usd"),
         "data.currency must be the three capital letters of a currency, such as USD"),
        (event("cc.equa.announcement", data={**DATA["cc.equa.announcement"], "text": "x" * 10_001}),
         "data.text should have at most 10000 characters"),
        (event("cc.equa.member.added", data={**DATA["cc.equa.member.added"], "userId": 7}),
         "data.userId must be a UUID"),
        (event("cc.equa.document.uploaded", data={**DATA["cc.equa.document.uploaded"], "size": -1}),
         "data.size should be greater than or equal to 0"),
        (event("cc.equa.document.uploaded", data={**DATA["cc.equa.document.uploaded"], "size": 1.5}),
         "data.size should be a valid integer"),
    ],
)  # fmt: skip  # one case a line
def test_wrong_data(body: dict[str, Any], wrong: str) -> None:
    """A field is named as it is written."""
    assert mistakes(body) == [wrong]


@pytest.mark.parametrize(
    "quantity", [0, -1, 1.5, True, "0", "0.00", "-1", "1e3", "1,000", "", ".5", "1.", 10**18, "٣"]
)
def test_what_is_no_quantity(quantity: Any) -> None:
    """Neither nothing, nor rounded, nor written for people."""
    (message,) = mistakes(issued(quantity=quantity))

    assert message.startswith("data.quantity must be an integer or a decimal number in quotes")


@pytest.mark.parametrize(
    ("quantity", "stored"),
    [(7, "7"), (7.0, "7"), ("7.50", "7.50"), (10**18 - 1, "999999999999999999"), ("0.000001", "0.000001")],
)
def test_quantities(quantity: Any, stored: str) -> None:
    """Integers of JSON, and decimal numbers in quotes as they are."""
    (found,) = read(encoded(issued(quantity=quantity)), SINGLE)

    assert found.data.stored()["quantity"] == stored


def test_a_price_may_be_nothing() -> None:
    """Shares can be given away."""
    (found,) = read(encoded(issued(pricePerShare=0)), SINGLE)

    assert isinstance(found.data, SharesIssued)
    assert found.data.price_per_share == 0


@pytest.mark.parametrize(
    "link",
    [
        "https://app.equa.cc",
        "https://app.equa.cc:8443/a/b?c=d&e=%20f#g",
        "http://localhost:8080/documents",
        "http://127.0.0.1/x",
    ],
)
def test_links(link: str) -> None:
    """To https, and to this machine for a demonstration."""
    (found,) = read(encoded(issued(link=link)), SINGLE)

    assert isinstance(found.data, SharesIssued)
    assert found.data.link == link


@pytest.mark.parametrize(
    "link",
    [
        "/documents",
        "//app.equa.cc",
        "http://app.equa.cc",
        "http://localhost.evil.example",
        "ftp://app.equa.cc",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://ada:secret@app.equa.cc",
        "https://app.equa.cc@evil.example",
        "https://app.equa.cc\\@evil.example",
        "https://app.equa.cc/a b",
        "https://app.equa.cc/\n",
        "https://äpp.equa.cc",
        " https://app.equa.cc",
    ],
)
def test_what_is_no_link(link: str) -> None:
    """Nothing that a browser could read in another way."""
    (message,) = mistakes(issued(link=link))

    assert message.startswith("data.link must be an absolute https address")


def test_every_mistake_is_named_with_its_index() -> None:
    """In envelope and data, of every event of a list."""
    first = issued("link", quantity=0)
    second = {**event(), "specversion": "2", "type": "x"}

    found = mistakes([event(), first, second, 7], BATCH)

    assert [mistake.split(" ")[0] for mistake in found] == [
        "[1].data.link",
        "[1].data.quantity",
        "[2].specversion",
        "[2].type",
        "[3]",
    ]


def test_a_list_of_one_has_an_index() -> None:
    """Whoever sends lists reads indices."""
    assert mistakes([event(subject="acme")], BATCH) == ["[0].subject must be a UUID"]


def test_unknown_data_is_ignored() -> None:
    """The platform may send more than the bridge shows."""
    (found,) = read(encoded(issued(vestingSchedule={"cliff": 12}, notes="\x00\ud800")), SINGLE)

    assert "vestingSchedule" not in found.data.stored()


def test_what_a_database_cannot_store_is_taken_out_or_refused() -> None:
    """NUL disappears; half a character is none."""
    (found,) = read(encoded(issued(recipient="A\x00da")), SINGLE)

    assert isinstance(found.data, SharesIssued)
    assert found.data.recipient == "Ada"
    assert mistakes(issued(recipient="\ud800"))[0].startswith("data.recipient should be a valid string")


@settings(deadline=None)
@given(nasty.map(lambda text: f"{text}x"))
def test_any_text_is_kept(text: str) -> None:
    """Whatever it means to some parser."""
    body = event(data={**DATA["cc.equa.announcement"], "text": text})

    (found,) = read(encoded(body), SINGLE)

    assert isinstance(found.data, Announcement)
    assert found.data.text == text.replace("\x00", "")


_keys = st.sampled_from(sorted(event())) | st.text(max_size=3)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(_keys, _json) | st.lists(_json, max_size=3) | _json)
def test_any_other_json_is_refused(body: Any) -> None:
    """No shape of a body is an error of ours."""
    assert mistakes(body)


CONVERSATION = f"mattermost:{ACME}:{'c' * 26}:{'t' * 26}"


def message(**data: Any) -> dict[str, Any]:
    return event(MESSAGE, data={"text": "hello", **data})


@pytest.mark.parametrize("key", [CONVERSATION, f"agent:main:{CONVERSATION}"])
def test_a_message_may_go_into_a_conversation(key: str) -> None:
    """Under the key that the agent was given, or the one under which a gateway stores it."""
    (found,) = read(encoded(message(conversation=key)), SINGLE)

    assert isinstance(found.data, AgentMessage)
    assert found.data.conversation == key


@pytest.mark.parametrize(
    ("data", "mistake"),
    [
        ({}, "data must have either channel or conversation"),
        (
            {"channel": "agent", "conversation": CONVERSATION},
            "data must have either channel or conversation",
        ),
        (
            {"channel": "../admin"},
            "data.channel must be the name of a channel as in its address, such as agent",
        ),
        ({"channel": "agent", "text": " "}, "data.text must not be blank"),
        (
            {"conversation": "mattermost:acme:c:t"},
            "data.conversation must be the key of a conversation: mattermost:organization:channel:thread",
        ),
    ],
)
def test_a_message_has_one_place(data: dict[str, Any], mistake: str) -> None:
    """A channel by its name or a conversation by its key."""
    assert mistakes(message(**data)) == [mistake]


def test_no_organization_names_a_conversation_of_another() -> None:
    """Not even in the middle of a list."""
    foreign = message(conversation=CONVERSATION.replace(ACME, ADA))

    with pytest.raises(ConversationUnknown):
        read(encoded([event(), foreign, message(channel="agent")]), BATCH)
