"""Why a post is not answered: stored codes and their sentences. Pure: no I/O is imported here."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

Reason = Literal[
    "own_post",
    "system_post",
    "webhook",
    "other_bot",
    "direct_message",
    "group_message",
    "other_channel",
    "empty_text",
    "before_start",
    "too_old",
    "team_not_mapped",
    "not_mentioned",
    "follow_ups_off",
    "stopped_listening",
    "to_somebody_else",
    "others_write_there",
    "left_organization",
    "author_not_mapped",
    "stop_listening",
    "too_many_questions",
    "channel_renamed",
    "stop_word",
]


REASONS: Mapping[str, str] = MappingProxyType(
    {
        "own_post": "The bot wrote it itself.",
        "system_post": "It is no ordinary message but one of Mattermost's own, such as somebody joining.",
        "webhook": "A webhook wrote it.",
        "other_bot": "Another bot wrote it.",
        "direct_message": "It stands in a direct channel of others, in which the bot is not.",
        "group_message": "It stands in a group message, which belongs to no organization.",
        "other_channel": "It stands in another channel than the one in which the bot listens.",
        "empty_text": "It has neither text nor files.",
        "before_start": "It was written before the bridge began to listen there.",
        "too_old": "It was more than a day old when the bridge saw it.",
        "team_not_mapped": "Its team belongs to no organization.",
        "not_mentioned": "It does not mention the bot, and the bot does not answer in its thread yet.",
        "follow_ups_off": "It does not mention the bot, and FOLLOW_UPS or its organization says never.",
        "stopped_listening": "It does not mention the bot, which was told to stop listening in its thread.",
        "to_somebody_else": "It continues a thread of the bot's, but addresses somebody else.",
        "others_write_there": "It does not mention the bot, and more than one person writes in its thread.",
        "left_organization": "Its author has left the organization, or is being taken out of its team.",
        "author_not_mapped": "Its author is unknown to Equa and did not mention the bot.",
        "stop_listening": "It told the bot to stop listening in its thread, which it does.",
        "too_many_questions": "Its author has asked more in a short time than ASK_LIMIT allows.",
        "channel_renamed": "Somebody gave its channel another name; once that is repaired it is answered.",
        "stop_word": "It told the bot to stop what it was answering in the thread.",
    }
)
"""Why a post is not answered; the codes are stored and must not change."""

SKIPPED: Mapping[str, str] = MappingProxyType(
    {
        "question_deleted": "It was deleted before the answer could be posted.",
        "no_reply": "The agent read it and chose to say nothing (NO_REPLY).",
        "deactivated": "Its author's account was deactivated before the bot could answer.",
        "no_organization": "Its author is in no organization, and was told how to get in.",
        "organization_asked": "Its author is in several organizations, and was asked which one is meant.",
        "organization_unknown": "It names no single organization of its author, who was asked again.",
        "organization_chosen": "It chose the organization that the bot answers for there.",
        "membership_unknown": "Equa could not say where its author is a member, and they heard that.",
        "begun_anew": "It began another conversation.",
        "notice_muted": "Its organization has muted notices of this type.",
        "help": "It asked what the bot can do, and the bot said so.",
        "stopped": "Somebody stopped it before the bot began with it.",
        "question_unknown": "It answers a question of the agent that is not known any more.",
        "not_accepted": "The agent did not accept it as the answer to its question.",
        "ended": "The agent's question had ended by then.",
        "budget_reached": "Its organization had used up its budget for the month.",
    }
)
"""Why a job was done without a post; the codes are stored and must not change."""

NOTICE_MUTED = "notice_muted"
"""The stored reason of a notice that its organization does not want."""

SELF_EVIDENT: frozenset[str] = frozenset(
    {
        "own_post",
        "system_post",
        "webhook",
        "other_bot",
        "direct_message",
        "group_message",
        "channel_renamed",
        "other_channel",
        "empty_text",
        "before_start",
    }
)
"""Reasons that `why` finds again from the post itself, so that they are not stored."""

AUDITED_REFUSALS: Sequence[str] = ("too_many_questions", "left_organization", "budget_reached")
"""Why somebody's question was refused, so that their organization's administrators see it in the audit."""

STOP: Reason = "stop_listening"
"""The stored reason by which a thread is known in which the bot no longer listens."""


def explain(reason: str) -> str:
    """Return a sentence for an operator; a code that this version does not know is returned as it is."""
    return REASONS.get(reason) or SKIPPED.get(reason, reason)
