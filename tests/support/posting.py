"""A Mattermost that posts what it is told to, as it is told to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from bridge.db.conversation_starts import ConversationStarts
from bridge.db.inbox import Inbox
from bridge.errors import MattermostRefused
from bridge.models.chat import ChannelId, Draft, Post, PostId, User, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job, JobId
from handlers.answers.bot_commands import BotCommands
from handlers.posts.posting import Poster
from handlers.posts.remarker import Remarker

ME = UserId("b" * 26)
WRITER = UserId("a" * 26)
CHANNEL = ChannelId("c" * 26)
ACME = OrganizationId(UUID(int=1))

Create = Callable[[Post], Awaitable[Post]]
"""What a create does, given the post that it makes."""


async def at_once(post: Post) -> Post:
    return post


async def never(_post: Post) -> Post:
    await asyncio.Event().wait()
    raise AssertionError("an event that nobody sets")


def failing(error: Exception) -> Create:
    async def create(_post: Post) -> Post:
        raise error

    return create


@dataclass
class FakeMattermost:
    """Records what is created; `create` says what becomes of it."""

    create: Create = at_once
    posts: list[Post] = field(default_factory=list)
    """What stands in the thread, oldest first."""
    users: dict[UserId, User] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    edits: list[tuple[PostId, str]] = field(default_factory=list)
    refuses_edits: Exception | None = None
    deleted: list[PostId] = field(default_factory=list)
    reactions: list[tuple[PostId, str]] = field(default_factory=list)
    in_progress: int = 0
    threads_read: int = 0
    failure: Exception | None = None
    """Of reading a thread."""

    async def create_post(self, draft: Draft) -> Post:
        self.drafts.append(draft)
        self.in_progress += 1
        try:
            return await self.create(posted(draft, f"new{len(self.drafts)}"))
        finally:
            self.in_progress -= 1

    async def edit_post(self, post_id: PostId, message: str, *, patient: bool = True) -> None:
        self.edits.append((post_id, message))
        if self.refuses_edits:
            raise self.refuses_edits

    async def replace_post(self, post_id: PostId, message: str, _props: object) -> None:
        await self.edit_post(post_id, message)

    async def delete_post(self, post_id: PostId) -> None:
        self.deleted.append(post_id)

    async def react(self, post_id: PostId, me: UserId, emoji: str) -> None:
        self.reactions.append((post_id, emoji))

    async def take_reaction_back(self, post_id: PostId, me: UserId, emoji: str) -> None:
        self.reactions = [each for each in self.reactions if each != (post_id, emoji)]

    async def thread(self, root_id: PostId) -> Sequence[Post]:
        self.threads_read += 1
        if self.failure:
            raise self.failure
        return [post for post in self.posts if post.thread == root_id]

    async def user(self, user_id: UserId) -> User:
        if user_id not in self.users:
            raise MattermostRefused("Mattermost refused.", http_status=404)
        return self.users[user_id]


@dataclass
class FakeInbox:
    """Says of every job that it is ours, until it is not."""

    ours: bool = True
    asked: list[JobId] = field(default_factory=list)

    async def holds(self, job: JobId) -> bool:
        self.asked.append(job)
        return self.ours


def posted(draft: Draft, name: str, *, by: UserId = ME) -> Post:
    """Return the post that a draft becomes."""
    return Post(
        PostId(name),
        draft.channel_id,
        by,
        draft.root_id,
        draft.message,
        1,
        props=draft.props,
        pending_post_id=draft.pending_post_id,
    )


def a_job(payload: dict[str, Any] | None = None, **fields: Any) -> Job:
    """Return a job as it is claimed for the first time, a moment ago."""
    values = {
        "id": JobId(1),
        "kind": "mention",
        "lane": "thread:root",
        "organization_id": ACME,
        "payload": payload or {},
        "attempts": 1,
        "created": datetime.now(UTC),
        "run_at": datetime.now(UTC),
        "key": uuid4(),
    }
    return Job(**{**values, **fields})


def bot_commands(inbox: Inbox, poster: Poster) -> BotCommands:
    """Return what does the commands of people in threads."""
    return BotCommands(ConversationStarts(inbox.pool), Remarker(poster, inbox), "equabot", "Ask me anything.")
