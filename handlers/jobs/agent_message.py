"""The job kind `agent_message`: post what the agent says by itself, in a channel or in a conversation.

A part has a `pending_post_id` that nobody can guess, and a mark by which a later attempt finds it. Of a long
message in a channel the further parts stand in the thread of the first; direct messages stay flat.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid5

from bridge.db.inbox import Inbox
from bridge.errors import MattermostRefused
from bridge.models.chat import ChannelId, Draft, Post, PostId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job, OutgoingMessage
from bridge.text.broadcast_mentions import without_broadcast_mentions
from bridge.text.split import split
from bridge.text.visible import visible
from handlers.conversations import ConversationCheck, PostTarget
from handlers.posts.channel_posts import ChannelPosts, explained
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK


@dataclass(frozen=True, slots=True)
class AgentMessages:
    posts: ChannelPosts
    conversations: ConversationCheck
    inbox: Inbox
    image_hosts: Collection[str] = ()
    """Hosts whose images a message may show."""

    async def post(self, job: Job) -> Mapping[str, Any]:
        """Post the message once; one of which nothing may be shown is not posted."""
        message = OutgoingMessage.of(job.payload)
        parts = self._parts(message)
        if not parts:
            return {"skipped": "no_reply"}
        try:
            target = await self._target(job.organization_id, message)
            posting = partial(self._once, job, target, parts)
            return {"posts": await self.posts.joining(target.channel_id, posting)}
        except MattermostRefused as error:
            raise explained(error, message.channel or "the conversation's channel") from error

    def _parts(self, message: OutgoingMessage) -> list[Draft]:
        """Return the drafts of a message without a target; a file is in the first one, which may be empty."""
        shown = without_broadcast_mentions(visible(message.text, self.image_hosts).text)
        # A cut can make `@all` of `@alliance`; undoing that adds a character.
        texts = [part for part in split(shown, self.posts.poster.max_post_size - 1) if part.strip()]
        files = (message.file_id,) if message.file_id else ()
        return [
            Draft(ChannelId(""), without_broadcast_mentions(text), file_ids=() if number else files)
            for number, text in enumerate(texts or [""] * len(files))
        ]

    async def _target(self, organization: OrganizationId | None, message: OutgoingMessage) -> PostTarget:
        if message.conversation is None:
            return PostTarget(await self.posts.channel(organization, message.channel or ""))
        return await self.conversations.target(organization, Conversation.of(message.conversation))

    async def _once(self, job: Job, target: PostTarget, parts: list[Draft]) -> list[PostId]:
        poster = self.posts.poster
        async with poster.write_limit(target.channel_id):
            posted = await self._posted_earlier(job, target) if job.attempts > 1 else {}
            lease = LeaseGuard(self.inbox, job.id)
            for number, part in enumerate(parts, 1):
                if number not in posted:
                    draft = _aimed(part, job, number, _behind(target, posted.get(1)))
                    posted[number] = await poster.create(draft, lease)
        return [posted[number] for number in sorted(posted)]

    async def _posted_earlier(self, job: Job, target: PostTarget) -> dict[int, PostId]:
        """Find the parts that an earlier attempt has posted."""
        if target.root_id:
            posts = await self.posts.poster.api.thread(target.root_id)
        else:
            posts = [post async for post in self.posts.own_posts(target.channel_id, job.created)]
        mine = [post for post in posts if post.user_id == self.posts.poster.me]
        return {number: post.id for post in mine if (number := _part(post, job))}


def _behind(target: PostTarget, first: PostId | None) -> PostTarget:
    """Return the target of a further part: direct messages stay flat."""
    return (
        replace(target, root_id=first) if first and not target.root_id and target.direct is None else target
    )


def _aimed(part: Draft, job: Job, number: int, target: PostTarget) -> Draft:
    direct = {} if target.direct is None else {"conversation": target.direct}
    return replace(
        part,
        channel_id=target.channel_id,
        root_id=target.root_id,
        props={MARK: {"message": _id(job), "part": number, **direct}},
        pending_post_id=str(uuid5(job.key, str(number))),
    )


def _part(post: Post, job: Job) -> int | None:
    """Return the number of the part, if the post is one of this message."""
    mark: Any = post.props.get(MARK)
    if not isinstance(mark, Mapping) or mark.get("message") != _id(job):
        return None
    number = mark.get("part")
    return number if isinstance(number, int) else None


def _id(job: Job) -> str:
    return str(uuid5(job.key, "message"))
