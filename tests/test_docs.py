"""What the documents say is what the program has."""

import re
from pathlib import Path

import pytest

from bridge.cli import parser
from bridge.config import Settings, load
from handlers.app import ROUTES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / "deploy" / "bridge.env.example").read_text()
VARIABLES = {name.upper() for name in Settings.model_fields}
DOCUMENTS = [
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
]


def test_the_readme_has_every_variable() -> None:
    """The table of the README and the settings are the same set."""
    table = README.split("## Configuration")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}

    assert told == VARIABLES


def test_the_example_has_every_variable_with_its_default() -> None:
    """As it stands it is a configuration, and it is the default one."""
    pairs = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if line and not line.startswith("#"))

    assert set(pairs) == VARIABLES
    assert load(pairs) == load({})


def test_the_readme_has_every_command() -> None:
    """With the name by which it is called."""
    commands = next(action.choices for action in parser()._actions if action.dest == "command")
    assert commands

    assert [name for name in commands if f"`equabot-bridge {name}" not in README] == []


def test_the_readme_has_every_route() -> None:
    """Preflights apart, which are no route of their own."""
    told = README.replace("…/{job}", "")
    paths = {route.path for route in ROUTES if route.method != "OPTIONS"}

    assert sorted(path for path in paths if path not in told) == []


def test_make_has_what_the_readme_calls() -> None:
    """Every `make target` that is named."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)`", README, re.MULTILINE)) <= {
        *((target, "") for target in targets),
        *(("", target) for target in targets),
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of a document is a file of the repository."""
    links = re.findall(
        r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    )
    relative = [link for link in links if not re.match(r"[a-z]+:", link)]

    assert [link for link in relative if not (document.parent / link).exists()] == []
