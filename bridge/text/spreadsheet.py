"""Rows as CSV (RFC 4180) that no spreadsheet takes for formulas. Pure: no I/O is imported here."""

import csv
import io
from collections.abc import Iterable

_BEGINS_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  # the wide ones count too
"""From the list of OWASP, "CSV Injection"."""


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Return the lines of the rows; a cell that looks like a formula gets an apostrophe in front."""
    text = io.StringIO()
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ")[:1] in _BEGINS_FORMULA and cell.strip(" ") else cell
