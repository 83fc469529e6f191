"""Mattermost's REST interface as the bridge needs it."""

from collections.abc import Sequence
from typing import Any

import pytest

from bridge.errors import InvalidRequest, MattermostRefused, MattermostUnavailable
from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.client import RestMattermost, connect
from bridge.mattermost.rest.responses import NoAnswer, TooLarge
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport
from bridge.mattermost.wire import parse_post
from bridge.models.chat import Channel, ChannelId, Draft, PostId, TeamId, UserId
from bridge.ports import MattermostApi
from tests.support.mattermost_frames import ALICE, CHANNEL, POST, TEAM, post_json
from tests.support.scripted_rest import ScriptedRest, gives, hangs_up, refuses, stalls

USER = {"id": ALICE, "username": "alice", "is_bot": True}
AGENT = {"id": CHANNEL, "team_id": TEAM, "name": "agent", "type": "O", "last_post_at": 9, "delete_at": 0}
ROOT = PostId("r" * 26)
DRAFT = Draft(ChannelId(CHANNEL), "hi", ROOT, {"equabot": 1}, "pending1")


@pytest.fixture
def api(transport: Transport) -> RestMattermost:
    return RestMattermost(transport, creating=RetryPolicy(timeout=5, resend_for=20, first_delay=0.001))


def ids(posts: Sequence[Any]) -> list[str]:
    return [post.id[-3:] for post in posts]


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    return post_json(id=f"{number:026d}", create_at=number, **changes)


def page(*numbers: int, others: Sequence[int] = ()) -> dict[str, Any]:
    posts = {post["id"]: post for post in map(numbered, (*numbers, *others))}
    return {"order": [f"{number:026d}" for number in numbers], "posts": posts}


def thread(*numbers: int, has_next: bool | None = None) -> dict[str, Any]:
    replies = [numbered(number, root_id=ROOT) for number in numbers]
    posts = {post["id"]: post for post in (post_json(id=ROOT, create_at=0), *replies)}
    more = {} if has_next is None else {"has_next": has_next}
    return {"order": [ROOT], "posts": posts, **more}


async def test_accounts(api: RestMattermost, rest: ScriptedRest) -> None:
    """Oneself and others."""
    rest.answers(gives(USER))
    port: MattermostApi = api

    assert (await port.me()).is_bot
    assert (await port.user(UserId(ALICE))).username == "alice"
    assert [asked.path for asked in rest.asked] == ["/api/v4/users/me", f"/api/v4/users/{ALICE}"]


async def test_single_post_and_channel(api: RestMattermost, rest: ScriptedRest) -> None:
    """Looked up by id."""
    rest.answers(gives(post_json()), gives(AGENT))

    assert (await api.post(PostId(POST))).message == "hello"
    assert (await api.channel(ChannelId(CHANNEL))).name == "agent"


@pytest.mark.parametrize("wrong", ["", "me", "../users", "a/b"])
async def test_what_is_no_id_is_not_asked_for(api: RestMattermost, rest: ScriptedRest, wrong: str) -> None:
    """Nothing else gets into a path."""
    calls = (
        api.user(UserId(wrong)),
        api.post(PostId(wrong)),
        api.channel(ChannelId(wrong)),
        api.thread(PostId(wrong)),
        api.posts_after(ChannelId(CHANNEL), PostId(wrong)),
        api.create_post(Draft(ChannelId(wrong), "hi")),
    )
    for call in calls:
        with pytest.raises(InvalidRequest):
            await call
    assert rest.asked == []


async def test_post_that_is_none(api: RestMattermost, rest: ScriptedRest) -> None:
    """An answer of another shape is unavailable, not a KeyError."""
    rest.answers(gives({"id": "no"}))
    with pytest.raises(MattermostUnavailable):
        await api.post(PostId(POST))


