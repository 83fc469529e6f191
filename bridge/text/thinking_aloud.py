"""Whether an answer begins like reasoning that nobody has marked. Pure: no I/O is imported here.

Servers that begin the reasoning on behalf of their model send only its closing tag. Until an agent is known,
words that models think with are the only sign of that.
"""

import re

_REACH = 300
"""Characters in which a model has said what it is about."""

_BEGINS = re.compile(
    r"\W{0,9}(?:(?:okay|ok|alright|hm+|wait|got it|now|so|well)\b"
    r"(?=[ ,.\u2026]+(?:i|we|the user|let|so|this|they)\b)"
    r"|hm+\b|(?:i|we) (?:need|should|must|have|ought) to\b|i should\b|first, i\b|thinking\b"
    r"|\u55ef|\u7528\u6237|\u8ba9\u6211|\u6211\u9700\u8981|\u9996\u5148\uff0c\u6211|\u597d\u7684\uff0c\u7528\u6237)",
    re.IGNORECASE,
)
_SAYS = re.compile(
    r"\bthe user(?:'s|\u2019s)?\b|\blet(?: me|'s|\u2019s) (?:think|see|recall|consider|figure|start by)\b"
    r"|\bi (?:should|must) (?:look|check|answer|respond|reply|find|say|be|use)\b"
    r"|\bhmm+\b|\bwait, |\breasoning\b|\u7528\u6237",
    re.IGNORECASE,
)


def sounds_like_reasoning(text: str) -> bool:
    """Return whether the beginning of a text may be a model that thinks aloud."""
    beginning = text.lstrip()[:_REACH]
    return _BEGINS.match(beginning) is not None or _SAYS.search(beginning) is not None
