"""Recognize the cause of an error by the words that servers use for it. Pure: no I/O is imported here.

Their words are surer than their status: a thread that is too long is a 400, 413, 422 or 500, and a plan
without quota is a 429 like any moment of haste.
"""

import re
from collections.abc import Sequence
from typing import Literal

from bridge.agent.error_reports import ErrorReport

Cause = Literal["quota", "rate", "too_long", "policy", "access", "model"]

_HARD_QUOTA = r"insufficient.(quota|balance|credit|fund)|payment.required|out of credit|credit balance|arrear"
_RATE = r"rate.?limit|too.many.requests|per.minute|\b[tr]pm\b|(retry|try again) in \d"
_SOFT_QUOTA = r"billing|budget|quota.(exceeded|exhausted)|(exceeded|out of) your (\w+ )*quota"
_TOO_LONG = (
    r"context.?(length|size|window|limit|overflow)|exceed_context"
    r"|(prompt|inputs?|messages?|conversation|request|payload|body)\b.{0,80}?\b(too|so) (long|large|big|many)"
    r"|too many (input |prompt |total )*tokens|exceed\w* .{0,80}?(token|context|(input|prompt|max\w*) length)"
    r"|max\w* (allowed )?(prompt|input|context|sequence|model) (length|size|tokens)"
    r"|tokens?\b.{0,80}?(must be <=|must be less|more than|larger than|greater than|limit of)|tokens? limit"
    r"|(input|prompt) length should be|reduce (the|your) (length|size|prompt|input|message)"
    r"|(less|fewer) than \d+ (\w+ )?tokens|(input|prompt)_too_(large|long)|string_above_max"
)
_POLICY = (
    r"content_?(filter|policy)|policy_?violation|responsible_?ai|moderation|invalid_prompt|data_?inspection"
    r"|prohibited|flagged|content (management )?(polic|filter|safety)|safety|usage polic|inappropriate"
    r"|guardrail|sensitive.(content|info|word)"
)
_ACCESS = (
    r"\b(invalid|incorrect|missing|wrong|expired|no)\b.{0,20}(api.?key|token\b|credential)|api.?key not valid"
    r"|auth(entication|orization)(_?error|_?failed| failed| required)|unauth(enticated|orized)|access.denied"
    r"|permission_(denied|error)"
)
_MODEL = (
    r"(model|deployment|agent|engine)s?\b.{0,120}?(not.?found|(not|n.t).exist|not available|unknown)"
    r"|(unknown|invalid|no such|unsupported|unrecognized) .?(model|agent|deployment|engine)"
    r"|(model|deployment).?not.?found|unknown_model|invalid_model"
)

_CAUSES: Sequence[tuple[Cause, re.Pattern[str]]] = [
    ("quota", re.compile(_HARD_QUOTA)),
    ("too_long", re.compile(r"(request|payload)[ _]too[ _]large")),
    ("rate", re.compile(_RATE)),
    ("quota", re.compile(_SOFT_QUOTA)),
    ("too_long", re.compile(_TOO_LONG)),
    ("policy", re.compile(_POLICY)),
    ("access", re.compile(_ACCESS)),
    ("model", re.compile(_MODEL)),
]
"""The first that is found counts."""

_BY_STATUS: dict[int, Cause] = {401: "access", 402: "quota", 403: "access", 413: "too_long"}


def cause(report: ErrorReport, status: int | None) -> Cause | None:
    """Return the cause of an error; None if its words and its status leave it in doubt."""
    words = report.words
    found = next((name for name, pattern in _CAUSES if pattern.search(words)), None)
    if status in _BY_STATUS and found not in ("quota", "model"):
        return _BY_STATUS[status]
    if status == 429 and found != "quota":
        return "rate"
    # A server in trouble also says that a model is not available.
    if status is not None and status >= 500 and found in ("access", "model"):
        return None
    return found
