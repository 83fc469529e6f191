"""A new team is greeted in its #agent: once, whatever dies in between."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.teams import Teams
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import Team, TeamId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from bridge.sandbox.mattermost import Channel, Post, RestFault, Server, User
from handlers.jobs.welcome import Welcomes
from handlers.jobs.welcome_text import welcome_text
from handlers.posts.channel_posts import ChannelPosts
from handlers.posts.posting import Poster
from tests.support.crashes import Crash, Crashes
from tests.support.mattermost import running_mattermost

ACME = OrganizationId(UUID(int=1))
TEXT = welcome_text("equabot", "agent", ["Who is @all on our *team*?"])


@dataclass(frozen=True, slots=True)
class Scene:
    """A team with its `#agent`, and the bot's process."""

    server: Server
    agent: Channel
    bot: User
    pool: Pool
    welcomes: Welcomes

    def posts(self) -> list[Post]:
        return [post for post in self.server.store.posts_in(self.agent) if post.user_id == self.bot.id]

    async def job(self) -> Job:
        """Take the job into hand, also one whose process has died."""
        await self.pool.execute("update jobs set lease = now() - interval '1 s' where state = 'running'")
        await self.welcomes.inbox.release_expired()
        (job,) = await self.welcomes.inbox.claim(Capacity(1))
        return job


@pytest.fixture
async def scene(pool: Pool) -> AsyncIterator[Scene]:
    async with running_mattermost() as server, client_session() as session:
        store = server.store
        bot = store.create_bot("equabot")
        team = store.create_team("acme", "Acme", members=[bot])
        agent = store.create_channel(team, "agent", members=[bot])
        await Teams(pool).record(ACME, Team(TeamId(team.id), "acme", "Acme"), None)
        token = store.create_token(bot).token
        once = RetryPolicy(tries=1)
        api = RestMattermost(Transport(session, server.url, token, lambda *_: None, once), creating=once)
        posts = ChannelPosts(Teams(pool), Poster(api, UserId(bot.id), 16_383, PostAcks()))
        yield Scene(server, agent, bot, pool, Welcomes(posts, Inbox(pool), "agent", TEXT))


async def test_a_team_is_greeted_once(scene: Scene) -> None:
    """Also where several processes and later visits ensure the same team; another team is greeted anew."""
    teams = Teams(scene.pool)
    assert [await teams.welcome(ACME) for _ in range(3)] == [True, False, False]

    result = await scene.welcomes.post(await scene.job())

    (post,) = scene.posts()
    assert result == {"posts": [post.id], "pinned": True}
    assert (post.message, post.is_pinned) == (TEXT, True)
    assert "@all" not in TEXT
    await teams.record(ACME, Team(TeamId("t" * 26), "acme-2", "Acme"), None)
    assert await teams.welcome(ACME)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_leaves_one_post(scene: Scene, when: Any) -> None:
    """At whichever call of Mattermost the process dies, the next one finishes what it began."""
    await Teams(scene.pool).welcome(ACME)
    at = 1
    while True:
        crashes = Crashes(at, when)
        poster = scene.welcomes.posts.poster
        fragile = Poster(crashes.fragile(poster.api), poster.me, poster.max_post_size, PostAcks())
        dying = replace(scene.welcomes, posts=replace(scene.welcomes.posts, poster=fragile))
        try:
            await dying.post(await scene.job())
        except Crash:
            at += 1
        else:
            break

    assert at > 3
    (post,) = scene.posts()
    assert post.is_pinned


async def test_a_pin_that_is_refused_does_not_matter(scene: Scene) -> None:
    """The greeting stands there all the same."""
    await Teams(scene.pool).welcome(ACME)
    scene.server.faults.rest(
        RestFault(status=403, error_id="api.context.permissions.app_error", method="POST", path="/pin")
    )
    result = await scene.welcomes.post(await scene.job())
    assert result["pinned"] is False
    assert len(scene.posts()) == 1
