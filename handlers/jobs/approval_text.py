"""What an approval's post shows. Pure: no I/O is imported here.

Title, description and tool are an agent's words: they are shown as they are, and mention, format and link
nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from bridge.models.approval_records import ApprovalRecord, ApprovalState, Way
from bridge.models.approvals import Severity
from bridge.models.organization_settings import Approvers
from bridge.notices.escape import block, inline, plain
from bridge.text.revealed import cut, revealed_command
from handlers.posts.parts import MARK

_LONGEST_TITLE, _LONGEST_TOOL, _LONGEST_TEXT = 200, 100, 2_000

_COLOR: Mapping[Severity, str] = MappingProxyType(
    {"info": "#1565c0", "warning": "#ef6c00", "critical": "#c62828"}
)
_SEVERITY: Mapping[Severity, str] = MappingProxyType(
    {"info": "Normal", "warning": "High", "critical": "Critical"}
)
_ENDED_COLOR: Mapping[ApprovalState, str] = MappingProxyType({"approved": "#2e7d32", "denied": "#c62828"})
_GREY = "#616161"

_WHO: Mapping[Approvers, str] = MappingProxyType(
    {
        "admins": "An administrator of the organization decides.",
        "members": "A member of the organization who has not asked decides, or an administrator.",
        "asker": "A member of the organization decides.",
    }
)

APPROVE, DENY = "white_check_mark", "x"
"""The reactions that decide where buttons do not work."""

_FENCE = re.compile("`{3,}")


@dataclass(frozen=True, slots=True)
class Offer:
    """How an approval can be decided, who may decide, and where else."""

    way: Way
    approvers: Approvers
    page: str | None = None
    """The organization's page, where administrators decide in any case."""


def mark(record: ApprovalRecord) -> Mapping[str, Any]:
    """Return the mark by which a later attempt finds the post."""
    return {"approval": str(record.id), "remark": True}


def pending_message(record: ApprovalRecord, asker: str) -> str:
    """Return the text of the post while it waits."""
    by = f", asked by @{asker}" if asker else ""
    return f"**Approval needed**{by}: {_title(record)}"


def pending_props(
    record: ApprovalRecord, offer: Offer, actions: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return the props of the post while it waits, with its buttons."""
    fields = [
        *_fields(record),
        {"title": "Decide until", "value": deadline(record), "short": True},
        {"title": "How", "value": _how(record, offer), "short": False},
    ]
    card = {**_card(record, _COLOR[record.approval.severity], fields), "footer": _WHO[offer.approvers]}
    return _props(record, {**card, "actions": list(actions)} if actions else card)


def ended_message(record: ApprovalRecord, decider: str) -> str:
    """Return the text of the post once it has ended; `decider` is Markdown."""
    return f"{_ending(record, decider)}: {_title(record)}"


def ended_props(record: ApprovalRecord) -> Mapping[str, Any]:
    """Return the props of the post once it has ended: complete, and without buttons."""
    return _props(record, _card(record, _ENDED_COLOR.get(record.state, _GREY), _fields(record)))


def reminder(record: ApprovalRecord, link: str | None, asker: str) -> str:
    """Return what administrators are told while it waits."""
    by = f" @{asker} has asked for it." if asker else ""
    where = f" [Decide about it]({link})." if link else ""
    return (
        f"**The agent waits for an approval** until {_clock(record.expires_at)}: {_title(record)}.{by}{where}"
    )


def deadline(record: ApprovalRecord) -> str:
    """Return until when it can be decided, and how long that is."""
    return f"{_clock(record.expires_at)} ({_duration(record.expires_at - record.created)})"


def code(text: str) -> str:
    """Return Markdown that shows a command as it is; what nobody can see of it is shown as a sign."""
    longest = max(map(len, _FENCE.findall(text)), default=2)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}\n{revealed_command(text)}\n{fence}"


def _ending(record: ApprovalRecord, decider: str) -> str:
    at = _clock(record.ended) if record.ended else ""
    match record.state:
        case "approved" | "denied":
            return f"**{record.state.capitalize()}** by {decider}, {at}"
        case "elsewhere":
            what = "Approved" if record.outcome == "allowed" else "Denied"
            late = f" before {decider} decided" if decider else ""
            return f"**{what} elsewhere**{late}, {at}"
        case "withdrawn":
            late = f"{decider} decided" if decider else "anybody decided"
            return f"**Withdrawn** before {late}, {at}; the agent does not wait any more"
    late = f", {decider} decided too late" if decider else ", nobody has decided"
    return f"**Expired**{late}, {_clock(record.expires_at)}"


def _how(record: ApprovalRecord, offer: Offer) -> str:
    page = f"[the organization's page]({offer.page})" if offer.page else "the organization's page"
    match offer.way:
        case "buttons" if record.is_direct:
            return "The administrators get a message of their own. If you may decide, press a button below."
        case "buttons":
            return "Press a button below." + (f" Administrators can also use {page}." if offer.page else "")
        case "reactions":
            words = [
                f":{emoji}: to {verb}"
                for emoji, verb, decision in (
                    (APPROVE, "approve", "allow-once"),
                    (DENY, "deny", "deny"),
                )
                if decision in record.approval.decisions
            ]
            return f"React to this post with {' or '.join(words)}."
    return f"Administrators decide on {page}; roles cannot be looked up from here."


def _fields(record: ApprovalRecord) -> list[dict[str, Any]]:
    tool = cut(record.approval.tool, _LONGEST_TOOL)
    shown = {"Tool": inline(tool) if tool.strip() else "(not named)"}
    shown["Severity"] = _SEVERITY[record.approval.severity]
    return [{"title": title, "value": value, "short": True} for title, value in shown.items()]


def _card(record: ApprovalRecord, color: str, fields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    text = cut(record.approval.description, _LONGEST_TEXT, record.approval.beyond)
    shown = code(text) if record.approval.kind == "exec" else block(text)
    fallback = plain(cut(record.approval.title, _LONGEST_TITLE))
    return {"fallback": fallback, "color": color, "text": shown if text.strip() else "", "fields": fields}


def _props(record: ApprovalRecord, card: Mapping[str, Any]) -> Mapping[str, Any]:
    return {MARK: mark(record), "attachments": [card]}


def _title(record: ApprovalRecord) -> str:
    return inline(cut(record.approval.title, _LONGEST_TITLE))


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M} UTC"


def _duration(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{round(minutes / 60)} hours"
