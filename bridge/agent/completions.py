"""Read an answer of chat completions, streamed or whole. Pure: no I/O is imported here.

An answer is whole when its server says so by any of its signs: a finish reason followed by the end, `[DONE]`
after some text, or the clean end of a whole JSON body. The last word counts: a later finish reason, or an
error after one. Text that came before an error is thrown away, because half an answer reads like a whole one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.agent import chunks
from bridge.agent.answer_text import ANSWER_LIMIT, AnswerText, clean, cut, says_something
from bridge.agent.body import decoded
from bridge.agent.error_reports import ErrorReport, find_error, is_error_event, read_error
from bridge.agent.finish import ending
from bridge.agent.refusals import Dialect, NotStreamed, Refusal, Verdict, reported
from bridge.agent.sse import Event
from bridge.errors import (
    AgentFailed,
    AgentMisconfigured,
    AgentUnavailable,
    AnswerInterrupted,
    QuestionRefused,
)
from bridge.models.agent import Began, Delta, Usage

GRACE_SECONDS = 1.0
"""How long the rest of a finished answer is waited for; its connection can be used again after that."""
GRACE_WITH_TEXT = 5.0
"""The same when the finish reason came together with text: some servers send one with each piece."""

_LONGEST_FAILURE = 1000
"""Characters; no gateway reports a failure with more."""
_MOST_PAYLOADS = 1000
"""Chunks in one list that are looked at."""
_KEEP_ALIVE = re.compile(r"|null|ping|pong|heartbeat|keep[-_ ]?alive|:.*|true|false|\d+", re.IGNORECASE)


class Answer:
    """One answer as it comes in."""

    def __init__(self, dialect: Dialect, model: str = "") -> None:
        self.progress = 0
        """Grows with each piece of text and each sign of an end."""
        self._dialect = dialect
        self._text = AnswerText()
        self._finish = ""
        self._piece_at_finish = ""
        self._finishes_often = False
        self._done = False
        self._is_whole_body = False
        self._is_cut = False
        self._has_unreadable = False
        self._has_tools = False
        self._held = 0
        """Characters of the last piece that may report a failure, as it came with the finish reason."""
        self._run_id: str | None = None
        self._has_begun = False
        self.model = model
        """What answers: as its server calls it, else as it was asked for."""
        self.usage: Usage | None = None
        """None while it was not reported."""

    @property
    def is_finished(self) -> bool:
        """Whether its server has given a sign that this is all."""
        return self._done or bool(self._finish) or self._is_whole_body

    @property
    def outlasts_a_break(self) -> bool:
        """Whether the sign holds even if the connection breaks now."""
        return self._done or (bool(self._finish) and not self._finishes_often)

    @property
    def is_full(self) -> bool:
        """Whether it has reached its limit, so that nothing more needs to be read."""
        return self._text.length > ANSWER_LIMIT

    @property
    def grace(self) -> float | None:
        """Seconds to wait for more; None while its server has given no sign that holds."""
        if not self.outlasts_a_break:
            return None
        return GRACE_WITH_TEXT if self._piece_at_finish and not self._done else GRACE_SECONDS

    def take(self, event: Event) -> None:
        """Add an event; raise `Refusal` if it is an error. What comes after the end does not count."""
        if self._done and self._text.length:
            return
        data = event.data.strip()
        value = decoded(data) if event.value is None else event.value
        if is_error_event(event.name):
            raise self._refusal(read_error(data if value is None else value))
        if isinstance(value, dict | list):
            self._take_value(value)
        elif data.strip('"').upper() == "[DONE]":
            self._done = True
            self.progress += 1
        elif data.startswith("{"):
            raise Refusal(AgentFailed("The agent sent an event that is not the JSON of a chat completion."))
        elif not _KEEP_ALIVE.fullmatch(data):
            self._has_unreadable = True

    def end(self, events: Sequence[Event], *, whole_body: bool) -> None:
        """Add the events that the clean end completes, of which the last may be cut."""
        for event in events:
            if event.value is None and event.data.lstrip().startswith("{") and decoded(event.data) is None:
                self._is_cut = True
            else:
                self.take(event)
        if whole_body and not (self._text.length or self._finish or self._has_tools):
            raise Refusal(AgentMisconfigured("AGENT_URL leads to something else than chat completions."))
        self._is_whole_body = whole_body

    def news(self) -> Iterator[Began | Delta]:
        """Yield what has come since the last call and can be shown."""
        if self._run_id is not None and not self._has_begun:
            self._has_begun = True
            yield Began(self._run_id, self.model)
        if not self._may_be_failure() and (text := self._text.fresh(self._held)):
            yield Delta(text)

    def text(self) -> str:
        """Return the answer, cleaned; raise `Refusal` unless it is a whole one that says something."""
        text = clean(str(self._text))
        if self.is_full:
            return cut(text)
        self._check(text)
        return cut(text) if ending(self._finish) == "limit" else text

    def after(self, error: Verdict) -> Verdict:
        """Return what an error means after what has come: whether the question can be asked again."""
        if not isinstance(error, AgentUnavailable) or isinstance(error, NotStreamed):
            return error
        if self._has_tools and not self._dialect.remembers:
            return AgentFailed(f"{error.message} It had called a tool, so that it is not asked again.")
        if self._text.length or self._is_cut:
            return AnswerInterrupted(error.message, retry_after=error.retry_after)
        return error

    def _take_value(self, value: Any) -> None:
        if error := find_error(value):
            raise self._refusal(error)
        for payload in value[:_MOST_PAYLOADS] if isinstance(value, list) else [value]:
            if isinstance(payload, dict):
                self._take_payload(payload)

    def _take_payload(self, payload: Mapping[str, Any]) -> None:
        if self._run_id is None:
            self._run_id = chunks.run_id_of(payload)
        self.model = chunks.model_of(payload) or self.model
        self.usage = chunks.usage_of(payload) or self.usage
        self._take_choice(chunks.first_choice(payload))

    def _take_choice(self, choice: Mapping[str, Any]) -> None:
        self._has_tools = self._has_tools or chunks.shows_a_tool(choice)
        piece, snapshot = chunks.piece_of(choice), chunks.snapshot_of(choice)
        if snapshot and snapshot != piece:
            self._text.replace(snapshot)
        elif piece:
            self._finishes_often = self._finishes_often or bool(self._finish)
            self._text.add(piece)
        reason = chunks.finish_reason(choice)
        if piece or snapshot:
            self._held = len(piece or snapshot) if reason else 0
        if reason:
            self._finish, self._piece_at_finish = reason, piece or snapshot
        if piece or snapshot or reason:
            self.progress += 1

    def _check(self, text: str) -> None:
        """Raise `Refusal` unless the end is that of a good answer."""
        how = ending(self._finish)
        if not self.is_finished:
            raise self._broken()
        if how == "failed":
            raise Refusal(AgentFailed("The agent ended without an answer."), self._finish[:40])
        if not says_something(text):
            raise self._empty(how)
        if self._is_failure(text):
            raise Refusal(AgentFailed("The agent reported an error in place of an answer."), text[:300])

    def _broken(self) -> Refusal:
        if self._has_unreadable and not (self._text.length or self._is_cut):
            return Refusal(AgentFailed("The agent's stream holds nothing that can be read."))
        return Refusal(self.after(AgentUnavailable("The agent's answer ended before it was whole.")))

    def _empty(self, how: str) -> Refusal:
        if how == "filtered":
            return Refusal(QuestionRefused("The model's content filter withheld the answer."), self._finish)
        if how == "limit":
            return Refusal(QuestionRefused("The model reached its limit before it said anything."))
        if self._finish or self._is_whole_body:
            return Refusal(AgentFailed("The agent's answer is empty."))
        return self._broken()

    def _is_failure(self, text: str) -> bool:
        """Return whether a gateway reported its failure as text.

        Gateways before 2026 did so with a piece `Error: …`, alone or in the middle of a word.
        """
        whole, last = self._dialect.non_answer, self._dialect.failed_piece
        if whole is not None and whole.fullmatch(text):
            return True
        if last is None or not last.fullmatch(self._piece_at_finish):
            return False
        before = str(self._text).removesuffix(self._piece_at_finish)
        return not before or before[-1].isalnum()

    def _may_be_failure(self) -> bool:
        """Return whether all that has come may turn out to be a gateway's report of a failure."""
        whole = self._dialect.non_answer
        if whole is None or self._text.length > _LONGEST_FAILURE:
            return False
        return whole.fullmatch(clean(str(self._text))) is not None

    def _refusal(self, error: ErrorReport) -> Refusal:
        refusal = reported(error, self._dialect)
        refusal.error = self.after(refusal.error)
        return refusal
