"""What an operator is told, a line each. Pure: no I/O is imported here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Mark = Literal["good", "changed", "planned", "warning", "bad", "absent"]
"""`changed` and `planned` are of what setup does and would do; `absent` is what is not configured."""


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    mark: Mark
    found: str
    todo: str = ""
    """What the operator can do; never empty where the mark is `bad`."""


def failed(findings: Iterable[Finding]) -> bool:
    """Tell whether something has to be mended."""
    return any(finding.mark == "bad" for finding in findings)


def counted(findings: Iterable[Finding], mark: Mark) -> int:
    return sum(finding.mark == mark for finding in findings)
