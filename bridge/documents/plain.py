"""Read a file of plain text. Pure: no I/O is imported here."""

import codecs

from bridge.documents.results import LONGEST_TEXT, Failure, Text

_BYTES = 4 * LONGEST_TEXT
"""No more are needed: a character has up to four."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_plain(data: bytes) -> Text | Failure:
    """Return the text, in whatever encoding a spreadsheet or an editor writes it; "broken" for no text."""
    beginning = data[:_BYTES]
    text = _decoded(beginning)
    if text is None:
        return "broken"
    if not text.strip():
        return "empty"
    is_cut = len(text) > LONGEST_TEXT or len(beginning) < len(data)
    return Text(text[:LONGEST_TEXT], is_cut=is_cut)


def _decoded(data: bytes) -> str | None:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if encoding:
        return data.decode(encoding, "replace")
    if b"\x00" in data:
        return None
    try:
        # The last character may be cut.
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
