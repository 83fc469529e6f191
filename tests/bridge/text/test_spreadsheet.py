"""CSV that a spreadsheet shows as it is."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.text.spreadsheet import csv_text


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@A", "\t=1", "\r=1", "\n=1", "＝1", "  =1", "-"])  # noqa: RUF001
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert next(csv.reader(io.StringIO(csv_text([[cell]]), newline=""))) == [f"'{cell}"]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4), max_size=4))
def test_every_cell_can_be_read_again(rows: list[list[str]]) -> None:
    """Whatever is in it, apart from the apostrophe in front."""
    read = list(csv.reader(io.StringIO(csv_text(rows), newline="")))

    assert len(read) == len(rows)
    for row, again in zip(rows, read, strict=True):
        assert [cell.removeprefix("'") for cell in row] == [cell.removeprefix("'") for cell in again]
