"""A private file of `NAME=value` lines that holds tokens, in the form of compose's `env_file`."""

import re
from collections.abc import Mapping
from pathlib import Path

from bridge import private_file
from bridge.errors import StartupError

_LINE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")


def read(path: Path) -> dict[str, str]:
    """Return the variables of the file; an empty dict if there is no file. Raises `StartupError`."""
    return {name: value for name, value in map(_parsed, _lines(path)) if name}


def write(path: Path, values: Mapping[str, str]) -> None:
    """Set variables and keep all other lines. The file is replaced atomically and has mode 0600.

    Raises `StartupError`.
    """
    kept = [line for line in _lines(path) if _parsed(line)[0] not in values]
    text = "".join(f"{line}\n" for line in [*kept, *(f"{name}={value}" for name, value in values.items())])
    try:
        private_file.replace(path, text)
    except OSError as error:
        raise _unusable(path, error) from None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from None


def _parsed(line: str) -> tuple[str, str]:
    match = _LINE.fullmatch(line.strip())
    return (match[1], match[2]) if match else ("", "")


def _unusable(path: Path, error: Exception) -> StartupError:
    reason = error.strerror if isinstance(error, OSError) else type(error).__name__
    return StartupError(f"The file {path} cannot be used: {reason}.")
