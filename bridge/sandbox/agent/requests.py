"""A call of chat completions, and the gateway's reasons to refuse it. Pure: no I/O is imported here."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bridge.sandbox.agent.faults import Status

_RESERVED_KEYS = ("cron:", "subagent:", "acp:")


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it arrived; header names are in lower case."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]
    product: str

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        messages = self.body.get("messages")
        return (
            [message for message in messages if isinstance(message, dict)]
            if isinstance(messages, list)
            else []
        )

    @property
    def said(self) -> list[str]:
        """The person's messages, the question last."""
        return [text for text in map(_text, self.messages) if text]

    @property
    def text(self) -> str:
        return self.said[-1]

    @property
    def model(self) -> str:
        return str(self.body.get("model", self.product))

    @property
    def wants_usage(self) -> bool:
        """Whether a streamed answer is to end with the number of its tokens."""
        options = self.body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True

    @property
    def session_key(self) -> str:
        return self._own("session-key")

    @property
    def agent_id(self) -> str:
        """The id of the agent that is asked; the header wins over the model."""
        return self._own("agent-id") or "".join(re.split("[:/]", self.model)[1:]) or "main"

    @property
    def organization_id(self) -> UUID | None:
        try:
            return UUID(self.headers.get("x-equa-organization", ""))
        except ValueError:
            return None

    def _own(self, name: str) -> str:
        return self.headers.get(f"x-{self.product}-{name}", "").lower()


def decode(body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object of a body; None if it is something else."""
    try:
        payload = json.loads(body)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def invalid(call: Call, agents: Collection[str]) -> Status | None:
    """Return the gateway's refusal of a call; None if it accepts the call."""
    if not call.said:
        return bad_request("Missing user message in `messages`.")
    if re.split("[:/]", call.model)[0] not in {call.product, "agent"}:
        return bad_request(f"Invalid `model`. Use `{call.product}` or `{call.product}/<agentId>`.")
    if call.agent_id not in agents:
        return bad_request(f"Unknown agent '{call.agent_id}'.")
    if call.session_key.startswith(_RESERVED_KEYS):
        return bad_request(f"`x-{call.product}-session-key` cannot use reserved internal session namespaces.")
    return None


def bad_request(sentence: str) -> Status:
    return Status(400, json.dumps({"error": {"message": sentence, "type": "invalid_request_error"}}))


def _text(message: Mapping[str, Any]) -> str:
    """Return the text of a person's message; empty for other roles."""
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content.strip() if message.get("role") == "user" and isinstance(content, str) else ""