async def test_posts_after_are_oldest_first(api: RestMattermost, rest: ScriptedRest) -> None:
    """The server gives the oldest chunk, newest first within it; roots of threads are not part of it."""
    rest.answers(gives(page(5, 4, 3, others=[1])))

    assert ids(await api.posts_after(ChannelId(CHANNEL), PostId(POST))) == ["003", "004", "005"]
    assert rest.asked[0].path == f"/api/v4/channels/{CHANNEL}/posts"
    assert rest.asked[0].query == {"after": POST, "page": "0", "per_page": "200", "skipFetchThreads": "true"}


async def test_posts_before_are_newest_first(api: RestMattermost, rest: ScriptedRest) -> None:
    """As many as asked for."""
    rest.answers(gives(page(5, 4)))

    assert ids(await api.posts_before(ChannelId(CHANNEL), PostId(POST), 2)) == ["005", "004"]
    assert rest.asked[0].query == {"before": POST, "page": "0", "per_page": "2", "skipFetchThreads": "true"}


async def test_latest_posts_by_page(api: RestMattermost, rest: ScriptedRest) -> None:
    """Pages count from 0."""
    rest.answers(gives(page(9, 8)))

    assert ids(await api.latest_posts(ChannelId(CHANNEL), 3)) == ["009", "008"]
    assert rest.asked[0].query["page"] == "3"


async def test_smaller_pages(api: RestMattermost, rest: ScriptedRest) -> None:
    """Of any of them, wherever they are."""
    rest.answers(gives(page(9, 8)))
    await api.posts_after(ChannelId(CHANNEL), PostId(POST), 5, 2)
    await api.posts_before(ChannelId(CHANNEL), PostId(POST), 5, 2)
    await api.latest_posts(ChannelId(CHANNEL), 2, 5)

    assert [(asked.query["per_page"], asked.query["page"]) for asked in rest.asked] == [("5", "2")] * 3


async def test_a_page_of_posts_has_a_limit(api: RestMattermost, rest: ScriptedRest) -> None:
    """Two hundred posts with all the props that members may write are more than there is memory for."""
    rest.answers(gives({"order": [], "posts": {}, "x": "x" * (9 << 20)}))

    with pytest.raises(TooLarge):
        await api.latest_posts(ChannelId(CHANNEL), 0)


async def test_a_404_of_somebody_in_between_is_no_missing_channel(
    api: RestMattermost, rest: ScriptedRest
) -> None:
    """Nor is a route that the server does not have."""
    rest.answers(gives("404 page not found", 404, media_type="text/plain"))
    with pytest.raises(MattermostUnavailable):
        await api.channel_by_name(TeamId(TEAM), "agent")

    rest.script.clear()
    rest.answers(refuses("api.context.404.app_error", 404))
    with pytest.raises(MattermostRefused):
        await api.channel_by_name(TeamId(TEAM), "agent")


async def test_short_thread(api: RestMattermost, rest: ScriptedRest) -> None:
    """One question, oldest first, root included."""
    rest.answers(gives(thread(3, 1, 2, has_next=False)))

    assert ids(await api.thread(ROOT)) == ["rrr", "001", "002", "003"]
    assert rest.asked[0].query == {"perPage": "200", "direction": "down"}


async def test_long_thread_is_read_in_pages(api: RestMattermost, rest: ScriptedRest) -> None:
    """Each page goes on from the last reply, and repeats the root."""
    rest.answers(
        gives(thread(*range(1, 201), has_next=True)),
        gives(thread(*range(201, 401), has_next=True)),
        gives(thread(401, has_next=False)),
    )

    posts = await api.thread(ROOT)

    assert [post.create_at for post in posts] == list(range(402))
    assert rest.asked[2].query == {
        "perPage": "200",
        "direction": "down",
        "fromCreateAt": "400",
        "fromPost": f"{400:026d}",
    }


