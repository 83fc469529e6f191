"""Excel: each sheet as CSV."""

from collections.abc import Iterator

import openpyxl

from bridge.documents.parsers.office import checked, rows


def read(data: bytes) -> Iterator[str]:
    """Yield each sheet as CSV under its name; of formulas the values that were stored with them."""
    book = openpyxl.load_workbook(checked(data), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        yield f"Sheet {sheet.title}:\n"
        sheet.reset_dimensions()  # what a file says about its size may be wrong
        yield from rows(sheet.iter_rows(values_only=True))
        yield "\n"
