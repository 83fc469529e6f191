"""The parts of a chat completion or of one of its chunks, in the forms that servers give them.

Pure: no I/O is imported here.
"""

import re
from collections.abc import Mapping
from typing import Any

_HIDDEN_PART = re.compile(r"think|reason|tool", re.IGNORECASE)
_FINISH_KEYS = ("finish_reason", "finishReason", "stop_reason")
_TOOL_KEYS = ("tool_calls", "toolCalls", "function_call", "functionCall", "tool_call_id")
_MOST = 1000
"""Choices of a chunk and parts of a text that are looked at."""
_NO_REASON = frozenset({"null", "none"})
"""What some servers write for a null."""
_TOOL_ROLES = frozenset({"tool", "function"})


def first_choice(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the choice of index 0; empty for chunks without choices, which report the usage."""
    choices = payload.get("choices")
    if isinstance(choices, list):
        for choice in choices[:_MOST]:
            if isinstance(choice, dict) and choice.get("index") in (0, None, "0"):
                return choice
    return {}


def piece_of(choice: Mapping[str, Any]) -> str:
    """Return the text that a chunk adds."""
    text = choice.get("text")
    return _said(choice.get("delta")) + (text if isinstance(text, str) else "")


def snapshot_of(choice: Mapping[str, Any]) -> str:
    """Return the whole text so far, if the choice has it: in `message` instead of `delta`."""
    return _said(choice.get("message"))


def finish_reason(choice: Mapping[str, Any]) -> str:
    """Return the finish reason; empty if it has none yet."""
    return next((reason for key in _FINISH_KEYS if (reason := _word(choice.get(key)))), "")


def shows_a_tool(choice: Mapping[str, Any]) -> bool:
    """Return whether the choice is about a tool that is called or has answered."""
    parts = [part for key in ("delta", "message") if isinstance(part := choice.get(key), dict)]
    return any(part.get("role") in _TOOL_ROLES or any(part.get(key) for key in _TOOL_KEYS) for part in parts)


def _word(reason: Any) -> str:
    """Return a finish reason as a word; a few servers wrap it as `{"type": "stop"}`."""
    if isinstance(reason, dict):
        reason = reason.get("type")
    return reason if isinstance(reason, str) and reason.lower() not in _NO_REASON else ""


def _said(part: Any) -> str:
    """Return the text of a delta or a message; a refusal is what the agent says as well."""
    if not isinstance(part, dict):
        return part if isinstance(part, str) else ""
    refusal = part.get("refusal")
    return _text(part.get("content")) + (refusal if isinstance(refusal, str) else "")


def _text(content: Any) -> str:
    """Return the text of a content: a string, or parts of which some are text."""
    match content:
        case str():
            return content
        case list():
            return "".join(map(_text, content[:_MOST]))
        case {"type": str(kind)} if _HIDDEN_PART.search(kind):
            return ""
        case {"text": str(text)} | {"text": {"value": str(text)}} | {"refusal": str(text)}:
            return text
        case _:
            return ""
