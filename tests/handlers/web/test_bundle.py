"""A script and its parts become one file."""

import re
from pathlib import Path

from handlers.web.assets import assets
from handlers.web.bundle import bundled

ENTRY = """import { twice } from "./parts/twice.js";
import { ONE } from "./parts/one.js";

export { ONE };
export class Sum {}
"""
TWICE = """// Doubles.

import {
  ONE,
  two,
} from "./one.js";

export const twice = (number) => number * two();
"""
ONE = "export const ONE = 1;\nexport async function two() {}\nfunction own() {}\n"


def test_each_part_comes_once_before_what_imports_it(tmp_path: Path) -> None:
    """Only what the script itself exports is exported."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "sum.js").write_text(ENTRY)
    (tmp_path / "parts/twice.js").write_text(TWICE)
    (tmp_path / "parts/one.js").write_text(ONE)
    code = bundled(tmp_path / "sum.js")

    assert re.findall(r"^(?:export )?(?:async )?(?:const|function|class) \w+", code, re.MULTILINE) == [
        "const ONE",
        "async function two",
        "function own",
        "const twice",
        "export class Sum",
    ]
    assert "import" not in code
    assert "export { ONE };" in code


def test_no_served_script_needs_another() -> None:
    """So a browser never mixes those of two versions."""
    scripts = {name: asset.body.decode() for name, asset in assets().items() if name.endswith(".js")}

    assert scripts
    assert [name for name, code in scripts.items() if re.search(r"^\s*import\b", code, re.MULTILINE)] == []


def test_no_two_parts_declare_the_same_name() -> None:
    """They share one scope."""
    for asset in assets().values():
        declared = re.findall(
            r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)", asset.body.decode(), re.MULTILINE
        )
        if asset.name.endswith(".js"):
            assert sorted(set(declared)) == sorted(declared), asset.name
