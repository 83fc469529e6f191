"""The doctor: every group of checks, in the order of the report."""

from collections.abc import Collection
from dataclasses import replace

from bridge.config import Settings
from bridge.ops.doctor import (
    accounts,
    asking,
    browser,
    buttons,
    control,
    daemon,
    outside,
    server,
    sign_in,
    stored,
    teams,
)
from bridge.ops.doctor.checks import Check
from bridge.ops.doctor.context import Context
from bridge.ops.findings import Finding

_GROUPS = (
    server.checks,
    accounts.checks,
    browser.checks,
    sign_in.checks,
    buttons.checks,
    teams.checks,
    daemon.checks,
    stored.checks,
    control.checks,
    outside.checks,
    asking.checks,
)
"""A new check goes into the list of its group."""

_OURS = ("MATTERMOST_", "EQUA_", "BRIDGE_")
"""Prefixes of variable names that are meant for the bridge."""


def checks(context: Context) -> list[Check]:
    found = [check for group in _GROUPS for check in group(context)]
    return [replace(check, deadline=check.deadline or context.seconds) for check in found]


def configuration(names: Collection[str]) -> Finding:
    """Report names of the environment that are probably misspelt."""
    known = {name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in names if name.startswith(_OURS) and name not in known)
    if unknown:
        todo = "correct or remove them: `equabot-bridge` does not read them"
        return Finding("configuration", "warning", f"unknown: {', '.join(unknown)}", todo)
    number = len(known.intersection(names))
    return Finding(
        "configuration", "good", f"{number} {'variable is' if number == 1 else 'variables are'} set"
    )
