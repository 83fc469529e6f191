"""Files over the REST interface: described, read within a limit, sent as they come."""

from collections.abc import AsyncIterator

import pytest

from bridge.errors import MattermostRefused, MattermostUnavailable
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import ChannelId, Draft, FileId, PostId
from bridge.sandbox.mattermost import RestFault, Server, Store
from tests.support.mattermost import running_mattermost


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running_mattermost() as server:
        yield server


@pytest.fixture
async def api(server: Server) -> AsyncIterator[RestMattermost]:
    """The interface as a bot that is in the channel `agent`."""
    store = server.store
    bot = store.create_bot("equabot")
    team = store.create_team("acme", members=[bot])
    store.create_channel(team, "agent", members=[bot])
    async with client_session() as session:
        token = store.create_token(bot).token
        yield RestMattermost(Transport(session, server.url, token, lambda *_: None, RetryPolicy(tries=1)))


def agent_channel(store: Store) -> ChannelId:
    return ChannelId(store.channel(store.team_by_name["acme"], "agent").id)


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1000


async def test_a_file_is_sent_as_it_comes_and_attached(server: Server, api: RestMattermost) -> None:
    """Its post describes it, and its bytes can be read back."""
    channel = agent_channel(server.store)

    file = await api.upload(channel, "a table & more.csv", pieces(3))
    post = await api.create_post(Draft(channel, "see", file_ids=(file,)))

    assert post.file_ids == (file,)
    (info,) = await api.files_of_post(post.id)
    assert (info.id, info.post_id, info.name, info.size) == (file, post.id, "a table & more.csv", 3000)
    assert info.media_type.startswith("text/csv")
    assert await api.download(file, 3000) == b"x" * 3000


async def test_no_more_is_read_than_the_limit(server: Server, api: RestMattermost) -> None:
    """Whatever the server has said about its size."""
    for name in ("table.csv", "data.json"):
        file = await api.upload(agent_channel(server.store), name, pieces(3))

        assert await api.download(file, 2999) is None


async def test_an_upload_is_never_sent_twice(server: Server, api: RestMattermost) -> None:
    """Its body can be read once only."""
    server.faults.rest(RestFault(status=503, method="POST", path="/files", times=1))

    with pytest.raises(MattermostUnavailable):
        await api.upload(agent_channel(server.store), "table.csv", pieces(1))

    assert server.store.files == {}


async def test_what_breaks_off_is_not_stored(server: Server, api: RestMattermost) -> None:
    """The server gets no whole body."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        raise ConnectionResetError

    with pytest.raises(MattermostUnavailable):
        await api.upload(agent_channel(server.store), "table.csv", broken())

    assert server.store.files == {}


async def test_refusals_are_mattermosts_own(server: Server, api: RestMattermost) -> None:
    """An unknown file, an unknown post, a foreign channel."""
    with pytest.raises(MattermostRefused, match="404"):
        await api.download(FileId("a" * 26), 10)
    with pytest.raises(MattermostRefused, match="404"):
        await api.files_of_post(PostId("a" * 26))
    with pytest.raises(MattermostRefused, match="403"):
        await api.upload(ChannelId("a" * 26), "x", pieces(1))


async def test_the_server_says_how_large_a_file_may_be(server: Server, api: RestMattermost) -> None:
    """100 MiB unless an administrator has changed it."""
    assert await api.max_file_size() == 100 << 20
    server.store.settings.patch({"FileSettings": {"MaxFileSize": 5}})
    assert await api.max_file_size() == 5
