"""Decide about a post: answer, invite, or refuse with a reason. Pure: no I/O is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, Self

from bridge.models.chat import Post, Posted, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.text.mentions import addresses_others, mentions

Reason = Literal[
    "own_post",
    "system_post",
    "webhook",
    "other_bot",
    "direct_message",
    "other_channel",
    "empty_text",
    "before_start",
    "too_old",
    "team_not_mapped",
    "not_mentioned",
    "to_somebody_else",
    "left_organization",
    "author_not_mapped",
]

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "own_post": "The bot wrote it itself.",
        "system_post": "It is no ordinary message but one of Mattermost's own, such as somebody joining.",
        "webhook": "A webhook wrote it.",
        "other_bot": "Another bot wrote it.",
        "direct_message": "It stands outside of any team, so it belongs to no organization.",
        "other_channel": "It stands in another channel than the one in which the bot listens.",
        "empty_text": "It has no text.",
        "before_start": "It was written before the bridge began to listen there.",
        "too_old": "It was more than a day old when the bridge saw it.",
        "team_not_mapped": "Its team belongs to no organization.",
        "not_mentioned": "It does not mention the bot, and the bot does not answer in its thread yet.",
        "to_somebody_else": "It continues a thread of the bot's, but addresses somebody else.",
        "left_organization": "Its author has left the organization, or is being taken out of its team.",
        "author_not_mapped": "Its author is unknown to Equa and did not mention the bot.",
    }
)
"""Why a post is not answered; the codes are stored and must not change."""

SKIPPED: Mapping[str, str] = MappingProxyType(
    {
        "question_deleted": "It was deleted before the answer could be posted.",
        "no_reply": "The agent read it and chose to say nothing (NO_REPLY).",
    }
)
"""Why a job was done without a post; the codes are stored and must not change."""

SELF_EVIDENT: frozenset[str] = frozenset(
    {
        "own_post",
        "system_post",
        "webhook",
        "other_bot",
        "direct_message",
        "other_channel",
        "empty_text",
        "before_start",
    }
)
"""Reasons that `why` finds again from the post itself, so that they are not stored."""

SILENCING = ("from_webhook", "from_bot")
"""The props that routing looks at."""

OLDEST = 24 * 60 * 60 * 1000
"""Milliseconds; nobody waits longer for an answer."""


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot's account, and the name of the channel in which it listens."""

    user_id: UserId
    username: str
    agent_channel: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What routing has to know beside the post; times are in milliseconds since 1970."""

    organization_id: OrganizationId | None = None
    """The organization that the post's team is mapped to."""
    person_id: PersonId | None = None
    """The person that the author is mapped to."""
    thread_known: bool = False
    """The bot already answers in the post's thread."""
    left_organization: bool = False
    """The person is known to have left the organization."""
    author_is_bot: bool | None = None
    """None: not looked up."""
    now: int = 0
    begin_at: int = 0
    """Posts before this moment are history."""

    def with_author(self, is_bot: bool) -> Self:  # noqa: FBT001  # the name says what is true
        """Return the facts with what was found about the author."""
        return replace(self, author_is_bot=is_bot)

    def at(self, now: int, begin_at: int) -> Self:
        """Return the facts as they are at a moment."""
        return replace(self, now=now, begin_at=begin_at)


@dataclass(frozen=True, slots=True)
class Answer:
    """Ask the organization's agent on behalf of the person."""

    organization_id: OrganizationId
    person_id: PersonId


@dataclass(frozen=True, slots=True)
class Invite:
    """Say to somebody without a mapping how to get in."""

    organization_id: OrganizationId


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do nothing."""

    reason: Reason


Decision = Answer | Invite | Refuse


def decide(posted: Posted, facts: Facts, me: Bot) -> Decision:
    """Decide about a post; of several reasons against it the first in `REASONS` counts."""
    if reason := at_a_glance(posted, me, author_is_bot=facts.author_is_bot) or _past(posted.post, facts):
        return Refuse(reason)
    if facts.organization_id is None:
        return Refuse("team_not_mapped")
    mentioned = mentions(posted.post.message, me.username)
    if not mentioned and (reason := _no_follow_up(posted.post, facts, me)):
        return Refuse(reason)
    if facts.left_organization:
        return Refuse("left_organization")
    if facts.person_id is not None:
        return Answer(facts.organization_id, facts.person_id)
    return Invite(facts.organization_id) if mentioned else Refuse("author_not_mapped")


def at_a_glance(posted: Posted, me: Bot, *, author_is_bot: bool | None = None) -> Reason | None:
    """Return why a post is not answered, as far as the post itself shows it."""
    return _by_whom(posted.post, me, author_is_bot=author_is_bot) or _where(posted, me) or _empty(posted.post)


def explain(reason: str) -> str:
    """Return a sentence for an operator; a code that this version does not know is returned as it is."""
    return REASONS.get(reason) or SKIPPED.get(reason, reason)


def _by_whom(post: Post, me: Bot, *, author_is_bot: bool | None) -> Reason | None:
    if post.user_id == me.user_id:
        return "own_post"
    if post.type:
        return "system_post"
    # Anybody can set these props: they may silence us, never make us trust somebody.
    if _flagged(post, "from_webhook"):
        return "webhook"
    return "other_bot" if author_is_bot or _flagged(post, "from_bot") else None


def _flagged(post: Post, prop: str) -> bool:
    return post.props.get(prop) in ("true", True)


def _where(posted: Posted, me: Bot) -> Reason | None:
    if not posted.team_id:
        return "direct_message"
    return "other_channel" if posted.channel_name != me.agent_channel else None


def _empty(post: Post) -> Reason | None:
    return None if post.message.strip() else "empty_text"


def _past(post: Post, facts: Facts) -> Reason | None:
    if post.create_at < facts.begin_at:
        return "before_start"
    return "too_old" if facts.now - post.create_at > OLDEST else None


def _no_follow_up(post: Post, facts: Facts, me: Bot) -> Reason | None:
    if not post.root_id or not facts.thread_known:
        return "not_mentioned"
    return "to_somebody_else" if addresses_others(post.message, me.username) else None
