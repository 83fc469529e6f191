"""PDF: the text of each page."""

import io
from collections.abc import Iterator

from pypdf import PdfReader

from bridge.documents.parsers.unreadable import Unreadable


def read(data: bytes) -> Iterator[str]:
    """Yield the text of each page."""
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("protected")
    for page in reader.pages:
        yield page.extract_text() + "\n\n"
