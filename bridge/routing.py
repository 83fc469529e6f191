"""Decide about a post: answer, invite, or refuse with a reason. Pure: no I/O is imported here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from bridge.models.chat import Post, Posted, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Hint
from bridge.models.organization_settings import STRICTEST_FOLLOW_UPS, FollowUps, stricter
from bridge.reasons import STOP, Reason
from bridge.text.mentions import addresses_others, mentions, strip_mention
from bridge.text.stop_words import is_stop_word

_FOR_OTHERS: frozenset[Reason] = frozenset({"not_mentioned", "to_somebody_else"})

_WRITTEN = ("", "me")
"""The types of posts that people write; `/me` makes the second."""

SILENCING = ("from_webhook", "from_bot")
"""The props that routing looks at."""

OLDEST = 24 * 60 * 60 * 1000
"""Milliseconds; nobody waits longer for an answer."""

MINUTE, HOUR = 60_000, 3_600_000

_PROCESSES = 4
"""With so many a limit holds exactly; each stores one batch of a person's posts at a time."""

_GROUP = re.compile("[0-9a-f]{40}")
"""The name of a group channel (`GetGroupNameFromUserIds` in server/public/model/channel.go)."""

_STOP = re.compile(r"(?:please[ ,]+)?stop +listening(?: +(?:here|please|now))?[\s.!,]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot's account, and the name of the channel in which it listens."""

    user_id: UserId
    username: str
    agent_channel: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator decides about questions."""

    follow_ups: FollowUps = "alone"
    """When a post without a mention continues a conversation with the bot."""
    at_once: int = 20
    """Questions of a person in a minute."""
    an_hour: int = 60
    notice_account: str = ""
    """The name of the account that posts notices; empty if that is the bot, or not known yet."""

    @property
    def smallest_limit(self) -> int:
        """The number of questions below which no limit is reached."""
        return min(self.at_once, self.an_hour)

    @property
    def watched(self) -> int:
        """The number of questions below which nobody is near a limit."""
        return self.smallest_limit // _PROCESSES


@dataclass(frozen=True, slots=True)
class Facts:
    """What routing has to know beside the post; times are in milliseconds since 1970."""

    organization_id: OrganizationId | None = None
    """The organization that the post's team is mapped to; of a direct message the one it is likely about."""
    person_id: PersonId | None = None
    """The person that the author is mapped to."""
    thread_known: bool = False
    """The bot already answers in the post's thread, or its agent has begun it."""
    thread_shared: bool = False
    """Somebody else than the author has written in the thread."""
    thread_stopped: bool = False
    """The bot was told to stop listening in the thread."""
    thread_busy: bool = False
    """Something was asked in the thread that has no answer yet; looked up for stop words only."""
    follow_ups: FollowUps | None = None
    """What the organization has set about posts without a mention."""
    in_agent_channel: bool = False
    """The channel is the organization's `#agent`, whatever it is called at the moment."""
    asked: Sequence[int] = ()
    """When the author asked questions that were not refused; those of the last hour at least.

    Empty if they are too few to matter.
    """
    stored: bool = False
    """The post was decided about before."""
    left_organization: bool = False
    """The person is known to have left the organization."""
    author_is_bot: bool | None = None
    """None: not looked up."""
    agent_question: str | None = None
    """The question of the agent that waits for an answer of the author, asked before the post."""
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
class AnswerDirectly:
    """Answer somebody who writes to the bot alone; the organization is known when it is their turn."""

    person_id: PersonId | None
    """None for somebody without a mapping, who hears how to get in."""


@dataclass(frozen=True, slots=True)
class AnswerOfPerson:
    """Hand the post to the agent as the answer to a question of its own."""

    question: str
    """The gateway's id of the question."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not answer; say the hint to the author if there is one."""

    reason: Reason
    hint: Hint | None = None


Decision = Answer | Invite | AnswerDirectly | AnswerOfPerson | Refuse


def decide(posted: Posted, facts: Facts, me: Bot, policy: Policy = Policy()) -> Decision:
    """Decide about a post; of several reasons against it the first in `REASONS` counts."""
    glance = at_a_glance(posted, me, author_is_bot=facts.author_is_bot)
    if glance == "other_channel":
        return _elsewhere(posted, facts, me)
    if glance == "group_message":
        return Refuse(glance, None if _past(posted.post, facts) else "group")
    if reason := glance or _past(posted.post, facts) or _stop_word(posted, facts, me):
        return Refuse(reason)
    if facts.agent_question and _answers_agent(posted, facts, me):
        return AnswerOfPerson(facts.agent_question)
    return _asked(posted, facts, me, policy)


def _asked(posted: Posted, facts: Facts, me: Bot, policy: Policy) -> Decision:
    """Decide about a post that stands where the bot answers, and has nothing against it yet."""
    if is_direct(posted, me):
        return _directly(posted.post, facts, policy)
    if reason := _not_for_us(posted.post, facts, me, policy):
        return Refuse(reason, _whom_to_ask(posted.post, reason, policy))
    return _taken(posted.post, facts, me, policy)


def _answers_agent(posted: Posted, facts: Facts, me: Bot) -> bool:
    """Tell whether the author, for whom the agent waits, says something that is meant for it."""
    said = strip_mention(posted.post.message, me.username).strip()
    return bool(said) and not facts.left_organization and not addresses_others(said, me.username)


def _stop_word(posted: Posted, facts: Facts, me: Bot) -> Reason | None:
    return "stop_word" if facts.thread_busy and says_stop(posted, me) else None


def says_stop(posted: Posted, me: Bot) -> bool:
    """Tell whether a post in a conversation says nothing but that the bot is to stop."""
    in_conversation = posted.post.root_id or is_direct(posted, me)
    return bool(in_conversation) and is_stop_word(strip_mention(posted.post.message, me.username))


def at_a_glance(posted: Posted, me: Bot, *, author_is_bot: bool | None = None) -> Reason | None:
    """Return why a post is not answered, as far as the post itself shows it."""
    return _by_whom(posted.post, me, author_is_bot=author_is_bot) or _where(posted, me) or _empty(posted.post)


def is_direct(posted: Posted, me: Bot) -> bool:
    """Tell whether the post stands in the direct channel of one person and the account.

    Its name is the ids of both (`GetDMNameFromIds` in server/public/model/channel.go).
    """
    return not posted.team_id and me.user_id in posted.channel_name.split("__")


def is_heard(channel_name: str, team_id: str, me: Bot) -> bool:
    """Tell whether the bot answers in a channel: in the one of its name in each team, and in direct ones."""
    return channel_name == me.agent_channel if team_id else me.user_id in channel_name.split("__")


def is_addressed(posted: Posted, me: Bot) -> bool:
    """Tell whether a person mentions an account by its name, or writes to it directly."""
    if not posted.mentioned or _by_whom(posted.post, me, author_is_bot=None):
        return False
    return is_direct(posted, me) or mentions(posted.post.message, me.username)


def _by_whom(post: Post, me: Bot, *, author_is_bot: bool | None) -> Reason | None:
    if post.user_id == me.user_id:
        return "own_post"
    if post.type not in _WRITTEN:
        return "system_post"
    # Anybody can set these props: they may silence us, never make us trust somebody.
    if _flagged(post, "from_webhook"):
        return "webhook"
    return "other_bot" if author_is_bot or _flagged(post, "from_bot") else None


def _flagged(post: Post, prop: str) -> bool:
    return post.props.get(prop) in ("true", True)


def _where(posted: Posted, me: Bot) -> Reason | None:
    if not posted.team_id:
        if is_direct(posted, me):
            return None
        return "group_message" if _GROUP.fullmatch(posted.channel_name) else "direct_message"
    return "other_channel" if posted.channel_name != me.agent_channel else None


def _empty(post: Post) -> Reason | None:
    return None if post.message.strip() or post.file_ids else "empty_text"


def _past(post: Post, facts: Facts) -> Reason | None:
    if post.create_at < facts.begin_at:
        return "before_start"
    return "too_old" if facts.now - post.create_at > OLDEST else None


def _elsewhere(posted: Posted, facts: Facts, me: Bot) -> Refuse:
    """Decide about a post outside of `#agent`: somebody who mentions the bot is told where it answers."""
    if facts.in_agent_channel:
        return Refuse("channel_renamed")
    here = facts.organization_id is not None and facts.now - posted.post.create_at <= OLDEST
    asks = here and posted.mentioned and mentions(posted.post.message, me.username)
    return Refuse("other_channel", "elsewhere" if asks else None)


def _not_for_us(post: Post, facts: Facts, me: Bot, policy: Policy) -> Reason | None:
    """Return why a post in `#agent` is not for the bot, or why the bot does not answer its author."""
    if facts.organization_id is None:
        return "team_not_mapped"
    mentioned = mentions(post.message, me.username)
    if not mentioned and (reason := _no_follow_up(post, facts, me, policy)):
        return reason
    if facts.left_organization:
        return "left_organization"
    return "author_not_mapped" if facts.person_id is None and not mentioned else None


def _whom_to_ask(post: Post, reason: Reason, policy: Policy) -> Hint | None:
    """Return the hint to somebody who takes the account that posts notices for the bot."""
    if reason not in _FOR_OTHERS or not policy.notice_account:
        return None
    return "notices_here" if mentions(post.message, policy.notice_account) else None


def _no_follow_up(post: Post, facts: Facts, me: Bot, policy: Policy) -> Reason | None:
    """Return why a post without a mention does not continue a conversation with the bot."""
    if not post.root_id or not facts.thread_known:
        return "not_mentioned"
    follow_ups = stricter(policy.follow_ups, facts.follow_ups, STRICTEST_FOLLOW_UPS)
    if follow_ups == "never":
        return "follow_ups_off"
    if facts.thread_stopped:
        return "stopped_listening"
    if addresses_others(post.message, me.username):
        return "to_somebody_else"
    return "others_write_there" if follow_ups == "alone" and facts.thread_shared else None


def _taken(post: Post, facts: Facts, me: Bot, policy: Policy) -> Decision:
    """Decide about a post that is for the bot, by somebody who may have asked too much already."""
    assert facts.organization_id is not None
    if facts.person_id and _STOP.fullmatch(strip_mention(post.message, me.username).strip()):
        return Refuse(STOP, "stopped")
    if _too_much(post.create_at, facts.asked, policy):
        return Refuse("too_many_questions", "limit")
    if facts.person_id is None:
        return Invite(facts.organization_id)
    return Answer(facts.organization_id, facts.person_id)


def _directly(post: Post, facts: Facts, policy: Policy) -> Decision:
    """Decide about what somebody writes to the bot alone; it needs no mention."""
    if _too_much(post.create_at, facts.asked, policy):
        return Refuse("too_many_questions", "limit")
    return AnswerDirectly(facts.person_id)


def _too_much(moment: int, asked: Sequence[int], policy: Policy) -> bool:
    """Tell whether a question at this moment is above its author's limit.

    It goes by when questions were posted and not by when they were read, so that a catch-up after an outage
    and two processes decide alike.
    """
    if len(asked) < policy.smallest_limit:
        return False
    return _is_full(moment, asked, MINUTE, policy.at_once) or _is_full(moment, asked, HOUR, policy.an_hour)


def is_near_limit(moments: Sequence[int], policy: Policy) -> bool:
    """Tell whether so much was asked at these moments that a few processes may pass a limit together."""
    at_once, an_hour = max(policy.at_once // _PROCESSES, 1), max(policy.an_hour // _PROCESSES, 1)
    ordered = sorted(moments)
    return len(ordered) >= an_hour or any(
        last - first < MINUTE for first, last in zip(ordered, ordered[at_once - 1 :], strict=False)
    )


def _is_full(moment: int, asked: Sequence[int], span: int, limit: int) -> bool:
    """Tell whether some span of time around the moment holds as many questions as the limit allows.

    Later ones count too: channels are not read in the order in which somebody has written in them.
    """
    near = sorted(each for each in asked if abs(each - moment) < span)
    return any(
        max(last, moment) - min(first, moment) < span
        for first, last in zip(near, near[limit - 1 :], strict=False)
    )
