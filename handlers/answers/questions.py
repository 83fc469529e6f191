"""What the agent is asked: the question of a post, with the conversation before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.db.answers import Answers
from bridge.errors import BridgeError
from bridge.models.agent import Message, Question
from bridge.models.chat import PAGE_SIZE, Post, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job, Mention
from bridge.ports import MattermostApi
from handlers.answers.attachments import Attachments, FileBudget
from handlers.answers.history import (
    asked,
    before,
    direct_conversation,
    history,
    people,
    since_begun,
    with_own_words,
)
from handlers.answers.speakers import Speakers, spoken


@dataclass(frozen=True, slots=True)
class Questions:
    api: MattermostApi
    answers: Answers
    speakers: Speakers
    me: UserId
    username: str
    agent_remembers: bool
    attachments: Attachments

    async def of(self, job: Job, mention: Mention) -> Question:
        """Return the question of a job."""
        if job.organization_id is None or mention.person_id is None:
            raise BridgeError("A mention without organization or person was put into the inbox.")
        posts = await self._earlier(mention)
        names = await self.speakers.names(people(posts, mention, self.me))
        budget = FileBudget()
        attached = await self.attachments.of_question(job, mention, budget)
        text = attached.under(asked(mention.message, self.username))
        if self.agent_remembers and not mention.is_direct:
            text = with_own_words(text, posts, self.me)
        return Question(
            organization_id=job.organization_id,
            person_id=mention.person_id,
            channel_id=mention.channel_id,
            thread=mention.thread,
            post_id=mention.post_id,
            text=spoken(names.get(mention.user_id), text),
            images=attached.images,
            unread=attached.unread,
            history=()
            if self.agent_remembers
            else await self._history(posts, names, job.organization_id, budget),
            generation=mention.conversation.generation,
            is_direct=mention.is_direct,
        )

    async def _earlier(self, mention: Mention) -> list[Post]:
        """Return the conversation before the question."""
        if mention.is_direct:
            posts = await self.api.posts_before(mention.channel_id, mention.post_id, PAGE_SIZE)
            return direct_conversation(before(posts[::-1], mention, self.me), mention, self.me)
        if not mention.thread or mention.thread == mention.post_id:
            return []
        posts = before(await self.api.thread(mention.thread), mention, self.me)
        return since_begun(posts, mention.conversation, self.me)

    async def _history(
        self,
        posts: Sequence[Post],
        names: Mapping[UserId, str],
        organization: OrganizationId,
        budget: FileBudget,
    ) -> tuple[Message, ...]:
        """Return the messages; what was stopped or broke off is none of the agent's."""
        if not posts:
            return ()
        unfinished = await self.answers.unfinished([post.id for post in posts if post.user_id == self.me])
        whole = [post for post in posts if post.id not in unfinished]
        of_people = [post for post in whole if post.user_id != self.me]
        files = await self.attachments.of_posts(of_people, organization, budget)
        return history(whole, self.me, self.username, names, files)
