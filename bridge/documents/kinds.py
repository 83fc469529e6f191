"""Which files can be read, and how large they may be. Pure: no I/O is imported here."""

from typing import Literal

Parsed = Literal["pdf", "docx", "xlsx", "pptx", "image"]
"""What somebody else's library reads: in a process of its own."""

Kind = Parsed | Literal["text"]

LARGEST_IMAGE = 10 << 20
"""Bytes; a gateway takes no larger one (openclaw 2026.9)."""
LARGEST_DOCUMENT = 20 << 20
"""Bytes."""

_PARSED: dict[str, Parsed] = {
    "pdf": "pdf",
    "docx": "docx",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "pptx": "pptx",
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "bmp"), "image"),
}
_TEXT = frozenset(
    (
        *("txt", "text", "md", "markdown", "rst", "tex", "log", "srt", "vtt", "ics", "vcf"),
        *("csv", "tsv", "json", "jsonl", "ndjson", "html", "htm", "xml", "yaml", "yml", "toml", "ini", "cfg"),
        *("conf", "sql", "py", "js", "ts", "jsx", "tsx", "css", "java", "c", "h", "cpp", "cs", "go", "rs"),
        *("rb", "php", "sh", "ps1", "swift", "kt", "diff", "patch"),
    )
)
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/x-ndjson", "application/yaml")


def kind_of(name: str, media_type: str) -> Kind | None:
    """Return the kind of a file by the end of its name, else by its media type; None for any other."""
    extension = name.rpartition(".")[2].lower()
    if extension in _PARSED:
        return _PARSED[extension]
    return "text" if extension in _TEXT or media_type.startswith(_TEXT_TYPES) else None


def largest(kind: Kind) -> int:
    """Return how many bytes a file of this kind may have."""
    return LARGEST_IMAGE if kind == "image" else LARGEST_DOCUMENT
