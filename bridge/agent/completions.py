"""Read an answer of `POST /v1/chat/completions`, streamed or whole. Pure: no I/O is imported here.

An answer counts only with a `finish_reason`. What came before an error is thrown away: half an answer
reads like a whole one.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from bridge.agent.refusals import Dialect, Refusal, reported
from bridge.errors import AgentFailed, AgentUnavailable

ANSWER_LIMIT: Final = 200_000
"""Characters of an answer; what is longer is cut, and says so."""

CUT: Final = "\n\n(The answer was too long for this chat and is cut here.)"

_ANSWERED = frozenset({"stop", "length", "content_filter"})
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Answer:
    """One answer as it comes in."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._parts: list[str] = []
        self._length = 0
        self._finish_reason: str | None = None

    @property
    def finished(self) -> bool:
        """Whether its server has said that it is the whole answer."""
        return self._finish_reason is not None

    @property
    def full(self) -> bool:
        """Whether it has reached its limit, so that nothing more needs to be read."""
        return self._length > ANSWER_LIMIT

    def take_event(self, data: str) -> None:
        """Add what one event of a stream holds; raise `Refusal` when it is an error."""
        if data != "[DONE]" and not self.finished:
            self._take(_decode(data))

    def take_body(self, body: bytes) -> None:
        """Add the whole answer of a server that does not stream; raise `Refusal` when it is none."""
        self._take(_decode(body))

    def text(self) -> str:
        """Return the answer, cleaned; raise `Refusal` unless it is a whole one that says something."""
        if not self.full:
            self._check_finished()
        text = clean("".join(self._parts))
        if not any(character.isprintable() and not character.isspace() for character in text):
            raise Refusal(AgentFailed("The agent's answer is empty."))
        return text[: ANSWER_LIMIT - len(CUT)].rstrip() + CUT if self.full else text

    def _check_finished(self) -> None:
        if self._finish_reason is None:
            raise Refusal(AgentUnavailable("The agent's answer ended without a finish_reason."))
        if self._finish_reason not in _ANSWERED:
            raise Refusal(AgentFailed("The agent ended without an answer."), self._finish_reason[:40])

    def _take(self, payload: Mapping[str, Any]) -> None:
        if payload.get("error"):
            raise reported(payload["error"], self._dialect)
        choice = _first_choice(payload)
        content = _content(choice.get("delta") or choice.get("message"))
        finish_reason = choice.get("finish_reason")
        if isinstance(finish_reason, str) and finish_reason:
            self._finish_reason = finish_reason
            self._check_last(content)
        self._parts.append(content)
        self._length += len(content)

    def _check_last(self, content: str) -> None:
        """Refuse a last piece that is a failure in words.

        Gateways before 2026 reported a failure of their stream as a piece `Error: …` that also
        carried the finish_reason; an answer's own finish_reason comes alone.
        """
        pattern = self._dialect.non_answer
        if pattern is not None and pattern.fullmatch(content):
            raise Refusal(AgentFailed("The agent reported an error in place of an answer."), content[:300])


def clean(text: str) -> str:
    """Return the text without what Mattermost cannot store: control characters and half surrogates.

    JavaScript cuts strings between the halves of a character, and JSON carries them as they are.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROLS.sub("", whole.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _decode(data: str | bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Refusal(AgentFailed("The agent's answer is not the JSON of a chat completion."))
    return payload


def _first_choice(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = payload.get("choices")
    if isinstance(choices, list):
        for choice in choices:
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                return choice
    return {}


def _content(part: Any) -> str:
    """Return the text of a delta or a message: a string, or a list of parts of which some are text."""
    content = part.get("content") if isinstance(part, dict) else None
    if isinstance(content, list):
        texts = [piece.get("text") for piece in content if isinstance(piece, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""
