"""Lists of kinds of jobs for statements. Which kinds they hold stands in `bridge/models/jobs.py` alone."""

from collections.abc import Iterable

from bridge.models import jobs
from bridge.models.jobs import JobKind


def _quoted(kinds: Iterable[JobKind]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


ASKING = f"({_quoted(jobs.ASKING)})"
"""Stands behind `in`."""
NEED_TEAM = f"array[{_quoted(jobs.NEED_TEAM)}]"
