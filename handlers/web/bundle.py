"""A script together with what it imports, as the one file that browsers load.

One file, because browsers keep files for minutes: of several, some might be those of the version before.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\./[^"]+|\.\./[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const)\b)", re.MULTILINE)


def bundled(script: Path) -> str:
    """Return the script after its parts, each once and behind its own.

    All of them share one scope: no two may declare the same name, nor may an import rename one.
    """
    *parts, entry = dict.fromkeys(_in_order(script))
    return "\n".join([*(_EXPORT.sub("", _own(part)) for part in parts), _own(entry)])


def _in_order(script: Path) -> Iterator[Path]:
    for name in _IMPORT.findall(script.read_text()):
        yield from _in_order((script.parent / name).resolve())
    yield script


def _own(script: Path) -> str:
    return _IMPORT.sub("", script.read_text())
