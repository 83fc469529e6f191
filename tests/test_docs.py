"""The documents agree with the program."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli import parser
from bridge.config import Settings, load
from bridge.events.types import TYPES
from handlers.http.app import ROUTES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
API = (ROOT / "handlers" / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
VARIABLES = {name.upper() for name in Settings.model_fields}

MADE = {".git", "node_modules", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split())}
"""What is no part of the repository."""

INDEXES = (
    r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|crates\.io|proxy\.golang\.org|(?<!no-emit-)index-url[ =]"
)
ELSEWHERE = r"/work\b/|shared\b/facts"
UNFINISHED = r"\b(TO[D]O|FI[X]ME|X[X]X)\b"
NUMBERED = r"(?<!&)#\d{2,5}\b|\bissues/\d+"


def files(pattern: str) -> Iterator[Path]:
    """Yield the repository's own files."""
    for path in sorted(ROOT.rglob(pattern)):
        if path.is_file() and MADE.isdisjoint(path.relative_to(ROOT).parts):
            yield path


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def section(document: str, title: str) -> str:
    return document.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def headings(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ +(.*)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def example() -> dict[str, str]:
    """Return the variables of the example with their values."""
    text = (ROOT / "deploy" / "bridge.env.example").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def documented() -> dict[str, str]:
    """Return the variables of the README's table with their defaults, "" where there is no fixed one."""
    defaults: dict[str, str] = {}
    for row in re.findall(r"^\| (`[A-Z].*?) \| (.*?) \|", section(README, "Configuration"), re.MULTILINE):
        names, values = (re.findall(r"`([^`]+)`", cell) for cell in row)
        fixed = [value for value in values if value not in VARIABLES]
        defaults |= dict(zip(names, fixed or [""] * len(names), strict=True))
    return defaults


def test_the_readme_fits_into_a_window() -> None:
    assert [line for line in README.splitlines() if len(line) > 120] == []


def test_the_readme_has_every_variable() -> None:
    """The table of the README and the settings are the same set."""
    assert documented().keys() == VARIABLES


def test_the_readme_has_every_default() -> None:
    """The table and the example agree, and the example is the default configuration."""
    assert documented() == example()


def test_the_example_has_every_variable_with_its_default() -> None:
    """As it stands it is a configuration, and it is the default one."""
    assert example().keys() == VARIABLES
    assert load(example()) == load({})


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_default_is_what_one_would_write(name: str) -> None:
    """Writing a variable's default out changes nothing, and there is one unless it counts as unset."""
    default = Settings.model_fields[name.lower()].default
    has_one = default not in (None, ()) and name != "BRIDGE_DATA_DIR"

    assert bool(example()[name]) == has_one
    assert load({name: example()[name]}) == load({})


@pytest.mark.parametrize("name", list(commands(parser())))
def test_the_readme_has_every_command(name: str) -> None:
    """With the name by which it is called, and all that can stand behind that."""
    row = re.search(rf"^\| `equabot-bridge {name}\b.*$", README, re.MULTILINE)

    assert row
    actions = commands(commands(parser())[name])
    assert [action for action in actions if not re.search(rf"[` ]{action}\b", row[0])] == []


def test_the_readmes_commands_can_be_run() -> None:
    """Each that is written out is one that the program has, with these options."""
    lines = re.findall(r"(?:^|`|/)equabot-bridge ([^`\n#]+)", README, re.MULTILINE)

    assert len(lines) >= len(commands(parser()))
    for line in lines:
        parser().parse_args(shlex.split(line))


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method != "OPTIONS"], ids=lambda route: route.path
)
def test_the_api_document_has_every_route(route: object) -> None:
    """With its method; preflights are no routes of their own."""
    assert f"`{getattr(route, 'method', '')} {getattr(route, 'path', '')}" in section(API, "Routes")


def test_the_api_document_has_no_other_routes() -> None:
    """Every route in the document is served."""
    rows = re.findall(r"^\| (`(?:GET|POST|PUT|DELETE) /.*?) \|", section(API, "Routes"), re.MULTILINE)
    named = {found for row in rows for found in re.findall(r"`([A-Z]+) (/[^\s`?]*)", row)}

    assert named == {(route.method, route.path) for route in ROUTES if route.method != "OPTIONS"}


def test_the_api_document_has_every_type_of_event() -> None:
    """Each with its row, and no other."""
    assert set(re.findall(r"^\| `(cc\.[a-z.]+)` \|", API, re.MULTILINE)) == set(TYPES)


def test_make_has_every_target_that_the_documents_name() -> None:
    """In the README and for contributors."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README + CONTRIBUTING, re.MULTILINE))

    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("document", list(files("*.md")), ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link leads to a file of the repository, and to a heading in it if it names one."""
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text()))
    wrong = []
    for link in links:
        target, _, heading = link.partition("#")
        path = document.parent / target if target else document
        if re.match(r"[a-z]+:", link):
            continue
        if not path.exists() or (heading and heading not in headings(path.read_text())):
            wrong.append(link)

    assert wrong == []


def matches(pattern: str, path: Path) -> list[str]:
    """Return where a text file says what it should not; a file that is no text says nothing."""
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return []
    found = ((number, re.search(pattern, line)) for number, line in enumerate(lines, 1))
    return [f"{name_of(path)}:{number}: {match[0]}" for number, match in found if match]


@pytest.mark.parametrize("pattern", [INDEXES, ELSEWHERE, UNFINISHED])
def test_nothing_is_said_that_belongs_elsewhere(pattern: str) -> None:
    """No package index is fixed, no path of some machine is named, and nothing is left for later."""
    assert [found for path in files("*") for found in matches(pattern, path)] == []


@pytest.mark.parametrize("kind", ["*.py", "*.md", "*.sql", "*.toml", "Makefile"])
def test_reasons_are_told_and_not_numbered(kind: str) -> None:
    """Whoever reads this has no tracker at hand."""
    assert [found for path in files(kind) for found in matches(NUMBERED, path)] == []