async def test_thread_of_a_server_that_knows_no_paging(api: RestMattermost, rest: ScriptedRest) -> None:
    """It gives the whole thread each time; measured on Mattermost 5.37."""
    rest.answers(gives(thread(*range(1, 501))))

    assert len(await api.thread(ROOT)) == 501
    assert len(rest.asked) == 2


async def test_thread_holds_nothing_else(api: RestMattermost, rest: ScriptedRest) -> None:
    """A post of another thread is none of its."""
    other = numbered(5, root_id="x" * 26)
    rest.answers(gives({"posts": {**thread(1)["posts"], other["id"]: other}}))

    assert ids(await api.thread(ROOT)) == ["rrr", "001"]


async def test_thread_that_never_ends(api: RestMattermost, rest: ScriptedRest) -> None:
    """A server that says there is more but gives nothing new is not asked for ever."""
    rest.answers(gives(thread(1, has_next=True)))

    assert ids(await api.thread(ROOT)) == ["rrr", "001"]
    assert len(rest.asked) == 2


async def test_thread_without_its_root(api: RestMattermost, rest: ScriptedRest) -> None:
    """A thread whose root is not readable is no thread."""
    rest.answers(gives({"order": [], "posts": None}))
    with pytest.raises(MalformedError):
        await api.thread(ROOT)


async def test_create(api: RestMattermost, rest: ScriptedRest) -> None:
    """The author is not shown as online for it."""
    rest.answers(gives(post_json(), 201))

    assert await api.create_post(DRAFT) == parse_post(post_json())
    assert rest.asked[0].query == {"set_online": "false"}
    assert rest.asked[0].body == {
        "channel_id": CHANNEL,
        "message": "hi",
        "root_id": ROOT,
        "props": {"equabot": 1},
        "pending_post_id": "pending1",
    }


async def test_create_is_sent_again_with_the_same_pending_post_id(
    api: RestMattermost, rest: ScriptedRest
) -> None:
    """A lost answer does no harm: the server recognizes the post."""
    rest.answers(
        hangs_up,
        refuses("api.post.deduplicate_create_post.pending", 500),
        gives(post_json(), 201),
    )

    assert (await api.create_post(DRAFT)).id == POST
    assert {asked.body["pending_post_id"] for asked in rest.asked} == {"pending1"}


async def test_create_without_pending_post_id_is_sent_once(api: RestMattermost, rest: ScriptedRest) -> None:
    """Nobody would recognize the second."""
    rest.answers(hangs_up, gives(post_json(), 201))
    with pytest.raises(NoAnswer):
        await api.create_post(Draft(ChannelId(CHANNEL), "hi"))

    assert len(rest.asked) == 1


async def test_create_has_its_own_time_out(
    api: RestMattermost, rest: ScriptedRest, observed: list[Any]
) -> None:
    """The answer may come long after the post is visible."""
    rest.answers(stalls)
    with pytest.raises(NoAnswer):
        await RestMattermost(api.transport, creating=RetryPolicy(timeout=0.05, tries=1)).create_post(DRAFT)

    assert observed == [("/posts", "error")]
    assert RestMattermost(api.transport).creating.timeout == 60


async def test_channel_by_name(api: RestMattermost, rest: ScriptedRest) -> None:
    """Of one team; none where there is none, or it is archived."""
    rest.answers(gives(AGENT), refuses("app.channel.get_by_name.missing.app_error", 404))

    found = await api.channel_by_name(TeamId(TEAM), "agent")

    assert found == Channel(ChannelId(CHANNEL), TeamId(TEAM), "agent", "O", 9)
    assert await api.channel_by_name(TeamId(TEAM), "agent") is None
    assert {asked.path for asked in rest.asked} == {f"/api/v4/teams/{TEAM}/channels/name/agent"}


async def test_channel_by_name_refused(api: RestMattermost, rest: ScriptedRest) -> None:
    """Not to be allowed to look is another thing than not to find."""
    rest.answers(refuses("api.context.permissions.app_error", 403))
    with pytest.raises(MattermostRefused):
        await api.channel_by_name(TeamId(TEAM), "agent")


