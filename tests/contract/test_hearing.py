"""Which channels a connection hears: the server looks them up at certain moments only.

Sources: `hubConnectionIndex` in server/channels/app/platform/web_hub.go (10.4), and `ShouldSendEvent` in
web_conn.go beside it (from 10.4.3 on, unless `EnableWebHubChannelIteration` is on).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.contract.client import Socket, post_of
from tests.contract.server import Mattermost, Scene


async def say(scene: Scene, channel_id: str, message: str) -> None:
    await scene.ada.api.post("/posts?set_online=false", {"channel_id": channel_id, "message": message})


async def heard(socket: Socket) -> list[str]:
    """Return the messages that come until there is silence."""
    frames = await socket.events()
    return [post_of(frame)["message"] for frame in frames if frame["event"] == "posted"]


async def archived(server: Mattermost, scene: Scene, kind: str = "O") -> str:
    """Return an archived channel in which Ada and the bot are."""
    channel = await server.channel(scene.team_id, scene.ada, scene.bot, kind=kind)
    await server.admin.delete(f"/channels/{channel['id']}")
    return str(channel["id"])


async def restore(server: Mattermost, channel_id: str) -> None:
    await server.admin.post(f"/channels/{channel_id}/restore")


@asynccontextmanager
async def connected(server: Mattermost, scene: Scene) -> AsyncIterator[Socket]:
    """Connect as the bot; the first post of any channel makes the server look up what the bot may hear."""
    async with server.socket(scene.bot.token) as socket:
        await socket.receive()
        await say(scene, scene.channel_id, "first")
        await socket.posted("first")
        yield socket


async def test_who_connects_while_a_channel_is_archived_does_not_hear_it_later(
    server: Mattermost, scene: Scene
) -> None:
    """The team hears of the restore, the connection nothing of the channel."""
    channel_id = await archived(server, scene)
    async with connected(server, scene) as socket:
        await restore(server, channel_id)
        event = await socket.event("channel_restored")
        await say(scene, channel_id, "not heard")
        assert "not heard" not in await heard(socket)
    assert event["data"]["channel_id"] == channel_id


async def test_setting_no_notification_makes_a_connection_hear_again(
    server: Mattermost, scene: Scene
) -> None:
    """The server looks up the channels of a member whose notifications are set, even if to nothing new."""
    channel_id = await archived(server, scene)
    async with connected(server, scene) as socket:
        await restore(server, channel_id)
        await socket.event("channel_restored")
        await scene.bot.api.put(f"/channels/{channel_id}/members/{scene.bot.id}/notify_props", {})
        await say(scene, channel_id, "heard")
        await socket.posted("heard")


async def test_notifications_are_set_in_channels_of_ones_own_only(server: Mattermost, scene: Scene) -> None:
    channel = await server.channel(scene.team_id, scene.ada)
    for user_id, status in ((scene.bot.id, 404), (scene.ada.id, 403)):
        path = f"/channels/{channel['id']}/members/{user_id}/notify_props"
        assert (await scene.bot.api.call("PUT", path, {})).status == status


async def test_nobody_new_hears_that_a_private_channel_is_restored(server: Mattermost, scene: Scene) -> None:
    """Only its members are told, and a connection that was made meanwhile counts as none."""
    channel_id = await archived(server, scene, kind="P")
    async with connected(server, scene) as socket:
        await restore(server, channel_id)
        names = [frame["event"] for frame in await socket.events()]
        assert "channel_restored" not in names


async def test_who_connects_before_entering_hears_at_once(server: Mattermost, scene: Scene) -> None:
    channel = await server.channel(scene.team_id, scene.ada)
    async with connected(server, scene) as socket:
        await server.admin.post(f"/channels/{channel['id']}/members", {"user_id": scene.bot.id})
        await say(scene, channel["id"], "heard")
        await socket.posted("heard")


async def test_a_resumed_connection_looks_again(server: Mattermost, scene: Scene) -> None:
    channel_id = await archived(server, scene)
    async with server.socket(scene.bot.token) as socket:
        hello = await socket.receive()
        await say(scene, scene.channel_id, "first")
        last = await socket.posted("first")
    await server.noticed_cut(scene.bot)
    await restore(server, channel_id)
    query = f"?connection_id={hello['data']['connection_id']}&sequence_number={last['seq'] + 1}"
    async with server.socket(scene.bot.token, query=query) as again:
        await again.reply(await again.act("ping"))
        await say(scene, channel_id, "heard")
        await again.posted("heard")


@pytest.mark.parametrize("kind", ["O", "P"])
async def test_an_archived_team_is_heard(server: Mattermost, scene: Scene, kind: str) -> None:
    """Archiving a team leaves its channels open; who connects meanwhile hears them."""
    channel = await server.channel(scene.team_id, scene.ada, scene.bot, kind=kind)
    await server.admin.delete(f"/teams/{scene.team_id}")
    async with server.socket(scene.bot.token) as socket:
        await socket.receive()
        await server.admin.post(f"/teams/{scene.team_id}/restore")
        await say(scene, channel["id"], "heard")
        await socket.posted("heard")
