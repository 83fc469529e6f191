"""What the frames of the websocket say, and the quick look that spares parsing most of them."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.mattermost.websocket.frames import (
    Frame,
    Hello,
    Interest,
    Malformed,
    Other,
    PostedEvent,
    Reply,
    parse_frame,
    sniffer,
)
from bridge.mattermost.wire import parse_posted
from tests.support.mattermost_frames import event, fail, go_json, hello, ok, post_json, posted, posted_data

INTEREST = Interest("agent", "equabot")
SNIFF = sniffer(INTEREST)

TEMPTING = (
    '"agent"',
    '"channel_name":"agent"',
    '\\"channel_name\\":\\"agent\\"',
    '"sender_name":"@equabot"',
    '"event":"posted"',
    '{"event":"hello"}',
    ',"seq":5}',
    ', "seq": 5}',
    "}]}",
    "\\",
    '\\"',
)


def parse(frame: str | bytes) -> Frame:
    return parse_frame(frame if isinstance(frame, bytes) else frame.encode(), INTEREST)


def seen(data: dict[str, Any], seq: int) -> PostedEvent:
    return PostedEvent(parse_posted(data), seq)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (hello("c1"), Hello("c1", "10.4.2.10.4.2.abc.false", 0)),
        (event("hello", {"server_version": "5.37.0"}, 0), Hello("", "5.37.0", 0)),
        (event("hello", {"connection_id": 5}, 0), Hello("", "", 0)),
        (event("hello", None, 0), Hello("", "", 0)),
        (ok(3), Reply(3, ok=True)),
        (fail(4, "api.x"), Reply(4, ok=False, error_id="api.x")),
        ('{"status":"FAIL"}', Reply(0, ok=False)),
        ('{"status":"FAIL","seq_reply":1,"error":"no object"}', Reply(1, ok=False)),
        (posted(7), seen(posted_data(), 7)),
        (posted(7, "agent", "equabot"), seen(posted_data("agent", "equabot"), 7)),
        (posted(7, "other", "equabot"), seen(posted_data("other", "equabot"), 7)),
        (posted(7, "other"), Other(7)),
        (posted(7, "agents"), Other(7)),
        (event("typing", {"parent_id": "", "user_id": "a" * 26}, 8), Other(8)),
        (event("channel_viewed", {"channel_name": "agent"}, 8), Other(8)),
        (event("posted", None, 8), Other(8)),
        (event("posted", {}, 8), Other(8)),
        ('{"seq": 9}', Other(9)),
    ],
)
def test_frames(frame: str, says: Frame) -> None:
    """Each kind of frame is told apart."""
    assert parse(frame) == says


@pytest.mark.parametrize(
    ("frame", "seq"),
    [
        ("", None),
        ("no JSON", None),
        ("[]", None),
        ("{}", None),
        ('{"seq": "5"}', None),
        ('{"seq": true}', None),
        ('{"seq": -1}', None),
        ('{"seq": 1.5}', None),
        ('{"seq_reply": 5}', None),
        (b"\xff\xfe\x00", None),
        (event("posted", {**posted_data(), "post": "{}"}, 6), 6),
        (event("posted", {**posted_data(), "post": "no JSON"}, 6), 6),
        (event("posted", {**posted_data(), "post": post_json()}, 6), 6),
        (event("posted", {**posted_data(), "team_id": 5}, 6), 6),
    ],
)
def test_malformed_frames(frame: str | bytes, seq: int | None) -> None:
    """What says nothing usable has a reason, and its number if that can be read."""
    said = parse(frame)

    assert isinstance(said, Malformed)
    assert said.reason
    assert said.seq == seq


@pytest.mark.parametrize("precomputed", [True, False])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("posted", posted_data("town-square")),
        ("posted", posted_data("town-square", message=" ".join(TEMPTING))),
        ("posted", {**posted_data("town-square"), "channel_display_name": 'the "agent" \\'}),
        ("posted", {**posted_data("town-square"), "mentions": go_json(["b" * 26])}),
        ("post_edited", {"post": go_json(post_json())}),
        ("typing", {"parent_id": "", "user_id": "a" * 26}),
        ("status_change", {"status": "online", "user_id": "a" * 26}),
    ],
)
def test_quick_look_spares_what_the_server_writes(name: str, data: Any, *, precomputed: bool) -> None:
    """Uninteresting events need no parsing, in both forms that the server writes."""
    assert SNIFF(event(name, data, 12, precomputed=precomputed).encode()) == 12


@pytest.mark.parametrize(
    "frame", [hello("c1"), ok(1), fail(1, "x"), posted(5), posted(5, "x", "equabot"), "", "{}"]
)
def test_quick_look_leaves_the_rest_to_the_parser(frame: str) -> None:
    """Whatever may matter is parsed."""
    assert SNIFF(frame.encode()) is None


TEXT = st.text(max_size=20) | st.sampled_from(TEMPTING) | st.lists(st.sampled_from(TEMPTING)).map("".join)
NAMES = st.sampled_from(["agent", "@equabot", "hello", "posted", "typing", "town-square", "@alice"]) | TEXT
KEYS = (
    st.sampled_from(["channel_name", "sender_name", "event", "seq", "data", "post", "seq_reply", "status"])
    | TEXT
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 99) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
POSTED_DATA: st.SearchStrategy[dict[str, Any]] = st.builds(
    posted_data, NAMES, NAMES, message=TEXT
) | st.builds(
    dict, st.builds(posted_data), post=TEXT, channel_name=NAMES, sender_name=NAMES, channel_display_name=TEXT
)
FRAMES = st.dictionaries(KEYS, VALUES, max_size=5) | st.fixed_dictionaries(
    {
        "event": st.sampled_from(["posted", "hello", "typing"]) | NAMES,
        "data": POSTED_DATA | VALUES,
        "broadcast": VALUES,
        "seq": st.integers(0, 10**20) | VALUES,
    }
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A frame in any order and spacing that an encoder may choose."""
    frame = draw(FRAMES)
    members = draw(st.permutations(list(frame.items())))
    if draw(st.booleans()):
        return go_json(frame).encode(errors="replace")
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
    return json.dumps(dict(members), ensure_ascii=draw(st.booleans()), separators=separators).encode(
        errors="replace"
    )


@settings(max_examples=600, deadline=None)
@given(written())
@example(b'{"data":{"a":1,"seq":5}}')
@example(b'{"seq":1,"a":",\\"seq\\":5}"}')
@example(b'{"a,\\"seq":5}')
@example(b'[{"seq":5}]')
def test_quick_look_says_what_the_parser_says(frame: bytes) -> None:
    """For any JSON, the quick look either passes or agrees with the parser."""
    seq = SNIFF(frame)

    assert seq is None or parse(frame) == Other(seq)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["agent", "town-square"]),
    st.sampled_from(["alice", "equabot"]),
    TEXT,
    TEXT,
    st.integers(0, 99999),
)
def test_user_text_never_fools_the_quick_look(
    channel: str, sender: str, message: str, title: str, seq: int
) -> None:
    """Message and display name are the user's; neither hides a post that matters nor makes one up."""
    data = {**posted_data(channel, sender, message=message), "channel_display_name": title}
    frame = event("posted", data, seq).encode(errors="replace")
    matters = channel == "agent" or sender == "equabot"

    assert SNIFF(frame) is None if matters else SNIFF(frame) in {seq, None}
    assert isinstance(parse(frame), PostedEvent if matters else Other)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read(frame: bytes) -> None:
    """Nothing that arrives raises."""
    SNIFF(frame)
    parse(frame)