async def test_join_channel(api: RestMattermost, rest: ScriptedRest) -> None:
    """As oneself."""
    rest.answers(gives({}, 201))

    await api.join_channel(ChannelId(CHANNEL), UserId(ALICE))

    (asked,) = rest.asked
    assert (asked.method, asked.path) == ("POST", f"/api/v4/channels/{CHANNEL}/members")
    assert asked.body == {"user_id": ALICE}


async def test_my_channels(api: RestMattermost, rest: ScriptedRest) -> None:
    """All teams in one question; a channel that cannot be read does not hide the others."""
    rest.answers(gives([AGENT, {"id": "broken"}]))

    assert await api.my_channels() == [Channel(ChannelId(CHANNEL), TeamId(TEAM), "agent", "O", 9)]


async def test_my_channels_of_an_account_without_any(api: RestMattermost, rest: ScriptedRest) -> None:
    """The server's answer breaks off under status 200 then; it is in no team either."""
    rest.answers(gives('[{"id":"app.channel.get_channels.not_found.app_error"'), gives([]))

    assert await api.my_channels() == []
    assert rest.asked[1].path == "/api/v4/users/me/teams"


async def test_my_channels_on_an_old_server(api: RestMattermost, rest: ScriptedRest) -> None:
    """Team by team; a direct channel is listed with each of them."""
    direct = {**AGENT, "id": "d" * 26, "team_id": "", "type": "D"}
    rest.answers(
        refuses("api.context.404.app_error", 404),
        gives([{"id": TEAM}, {"id": "u" * 26}]),
        gives([AGENT, direct]),
        gives([direct]),
    )

    assert [channel.type for channel in await api.my_channels()] == ["O", "D"]
    assert rest.asked[2].path == f"/api/v4/users/me/teams/{TEAM}/channels"


async def test_my_channels_refused(api: RestMattermost, rest: ScriptedRest) -> None:
    """Any other refusal is one."""
    rest.answers(refuses("api.context.permissions.app_error", 403))
    with pytest.raises(MattermostRefused):
        await api.my_channels()


@pytest.mark.parametrize(
    ("config", "size"),
    [
        ({"MaxPostSize": "16383"}, 16383),
        ({"MaxPostSize": "65535"}, 65535),
        ({"MaxPostSize": "10"}, 4000),
        ({"MaxPostSize": ""}, 16383),
        ({}, 16383),
        (None, 16383),
        ([], 16383),
    ],
)
async def test_max_post_size(api: RestMattermost, rest: ScriptedRest, config: Any, size: int) -> None:
    """What the server says, if that can be."""
    rest.answers(gives(config))

    assert await api.max_post_size() == size
    assert (rest.asked[0].path, rest.asked[0].query) == ("/api/v4/config/client", {"format": "old"})


async def test_ping(api: RestMattermost, rest: ScriptedRest) -> None:
    """A server that is well."""
    rest.answers(gives({"status": "OK"}))
    await api.ping()

    assert rest.asked[0].path == "/api/v4/system/ping"


@pytest.mark.parametrize(
    "script", [gives({"status": "UNHEALTHY"}), gives([]), gives({}, 500), refuses("x", 404), gives("<html>")]
)
async def test_ping_of_a_server_that_is_not_well(
    api: RestMattermost, rest: ScriptedRest, script: Any
) -> None:
    """Whatever else it says, it is unavailable."""
    rest.answers(script)
    with pytest.raises(MattermostUnavailable):
        await api.ping()


async def test_connect_brings_its_own_session(rest: ScriptedRest) -> None:
    """For whoever needs nothing but this interface."""
    rest.answers(gives(USER))
    async with connect(rest.url, "token", lambda *_: None) as api:
        assert (await api.me()).username == "alice"
    assert api.transport.session.closed
