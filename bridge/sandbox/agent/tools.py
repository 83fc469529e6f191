"""What the sandbox's agent does for which people are asked: it pays, and it wants to know which.

Without anybody on the gateway's websocket nobody can approve; a question is then not asked at all, where a
real gateway is silent until it expires.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.sandbox.agent.control import Control
from bridge.sandbox.agent.knowledge import Organization, answer

_PAY = re.compile(r"\bpay\b", re.IGNORECASE)
_WHICH = re.compile(r"\bwhich\b", re.IGNORECASE)
_AMOUNT = re.compile(r"\$?\d[\d,.]*")

_OPTIONS: Mapping[str, str] = {
    "The team": "who is on our team?",
    "The shares": "who holds how many shares?",
    "The documents": "what documents are there?",
}
"""What can be chosen, and the question that is answered then."""

SPOKEN = {
    "allow-once": "Done: I have paid {amount}.",
    "deny": "I have not paid: it was not approved.",
    "no-route": "I have not paid: nobody can approve it here.",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the agent."""

    id: str
    key: str
    """The session key as the gateway stores it."""


async def used(control: Control, run: Run, organization: Organization, asked: str) -> str | None:
    """Return the answer to a question that takes a tool; None for any other question."""
    if _PAY.search(asked):
        return await _pay(control, run, organization, asked)
    if _WHICH.search(asked) and control.connected:
        return await _ask_which(control, run, organization)
    return None


async def _pay(control: Control, run: Run, organization: Organization, asked: str) -> str:
    found = _AMOUNT.search(asked)
    amount = found[0].rstrip(".,") if found else "100"
    request = {
        "pluginId": "equa",
        "title": f"Pay {amount}",
        "description": f"Pay {amount} out of the account of {organization.name}.",
        "scope": None,
        "detail": None,
        "severity": "critical",
        "toolName": "equa_pay",
        "toolCallId": f"call_{run.id[-8:]}",
        "allowedDecisions": ["allow-once", "deny"],
    }
    decision = await control.approval(run.key, run.id, request)
    return SPOKEN[decision].format(amount=amount)


async def _ask_which(control: Control, run: Run, organization: Organization) -> str:
    question = {
        "questionId": "about",
        "header": "About",
        "question": "What would you like to hear about?",
        "options": [{"label": label} for label in _OPTIONS],
        "isOther": True,
    }
    end = await control.question(run.key, run.id, [question])
    if end["status"] != "answered":
        return "Then I leave it at that."
    chosen = end["answers"]["answers"]["about"][0]
    return answer(organization, _OPTIONS.get(chosen, chosen))
