"""How findings are shown."""

from bridge.ops.findings import Finding, counted, failed
from bridge.ops.table import lines, values

FOUND = [Finding("Mattermost", "good", "answers"), Finding("bot", "bad", "unknown", "make one")]


def test_a_line_each_and_what_to_do_below() -> None:
    """The columns stand below each other."""
    assert lines(FOUND) == ["✓ Mattermost  answers", "✗ bot         unknown", "              → make one"]


def test_nothing_found_is_no_line() -> None:
    """An empty report is empty."""
    assert lines([]) == []


def test_values_for_machines() -> None:
    """Every field under its name."""
    assert values(FOUND[1:]) == [{"subject": "bot", "mark": "bad", "found": "unknown", "todo": "make one"}]


def test_only_what_is_bad_fails() -> None:
    """Warnings and what is not configured do not."""
    assert failed(FOUND)
    assert not failed([Finding("a", "warning", ""), Finding("b", "absent", "")])
    assert counted(FOUND, "good") == 1
