"""What the files under deploy/ say, read as those who use them do."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import yaml
from opentelemetry.sdk import environment_variables
from pydantic import SecretStr

from bridge.config import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

VARIABLES = frozenset(name.upper() for name in Settings.model_fields)
"""Of the bridge."""

TRACES = frozenset(name for name in vars(environment_variables) if name.startswith("OTEL_"))
"""OpenTelemetry's own, which its SDK reads by itself."""


def documents(path: Path) -> list[Any]:
    """Return all documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text()))


def env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file as Docker's `--env-file` has them: no quotes, no expansion."""
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def secrets() -> frozenset[str]:
    """Return the bridge's variables that hold a secret."""
    fields = Settings.model_fields.items()
    return frozenset(name.upper() for name, field in fields if SecretStr in _types(field.annotation))


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)
    if isinstance(annotation, UnionType):
        yield from annotation.__args__


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile with their arguments, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return [(name.upper(), arguments.strip()) for name, arguments in pairs]


def interpolated(value: Any, environ: Mapping[str, str] | None = None) -> Any:
    """Fill `${NAME:-default}`, also in a default, and `$$` in everything below, as Compose does."""
    given = environ or {}
    match value:
        case str():
            return _filled(value, given).replace("$$", "$")
        case dict():
            return {key: interpolated(each, environ) for key, each in value.items()}
        case list():
            return [interpolated(each, environ) for each in value]
    return value


def _filled(text: str, given: Mapping[str, str]) -> str:
    """Fill the innermost holes until there are none."""
    filled = re.sub(r"(?<!\$)\$\{(\w+):-([^{}]*)\}", lambda hole: given.get(hole[1]) or hole[2], text)
    return filled if filled == text else _filled(filled, given)
