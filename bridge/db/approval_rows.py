"""The rows of approvals as records."""

from datetime import datetime
from typing import Any

from asyncpg import Record

from bridge.models.approval_records import ApprovalRecord, Decider, RecordId
from bridge.models.approvals import Approval, ApprovalId
from bridge.models.conversations import Conversation


def shown(approval: Approval) -> dict[str, Any]:
    """Return what people are shown of an approval, as JSON values."""
    return {
        "title": approval.title,
        "description": approval.description,
        "tool": approval.tool,
        "severity": approval.severity,
        "decisions": list(approval.decisions),
        "beyond": approval.beyond,
    }


def record_of(row: Record) -> ApprovalRecord:
    """Return a row of all columns as a record."""
    return ApprovalRecord(
        id=RecordId(row["id"]),
        approval=_approval(row),
        thread=row["thread"],
        asker=row["asker"],
        state=row["state"],
        created=row["created"],
        expires_at=row["expires_at"],
        outcome=row["outcome"],
        decider=_decider(row),
        ended=row["ended"],
        sent=row["sent"],
        post_id=row["post_id"],
        way=row["way"],
    )


def _approval(row: Record) -> Approval:
    words = row["shown"]
    return Approval(
        id=ApprovalId(row["gateway_id"]),
        kind=row["kind"],
        conversation=Conversation.of(row["conversation"]),
        run_id=row["run_id"],
        title=words["title"],
        description=words["description"],
        tool=words["tool"],
        severity=words["severity"],
        decisions=tuple(words["decisions"]),
        created_at=_milliseconds(row["created"]),
        expires_at=_milliseconds(row["expires_at"]),
        beyond=words.get("beyond", 0),
    )


def _decider(row: Record) -> Decider | None:
    if row["via"] is None:
        return None
    return Decider(
        row["via"], row["role"], row["decided_person"], row["decided_by"], row["decided_name"] or ""
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
