"""The parts of a chat completion or of one of its chunks, in the forms that servers give them.

Pure: no I/O is imported here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.models.agent import Usage

_HIDDEN_PART = re.compile(r"think|reason|tool", re.IGNORECASE)
_FINISH_KEYS = ("finish_reason", "finishReason", "stop_reason")
_TOOL_KEYS = frozenset({"tool_calls", "toolCalls", "function_call", "functionCall", "tool_call_id"})
_MOST = 1000
"""Choices of a chunk and parts of a text that are looked at."""
_NO_REASON = frozenset({"null", "none"})
"""What some servers write for a null."""
_RUN_ID = re.compile(r"[\w.:-]{1,200}", re.ASCII)
_MODEL = re.compile(r"[!-~]{1,100}")
_PROMPT_KEYS = ("prompt_tokens", "input_tokens")
_COMPLETION_KEYS = ("completion_tokens", "output_tokens")
_MOST_TOKENS = 1 << 40
"""No answer takes that many: such a number says nothing."""
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
    return _said(choice["message"]) if "message" in choice else ""


def finish_reason(choice: Mapping[str, Any]) -> str:
    """Return the finish reason; empty if it has none yet."""
    for key in _FINISH_KEYS:
        if (given := choice.get(key)) and (reason := _word(given)):
            return reason
    return ""


def shows_a_tool(choice: Mapping[str, Any]) -> bool:
    """Return whether the choice is about a tool that is called or has answered."""
    return any(_is_about_a_tool(choice[key]) for key in ("delta", "message") if key in choice)


def run_id_of(payload: Mapping[str, Any]) -> str:
    """Return the server's name of the run; empty if it is none that can be logged."""
    run_id = payload.get("id")
    return run_id if isinstance(run_id, str) and _RUN_ID.fullmatch(run_id) else ""


def model_of(payload: Mapping[str, Any]) -> str:
    """Return the model that answers; empty if the server names none, or nothing that can be a name."""
    model = payload.get("model")
    return model if isinstance(model, str) and _MODEL.fullmatch(model) else ""


def usage_of(payload: Mapping[str, Any]) -> Usage | None:
    """Return the tokens that a chunk reports; None if it reports none."""
    usage = payload.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage, _PROMPT_KEYS), _count(usage, _COMPLETION_KEYS)
    return None if prompt is None and completion is None else Usage(prompt, completion)


def _is_about_a_tool(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    if isinstance(role := part.get("role"), str) and role in _TOOL_ROLES:
        return True
    return not _TOOL_KEYS.isdisjoint(part) and any(part.get(key) for key in _TOOL_KEYS)


def _count(usage: Mapping[str, Any], keys: Sequence[str]) -> int | None:
    counts = (usage.get(key) for key in keys)
    return next((count for count in counts if type(count) is int and 0 <= count < _MOST_TOKENS), None)


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
