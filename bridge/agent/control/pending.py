"""What of a gateway's events and lists is the bridge's own, and what of it waits."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import structlog
from cachetools import LRUCache

from bridge.agent.control import records
from bridge.agent.control.frames import Event
from bridge.agent.control.own_keys import OwnKeys
from bridge.agent.control.records import MalformedRecord
from bridge.agent.waiting import Waiting
from bridge.models.approvals import (
    AgentQuestion,
    AgentQuestionId,
    Approval,
    ApprovalId,
    ApprovalKind,
    ApprovalRequested,
    ApprovalResolved,
    ControlEvent,
    Outcome,
    Pending,
    QuestionOutcome,
    QuestionRequested,
    QuestionResolved,
)
from bridge.models.conversations import Conversation

log = structlog.get_logger(__name__)

T = TypeVar("T", Approval, AgentQuestion)

_KINDS: Mapping[str, ApprovalKind] = {"exec": "exec", "plugin": "plugin"}
_ENDED: Mapping[str, QuestionOutcome] = {
    "answered": "answered",
    "cancelled": "cancelled",
    "expired": "expired",
}
_STATUS: Mapping[str, Outcome] = {
    "allowed": "allowed",
    "denied": "denied",
    "expired": "expired",
    "cancelled": "withdrawn",
}
_WITHDRAWN = "approval-scope-closed"
"""Who denies an approval whose run has ended."""
_LEAST_SKEW, _MOST_SKEW = 5_000, 86_400_000
"""Milliseconds; a smaller difference of clocks may be the way of a frame, a larger one is no clock's."""
_EARLY = 1_000
"""Milliseconds before its expiry from which on a denial that nobody has sent is its expiry."""


@dataclass(slots=True)
class PendingReader:
    """Reads events and lists, and keeps in mind what waits; what is not ours is thrown away."""

    keys: OwnKeys
    waiting: Waiting
    now: Callable[[], float] = time.time
    ahead: int = 0
    """Milliseconds by which the gateway's clock is ahead of ours; what it reports is read by ours."""
    _known: LRUCache[str, tuple[Conversation, int]] = field(default_factory=lambda: LRUCache(10_000))
    """The conversation and the expiry of each id: an event of an end does not name them."""

    def event(self, event: Event) -> ControlEvent | None:
        """Read an event; None for one that is not ours, or cannot be read."""
        kind, _, what = event.name.partition(".")
        try:
            match what:
                case "approval.requested" if found := self._approval(_KINDS[kind], event.payload):
                    return ApprovalRequested(found)
                case "approval.resolved":
                    return self._approval_resolved(event.payload)
                case "requested" if asked := self._question(event.payload):
                    return QuestionRequested(asked)
                case "resolved":
                    return self._question_resolved(event.payload)
        except MalformedRecord as error:
            log.warning("control_record_malformed", what=event.name, field=str(error))
        return None

    def snapshot(self, lists: Mapping[str, Iterable[object]], at: float, known: frozenset[str]) -> Pending:
        """Read what waits according to the lists `exec`, `plugin` and `question`, asked for at a moment.

        Of what was known to wait then, what is not listed has ended; younger things may not be listed yet.
        """
        approvals = tuple(
            found
            for name, kind in _KINDS.items()
            for found in self._all(lists[name], partial(self._approval, kind))
        )
        questions = tuple(self._all(lists["question"], self._question))
        self.waiting.keep([*(each.id for each in approvals), *(each.id for each in questions)], known)
        return Pending(approvals, questions, int(at * 1000))

    def _all(self, listed: Iterable[object], read: Callable[[Mapping[str, Any]], T | None]) -> Iterator[T]:
        for record in listed:
            try:
                found = read(record) if isinstance(record, dict) else None
            except MalformedRecord as error:
                log.warning("control_record_malformed", what="list", field=str(error))
                continue
            if found:
                yield found

    def _approval(self, kind: ApprovalKind, record: Mapping[str, Any]) -> Approval | None:
        conversation = self.keys.conversation(records.session_key(record))
        return self._noted(records.approval(kind, record, conversation)) if conversation else None

    def _question(self, record: Mapping[str, Any]) -> AgentQuestion | None:
        conversation = self.keys.conversation(records.session_key(record))
        return self._noted(records.question(record, conversation)) if conversation else None

    def set_clock(self, moment: object) -> None:
        """Learn what the gateway's clock shows at this moment, in milliseconds."""
        ahead = moment - round(self.now() * 1000) if isinstance(moment, int) else 0
        self.ahead = ahead if _LEAST_SKEW <= abs(ahead) <= _MOST_SKEW else 0

    def _noted(self, found: T) -> T:
        if self.ahead:
            created, expires = found.created_at - self.ahead, found.expires_at - self.ahead
            found = replace(found, created_at=created, expires_at=expires)
        self._known[found.id] = found.conversation, found.expires_at
        seconds = (found.expires_at - found.created_at) / 1000
        self.waiting.begin(found.id, found.conversation.key, seconds)
        return found

    def _approval_resolved(self, payload: Mapping[str, Any]) -> ApprovalResolved | None:
        id_ = records.record_id(payload)
        known = self._known.get(id_)
        conversation = known[0] if known else self.keys.conversation(records.session_key(payload))
        if conversation is None:
            return None
        self.waiting.end(id_)
        expires_at = known[1] if known else 0
        return ApprovalResolved(ApprovalId(id_), conversation, self._outcome(payload, expires_at))

    def _outcome(self, payload: Mapping[str, Any], expires_at: int) -> Outcome:
        """Return how an approval has ended: a gateway reports everything but a yes as a denial."""
        if payload.get("decision") in ("allow-once", "allow-always"):
            return "allowed"
        if payload.get("resolvedBy") == _WITHDRAWN or payload.get("terminalStatus") == "cancelled":
            return "withdrawn"
        is_late = 0 < expires_at <= self.now() * 1000 + _EARLY
        return "expired" if is_late and not payload.get("resolvedBy") else "denied"

    def _question_resolved(self, payload: Mapping[str, Any]) -> QuestionResolved | None:
        id_ = records.record_id(payload)
        known = self._known.get(id_)
        if known is None:
            return None
        self.waiting.end(id_)
        return QuestionResolved(AgentQuestionId(id_), known[0], question_outcome(payload))


def question_outcome(payload: object) -> QuestionOutcome:
    status = payload.get("status") if isinstance(payload, dict) else None
    return _ENDED.get(str(status), "withdrawn")


def approval_outcome(payload: object) -> Outcome:
    """Return how an approval has ended, out of the response to a decision."""
    approval = payload.get("approval") if isinstance(payload, dict) else None
    status = approval.get("status") if isinstance(approval, dict) else None
    return _STATUS.get(str(status), "withdrawn")
