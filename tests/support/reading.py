"""The half of the bridge that reads, without the half that answers: what comes of it is looked up."""

import asyncio
from collections.abc import Mapping

from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.mappings import Mappings
from bridge.intake import Intake
from bridge.metrics import Metrics
from bridge.models import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.routing import Bot
from bridge.sandbox import mattermost
from bridge.worker import Worker


def bot_of(user: mattermost.User) -> Bot:
    return Bot(UserId(user.id), user.username, "agent")


def idle_intake(pool: Pool, bot: mattermost.User) -> Intake:
    """Return an intake whose worker does not run, so that everything waits."""
    inbox = Inbox(pool)
    return Intake(inbox, Mappings(pool), Worker(inbox, {}, Metrics(), asyncio.Event()), bot_of(bot))


def posted(post: mattermost.Post, channel: mattermost.Channel) -> Posted:
    """Return what a `posted` event tells of it."""
    ours = Post(
        PostId(post.id),
        ChannelId(post.channel_id),
        UserId(post.user_id),
        PostId(post.root_id),
        post.message,
        post.create_at,
        post.type,
        post.props,
    )
    return Posted(ours, TeamId(channel.team_id), channel.name)


async def stored(pool: Pool) -> Mapping[str, str]:
    """Return the reason of everything that was refused, and the state of all else, by post."""
    rows = await pool.fetch("select substr(dedupe, 6) as post, coalesce(reason, state) as fate from jobs")
    return {row["post"]: row["fate"] for row in rows}


async def positions(pool: Pool) -> Mapping[str, int]:
    """Return up to where each channel was read."""
    rows = await pool.fetch("select channel_id, create_at from positions")
    return {row["channel_id"]: row["create_at"] for row in rows}
