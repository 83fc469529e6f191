"""What setup tells, and where: tokens to standard output or into a file, the rest to standard error."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bridge.ops import env_file, table
from bridge.ops.findings import Finding, counted, failed


@dataclass(frozen=True, slots=True)
class Report:
    as_json: bool
    """Whether all of it is one JSON object on standard output."""
    file: Path | None
    """Keeps the tokens, which are then told to nobody."""
    findings: list[Finding] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def keep(self, variable: str, token: str) -> None:
        """Take a new token out of the process, before anything else can go wrong."""
        if self.file:
            env_file.write(self.file, {variable: token})
        elif self.as_json:
            self.tokens[variable] = token
        else:
            print(f"{variable}={token}", flush=True)  # noqa: T201  # what the command is for

    def add(self, findings: Iterable[Finding]) -> None:
        self.findings.extend(findings)

    def summarize(self) -> None:
        """Say in one line what was done."""
        changed, planned = counted(self.findings, "changed"), counted(self.findings, "planned")
        line = "Nothing was changed." if failed(self.findings) else "Nothing had to be changed."
        if changed or planned:
            line = f"{changed} changed." if changed else f"{planned} would be changed."
        if failed(self.findings):
            line += " Not ready: see ✗ above."
        self.findings.append(Finding("result", "warning" if failed(self.findings) else "good", line))

    def close(self) -> None:
        """Tell everything, also after a failure: a token that was made is not lost."""
        if self.as_json:
            shown = {"findings": table.values(self.findings), "tokens": self.tokens}
            print(json.dumps(shown, ensure_ascii=False, indent=2))  # noqa: T201  # a command prints
        elif self.findings:
            print(*table.lines(self.findings), sep="\n", file=sys.stderr)  # noqa: T201  # a command prints
