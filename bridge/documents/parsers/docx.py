"""Word: paragraphs and tables in their order."""

from collections.abc import Iterator

import docx
from docx.table import Table

from bridge.documents.parsers.office import checked, rows


def read(data: bytes) -> Iterator[str]:
    """Yield paragraphs and tables in their order."""
    for block in docx.Document(checked(data)).iter_inner_content():
        if isinstance(block, Table):
            yield from rows([cell.text for cell in row.cells] for row in block.rows)
        else:
            yield f"{block.text}\n"
