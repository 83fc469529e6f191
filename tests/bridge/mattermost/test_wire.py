"""What Mattermost's objects say."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidRequest
from bridge.mattermost import wire
from bridge.mattermost.json_text import MalformedError
from bridge.models.chat import Channel, ChannelId, Post, Posted, PostId, TeamId, User, UserId
from tests.support.mattermost_frames import ALICE, CHANNEL, POST, TEAM, go_json, post_json, posted_data

ROOT = "r" * 26
USER = {"id": ALICE, "username": "alice", "email": "a@example.com", "roles": "system_user", "delete_at": 0}
CHANNEL_JSON = {
    "id": CHANNEL,
    "team_id": TEAM,
    "name": "agent",
    "type": "O",
    "last_post_at": 7,
    "delete_at": 0,
}


def test_post_as_the_server_writes_it() -> None:
    """Every field that matters is read."""
    assert wire.parse_post(post_json(root_id=ROOT, pending_post_id="x", type="custom_a")) == Post(
        id=PostId(POST),
        channel_id=ChannelId(CHANNEL),
        user_id=UserId(ALICE),
        root_id=PostId(ROOT),
        message="hello",
        create_at=1_700_000_000_000,
        type="custom_a",
        props={"disable_group_highlight": True},
        pending_post_id="x",
    )


@pytest.mark.parametrize("left_out", ["type", "props", "root_id", "pending_post_id", "metadata"])
def test_post_without_what_may_be_absent(left_out: str) -> None:
    """Fields that some versions leave out are empty then."""
    post = {key: value for key, value in post_json().items() if key != left_out}

    assert wire.parse_post(post).id == POST


def test_text_that_postgresql_cannot_store_is_replaced() -> None:
    """NUL and lone surrogates would make the post impossible to store, for ever."""
    post = wire.parse_post(post_json(message="a\x00b\ud800c"))

    assert post.message == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"


@pytest.mark.parametrize("key", ["id", "channel_id", "user_id", "message", "create_at"])
@pytest.mark.parametrize("wrong", [None, 5.5, True, [], {}, -1])
def test_post_with_a_wrong_field_is_malformed(key: str, wrong: object) -> None:
    """A wrong field never surfaces as KeyError or TypeError."""
    with pytest.raises(MalformedError, match=key):
        wire.parse_post(post_json(**{key: wrong}))


@pytest.mark.parametrize("key", ["id", "channel_id", "user_id", "root_id"])
def test_post_with_something_else_than_an_id_is_malformed(key: str) -> None:
    """A malformed id would be refused only later."""
    with pytest.raises(MalformedError, match=key):
        wire.parse_post(post_json(**{key: "P" * 26}))


@given(
    st.sampled_from(
        [wire.parse_post, wire.parse_channel, wire.parse_user, wire.parse_page, wire.parse_thread]
    ),
    st.dictionaries(
        st.sampled_from(["id", "posts", "order", "message", "type", "props", "root_id", "username", "name"]),
        st.none()
        | st.integers()
        | st.text()
        | st.lists(st.text())
        | st.dictionaries(st.text(), st.integers()),
    ),
)
def test_nonsense_is_malformed(parse: Callable[[object], Any], nonsense: dict[str, Any]) -> None:
    """Whatever stands there, it is read or it is malformed."""
    with suppress(MalformedError):
        assert parse(nonsense) is not None


@pytest.mark.parametrize("parse", [wire.parse_post, wire.parse_channel, wire.parse_user, wire.parse_page])
@pytest.mark.parametrize("obj", [None, [], "text", 5])
def test_what_is_no_object_is_malformed(parse: Callable[[object], Any], obj: object) -> None:
    """Each shape is an object."""
    with pytest.raises(MalformedError):
        parse(obj)


def test_posted_in_a_team() -> None:
    """The post is JSON inside JSON."""
    posted = wire.parse_posted(posted_data(message='say "hi" & <go>'))

    assert (posted.team_id, posted.channel_name, posted.post.message) == (TEAM, "agent", 'say "hi" & <go>')


def test_posted_in_a_direct_channel_has_no_team() -> None:
    """Direct and group channels belong to no team."""
    assert wire.parse_posted({**posted_data(), "team_id": ""}) == Posted(
        wire.parse_post(post_json()), "", "agent"
    )


def test_channel_and_direct_channel() -> None:
    """A channel with and without a team."""
    channel = Channel(ChannelId(CHANNEL), TeamId(TEAM), "agent", "O", 7)

    assert wire.parse_channel(CHANNEL_JSON) == channel
    assert wire.parse_channel({**CHANNEL_JSON, "team_id": "", "type": "D"}).team_id == ""


def test_channel_of_an_unknown_type_is_malformed() -> None:
    """A type that we do not know is not taken for another."""
    with pytest.raises(MalformedError):
        wire.parse_channel({**CHANNEL_JSON, "type": "W"})


def test_user_and_bot() -> None:
    """`is_bot` is absent for people."""
    assert wire.parse_user(USER) == User(UserId(ALICE), "alice", False, "a@example.com", "system_user", 0)
    assert wire.parse_user({**USER, "is_bot": True}).is_bot


def test_page_is_in_the_servers_order_and_nothing_else() -> None:
    """`posts` may hold the roots of threads, which the page does not name."""
    first, second, root = (post_json(id=letter * 26) for letter in "xyz")
    page = {"order": ["y" * 26, "x" * 26], "posts": {post["id"]: post for post in (root, first, second)}}

    assert [post.id[0] for post in wire.parse_page(page)] == ["y", "x"]


def test_empty_page() -> None:
    """An empty page has null or nothing for its parts."""
    assert wire.parse_page({"order": None, "posts": None}) == wire.parse_page({}) == []


def test_page_that_names_a_missing_post_is_malformed() -> None:
    """A post that is named but not there must not be passed over as if it had been read."""
    with pytest.raises(MalformedError):
        wire.parse_page({"order": [POST], "posts": {}})


@pytest.mark.parametrize(("has_next", "read"), [(True, True), (False, False), (None, None)])
def test_thread_tells_whether_there_is_more(has_next: bool | None, read: bool | None) -> None:  # noqa: FBT001 - table
    """Old servers do not tell."""
    page = {"order": [POST], "posts": {POST: post_json()}, "has_next": has_next}

    assert wire.parse_thread(page) == ([wire.parse_post(post_json())], read)


def test_ids_of_a_list() -> None:
    """The ids of listed objects, and nothing that is no list or has none."""
    assert wire.parse_ids([{"id": TEAM}]) == [TEAM]
    wrongs: list[object] = [{}, [{}], [TEAM]]
    for wrong in wrongs:
        with pytest.raises(MalformedError):
            wire.parse_ids(wrong)


@pytest.mark.parametrize("value", ["", "me", "a" * 25, "a" * 27, "A" * 26, "../" + "a" * 23, "a" * 26 + "\n"])
def test_only_an_id_is_an_identifier(value: str) -> None:
    """Nothing else gets into a path."""
    assert wire.identifier(POST) == POST
    with pytest.raises(InvalidRequest):
        wire.identifier(value)


@given(st.text())
def test_any_message_survives_the_wire(message: str) -> None:
    """What a person writes arrives unchanged, but for NUL."""
    posted = wire.parse_posted({**posted_data(), "post": go_json(post_json(message=message))})

    assert posted.post.message == message.replace("\x00", "\N{REPLACEMENT CHARACTER}")
