"""PowerPoint: the texts of each slide and its notes."""

from collections.abc import Iterable, Iterator
from typing import Any

import pptx
from pptx.util import Length

from bridge.documents.parsers.office import checked, rows


def read(data: bytes) -> Iterator[str]:
    """Yield the texts of each slide and its notes."""
    for number, slide in enumerate(pptx.Presentation(checked(data)).slides, 1):
        yield f"Slide {number}:\n"
        yield from _shapes(slide.shapes)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame):
            yield f"Notes: {notes.text}\n"
        yield "\n"


def _shapes(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in sorted(shapes, key=_position):
        if shape.has_text_frame and shape.text_frame.text.strip():
            yield f"{shape.text_frame.text}\n"
        elif getattr(shape, "has_table", False):
            yield from rows([cell.text for cell in row.cells] for row in shape.table.rows)
        elif hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)


def _position(shape: Any) -> tuple[Length, Length]:
    return shape.top or Length(0), shape.left or Length(0)
