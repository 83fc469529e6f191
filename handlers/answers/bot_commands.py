"""What people ask of the bot itself in a thread: to begin anew, or what it can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.db.conversation_starts import ConversationStarts
from bridge.models.conversation_starts import NO_START, ConversationStart
from bridge.models.jobs import Job, Mention
from bridge.text.commands import word
from handlers.posts.parts import ReplyTarget
from handlers.posts.remarker import Remarker
from handlers.posts.remarks import BEGUN_ANEW


@dataclass(frozen=True, slots=True)
class BotCommands:
    starts: ConversationStarts
    remarker: Remarker
    username: str
    help_text: str
    """What the bot can do."""

    async def done(self, job: Job, mention: Mention, target: ReplyTarget) -> Mapping[str, Any] | None:
        """Do what a mention asks of the bot itself; None if it is a question to the agent."""
        match word(mention.message, self.username):
            case "help":
                return {"posts": [await self.remarker.say(job, target, self.help_text)], "skipped": "help"}
            case "new":
                await self.starts.begin(job.lane, mention.post_id, mention.create_at)
                return {"posts": [await self.remarker.say(job, target, BEGUN_ANEW)], "skipped": "begun_anew"}
            case _:
                return None

    async def start(self, lane: str, moment: int) -> ConversationStart:
        """Return where the conversation of a thread began that a post of that moment belongs to."""
        return await self.starts.at(lane, moment) or NO_START
