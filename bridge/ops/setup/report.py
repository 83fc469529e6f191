"""The output of setup: tokens to standard output or into a file, everything else to standard error."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bridge.ops import table
from bridge.ops.findings import Finding, counted, failed
from bridge.ops.setup import env_file


@dataclass(frozen=True, slots=True)
class Report:
    as_json: bool
    """True prints everything as one JSON object on standard output."""
    file: Path | None
    """The file that gets the tokens, which are then not printed."""
    findings: list[Finding] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def keep(self, variable: str, token: str) -> None:
        """Print or store a new token at once, before anything else can fail."""
        if self.file:
            env_file.write(self.file, {variable: token})
        elif self.as_json:
            self.tokens[variable] = token
        else:
            print(f"{variable}={token}", flush=True)  # noqa: T201  # the command's output

    def add(self, findings: Iterable[Finding]) -> None:
        self.findings.extend(findings)

    def summarize(self) -> None:
        """Add a last line with the number of changes."""
        changed, planned = counted(self.findings, "changed"), counted(self.findings, "planned")
        line = "Nothing was changed." if failed(self.findings) else "Nothing had to be changed."
        if changed or planned:
            line = f"{changed} changed." if changed else f"{planned} would be changed."
        if failed(self.findings):
            line += " Not ready: see ✗ above."
        self.findings.append(Finding("result", "warning" if failed(self.findings) else "good", line))

    def close(self) -> None:
        """Print the report, also after a failure, so that no new token is lost."""
        if self.as_json:
            shown = {"findings": table.values(self.findings), "tokens": self.tokens}
            print(json.dumps(shown, ensure_ascii=False, indent=2))  # noqa: T201  # a command prints
        elif self.findings:
            print(*table.lines(self.findings), sep="\n", file=sys.stderr)  # noqa: T201  # a command prints
