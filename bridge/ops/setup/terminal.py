"""Questions to whoever sits at the terminal. They go to standard error: standard output may hold tokens."""

import sys


def ask(question: str) -> str:
    """Return the answer; empty if nobody is there to give one."""
    if not sys.stdin.isatty():
        return ""
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201  # a command asks
    return sys.stdin.readline().strip()


def agrees(question: str) -> bool:
    return ask(question).lower() in ("y", "yes")
