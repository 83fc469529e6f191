"""Format findings as lines for people and as values for JSON. Pure: no I/O is imported here."""

from collections.abc import Iterable, Mapping, Sequence

from bridge.ops.findings import Finding, Mark

SIGNS: Mapping[Mark, str] = {
    "good": "✓",
    "changed": "+",
    "planned": "~",
    "warning": "!",
    "bad": "✗",
    "absent": "-",
}


def lines(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each finding, followed by a line for its advice."""
    width = max((len(finding.subject) for finding in findings), default=0)
    return [line for finding in findings for line in _lines(finding, width)]


def values(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [
        {"subject": each.subject, "mark": each.mark, "found": each.found, "todo": each.todo}
        for each in findings
    ]


def _lines(finding: Finding, width: int) -> list[str]:
    line = f"{SIGNS[finding.mark]} {finding.subject:<{width}}  {finding.found}"
    return [line, f"{'':<{width + 4}}→ {finding.todo}"] if finding.todo else [line]
