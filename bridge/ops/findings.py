"""A finding: one line of the report for operators. Pure: no I/O is imported here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Mark = Literal["good", "changed", "planned", "warning", "bad", "absent"]
"""`changed` and `planned`: what setup did or would do. `absent`: something that is not configured."""


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    mark: Mark
    found: str
    todo: str = ""
    """Advice to the operator; never empty where the mark is `bad`."""


def failed(findings: Iterable[Finding]) -> bool:
    """Return whether any finding is bad."""
    return any(finding.mark == "bad" for finding in findings)


def counted(findings: Iterable[Finding], mark: Mark) -> int:
    return sum(finding.mark == mark for finding in findings)
