"""An answer that is shown while it comes, until its end."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bridge.errors import AgentUnavailable
from bridge.ingest.post_acks import PostAcks
from bridge.metrics import Metrics
from bridge.models.chat import PostId
from bridge.models.jobs import JobId
from handlers.answers.growth import Growth, Rhythm
from handlers.answers.showing import Showing
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import ReplyTarget
from handlers.posts.posting import Poster
from tests.support.posting import CHANNEL, ME, FakeInbox, FakeMattermost, a_job


@dataclass
class Slow(FakeMattermost):
    """Takes as long for an edit as it is let."""

    editing: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    edited: bool = False

    async def edit_post(self, post_id: PostId, message: str, *, patient: bool = True) -> None:
        self.editing.set()
        await self.go.wait()
        self.edited = True


class Noted:
    async def note(self, *_: object) -> None:
        """Every post is known."""

    async def grant_edits(self, *_: object) -> tuple[int, int]:
        return 0, 4


async def test_an_edit_that_is_under_way_is_waited_for_though_the_agent_fails() -> None:
    """What is written next, an apology or the next attempt's answer, must not come before it."""
    mattermost = Slow()
    poster, lease = (
        Poster(cast(Any, mattermost), ME, 400, PostAcks()),
        LeaseGuard(cast(Any, FakeInbox()), JobId(1)),
    )
    target = ReplyTarget(CHANNEL, PostId("root"), PostId("question"))
    rhythm = Rhythm(hold=0.01, first_pause=0.01, longer=1)
    growth = Growth(poster, cast(Any, Noted()), Metrics(), a_job(), target, lease, (), rhythm=rhythm)

    async def fail() -> None:
        async with Showing(growth, lambda: None) as showing:
            growth.add("Hello there, ")
            showing.begin()
            while not growth.is_shown:
                await asyncio.sleep(0.005)
            growth.add("how are you? ")
            await mattermost.editing.wait()
            asyncio.get_running_loop().call_later(0.05, mattermost.go.set)
            raise AgentUnavailable("The connection to the agent broke.")

    async with asyncio.timeout(60):
        with pytest.raises(AgentUnavailable):
            await fail()

    assert mattermost.edited
