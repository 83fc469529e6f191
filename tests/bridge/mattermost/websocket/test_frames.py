"""What the frames of the websocket say, and the quick look that spares parsing most of them."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.mattermost.websocket.changes import (
    AccountRenamed,
    Change,
    ChannelChanged,
    ChannelUpdated,
    TeamChanged,
)
from bridge.mattermost.websocket.frames import (
    ChangeEvent,
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
from bridge.models.chat import Channel, ChannelId, TeamId, UserId
from tests.support.mattermost_frames import (
    BOT,
    CHANNEL,
    TEAM,
    event,
    fail,
    go_json,
    hello,
    ok,
    post_json,
    posted,
    posted_data,
)

INTEREST = Interest("agent", UserId(BOT))
MENTIONED = {**posted_data("other"), "mentions": go_json([BOT])}
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
        (posted(7, user_id=BOT), seen(posted_data(user_id=BOT), 7)),
        (posted(7, "other", user_id=BOT), seen(posted_data("other", user_id=BOT), 7)),
        (event("posted", MENTIONED, 7), seen(MENTIONED, 7)),
        (posted(7, "other", message=f"what is {BOT}?"), Other(7)),
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
        ("posted", {**posted_data("town-square"), "mentions": go_json(["d" * 26])}),
        ("user_added", {"team_id": TEAM, "user_id": "a" * 26}),
        ("user_removed", {"remover_id": "a" * 26, "user_id": "d" * 26}),
        ("user_updated", {"user": {"id": "a" * 26, "username": "alice"}}),
        ("added_to_team", {"team_id": TEAM, "user_id": "a" * 26}),
        ("leave_team", {"team_id": TEAM, "user_id": "a" * 26}),
        ("new_user", {"user_id": BOT}),
        ("typing", {"parent_id": "", "user_id": "a" * 26}),
        ("status_change", {"status": "online", "user_id": "a" * 26}),
    ],
)
def test_quick_look_spares_what_the_server_writes(name: str, data: Any, *, precomputed: bool) -> None:
    """Uninteresting events need no parsing, in both forms that the server writes."""
    assert SNIFF(event(name, data, 12, precomputed=precomputed).encode()) == 12


@pytest.mark.parametrize(
    "frame",
    [
        hello("c1"),
        ok(1),
        fail(1, "x"),
        posted(5),
        posted(5, "x", user_id=BOT),
        event("posted", MENTIONED, 5),
        "",
        "{}",
    ],
)
def test_quick_look_leaves_the_rest_to_the_parser(frame: str) -> None:
    """Whatever may matter is parsed."""
    assert SNIFF(frame.encode()) is None


CHANNEL_JSON = {"id": CHANNEL, "team_id": TEAM, "name": "agent-2", "type": "O", "delete_at": 0}
ADA = "a" * 26


@pytest.mark.parametrize("precomputed", [True, False])
@pytest.mark.parametrize(
    ("name", "data", "broadcast", "change"),
    [
        (
            "user_added",
            {"team_id": TEAM, "user_id": BOT},
            {"channel_id": CHANNEL},
            ChannelChanged("entered", ChannelId(CHANNEL)),
        ),
        (
            "user_removed",
            {"channel_id": CHANNEL, "remover_id": ADA},
            {"channel_id": "", "user_id": BOT},
            ChannelChanged("left", ChannelId(CHANNEL), UserId(ADA)),
        ),
        ("user_removed", {"remover_id": ADA, "user_id": BOT}, {}, None),
        ("user_removed", {"channel_id": CHANNEL, "remover_id": BOT}, {"user_id": ADA}, None),
        (
            "channel_updated",
            {"channel": go_json(CHANNEL_JSON)},
            {},
            ChannelUpdated(Channel(ChannelId(CHANNEL), TeamId(TEAM), "agent-2", "O", 0)),
        ),
        ("channel_updated", {"channel_id": CHANNEL}, {}, None),
        (
            "channel_deleted",
            {"channel_id": CHANNEL, "delete_at": 5},
            {"team_id": TEAM},
            ChannelChanged("archived", ChannelId(CHANNEL)),
        ),
        (
            "channel_restored",
            {"channel_id": CHANNEL},
            {"team_id": TEAM},
            ChannelChanged("restored", ChannelId(CHANNEL)),
        ),
        (
            "channel_converted",
            {"channel_id": CHANNEL},
            {"team_id": TEAM},
            ChannelChanged("converted", ChannelId(CHANNEL)),
        ),
        ("added_to_team", {"team_id": TEAM, "user_id": BOT}, {}, TeamChanged("entered", TeamId(TEAM))),
        ("leave_team", {"team_id": TEAM, "user_id": BOT}, {}, TeamChanged("left", TeamId(TEAM))),
        ("restore_team", {"team": go_json({"id": TEAM})}, {}, TeamChanged("restored", TeamId(TEAM))),
        ("user_updated", {"user": {"id": BOT, "username": "newname"}}, {}, AccountRenamed("newname")),
        ("user_updated", {"user": {"id": ADA, "username": "ada", "x": BOT}}, {}, None),
        ("leave_team", {"team_id": TEAM, "user_id": ADA, "x": BOT}, {}, None),
    ],
)
def test_changes(
    name: str, data: Any, broadcast: dict[str, str], change: Change | None, *, precomputed: bool
) -> None:
    """What concerns the account, a channel or a team is parsed; not what is about others."""
    frame = event(name, data, 7, precomputed=precomputed, **broadcast)

    assert parse(frame) == (ChangeEvent(change, 7) if change else Other(7))
    assert SNIFF(frame.encode()) is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("user_added", {"user_id": BOT}),
        ("user_removed", {"channel_id": "x", "remover_id": ADA}),
        ("user_updated", {"user": {"id": BOT}}),
        ("user_updated", {"user": BOT}),
        ("channel_updated", {"channel": "no JSON"}),
        ("channel_updated", {"channel": 5}),
        ("channel_deleted", {}),
        ("restore_team", {}),
        ("restore_team", {"team": "[]"}),
        ("added_to_team", {"user_id": BOT, "team_id": 5}),
    ],
)
def test_a_change_that_cannot_be_read_keeps_its_number(name: str, data: Any) -> None:
    """The connection goes on behind it."""
    said = parse(event(name, data, 6, channel_id="", user_id=BOT))

    assert isinstance(said, Malformed)
    assert said.seq == 6


TEXT = st.text(max_size=20) | st.sampled_from(TEMPTING) | st.lists(st.sampled_from(TEMPTING)).map("".join)
NAMES = (
    st.sampled_from(["agent", "@equabot", "hello", "posted", "typing", "town-square", "@alice", BOT]) | TEXT
)
KEYS = (
    st.sampled_from(
        ["channel_name", "sender_name", "event", "seq", "data", "post", "seq_reply", "status", "user_id"]
    )
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
        "event": st.sampled_from(["posted", "hello", "typing", "user_added", "user_updated", "restore_team"])
        | NAMES,
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
@example(b'{"event":"user_updated","data":{"user":null},"broadcast":null,"seq":0}')
def test_quick_look_says_what_the_parser_says(frame: bytes) -> None:
    """For any JSON, the quick look either passes, or the parser finds nothing of use under that number."""
    seq = SNIFF(frame)
    said = parse(frame)

    assert seq is None or (isinstance(said, Other | Malformed) and said.seq == seq)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["agent", "town-square"]),
    st.sampled_from(["a" * 26, BOT]),
    TEXT,
    TEXT,
    st.integers(0, 99999),
)
def test_user_text_never_fools_the_quick_look(
    channel: str, sender: str, message: str, title: str, seq: int
) -> None:
    """Message and display name are the user's; neither hides a post that matters nor makes one up."""
    data = {**posted_data(channel, user_id=sender, message=message), "channel_display_name": title}
    frame = event("posted", data, seq).encode(errors="replace")
    matters = channel == "agent" or sender == BOT

    assert SNIFF(frame) is None if matters else SNIFF(frame) in {seq, None}
    assert isinstance(parse(frame), PostedEvent if matters else Other)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read(frame: bytes) -> None:
    """Nothing that arrives raises."""
    SNIFF(frame)
    parse(frame)
