"""What stands in files of every kind, and files that are made to do harm."""

import base64
import io
import os
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest
from PIL import Image

from bridge.documents.kinds import Kind
from bridge.documents.reader import DocumentReader
from bridge.documents.results import LONGEST_TEXT, Failure, Picture, Result, Text
from tests.support import documents


@pytest.fixture
def reader() -> DocumentReader:
    return DocumentReader()


def image_of(result: Result) -> Image.Image:
    assert isinstance(result, Picture)
    return Image.open(io.BytesIO(base64.b64decode(result.url.split(",")[1])))


TABLE = [("Holder", "Shares"), ("Ada", "100")]


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("pdf", documents.pdf("Page one", "Page two"), "Page one\n\nPage two\n\n"),
        ("docx", documents.word("First", "Second", table=TABLE), "First\nSecond\nHolder,Shares\nAda,100\n"),
        (
            "xlsx",
            documents.excel(("Holder", "Shares", None), (), ("Ada, the first", 100)),
            'Sheet Cap table:\nHolder,Shares\n"Ada, the first",100\n\n',
        ),
        ("pptx", documents.powerpoint("Plan", notes="Say hello"), "Slide 1:\nPlan\nNotes: Say hello\n\n"),
        ("text", b"\xef\xbb\xbfholder;shares\n\xc3\x84da;100", "holder;shares\nÄda;100"),
        ("text", "Ä\n".encode("utf-16"), "Ä\n"),
        ("text", "Äda;100 €".encode("cp1252"), "Äda;100 €"),
    ],
)
async def test_the_text_of_a_document(reader: DocumentReader, kind: Kind, data: bytes, text: str) -> None:
    """In the order in which it stands there."""
    assert await reader.read(kind, data) == Text(text)


async def test_a_long_document_is_cut(reader: DocumentReader) -> None:
    """At the same length whatever its kind."""
    for kind, data in (("docx", documents.word("x" * 70_000)), ("text", "ä".encode() * 500_000)):
        found = await reader.read(kind, data)  # type: ignore[arg-type]
        assert isinstance(found, Text)
        assert (len(found.text), found.is_cut) == (LONGEST_TEXT, True)


@pytest.mark.parametrize(
    ("name", "mode", "size", "expected"),
    [
        ("PNG", "RGB", (40, 30), ("PNG", (40, 30))),
        ("PNG", "RGBA", (4000, 2000), ("PNG", (1568, 784))),
        ("JPEG", "CMYK", (4000, 2000), ("JPEG", (1568, 784))),
        ("GIF", "P", (40, 30), ("PNG", (40, 30))),
        ("WEBP", "RGB", (40, 30), ("PNG", (40, 30))),
        ("BMP", "1", (40, 30), ("PNG", (40, 30))),
    ],
)
async def test_a_picture_is_one_that_a_model_takes(
    reader: DocumentReader, name: str, mode: str, size: tuple[int, int], expected: tuple[str, tuple[int, int]]
) -> None:
    """PNG or JPEG, and no larger than models look at."""
    found = image_of(await reader.read("image", documents.picture(name, size, mode)))
    assert (found.format, found.size) == expected


async def test_a_picture_stands_upright_and_says_nothing_else(reader: DocumentReader) -> None:
    """Where it was taken is left out."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a secret place"
    Image.new("RGB", (40, 30)).save(out, "JPEG", exif=exif)

    found = image_of(await reader.read("image", out.getvalue()))

    assert (found.size, dict(found.getexif())) == ((30, 40), {})


def huge() -> bytes:
    """A workbook whose parts unpack to more than 150 MB; making it takes a second."""
    return documents.with_part(documents.excel(), "x.xml", b"0" * (160 << 20))


@pytest.mark.parametrize(
    ("kind", "data", "failure"),
    [
        ("pdf", documents.protected_pdf(), "protected"),
        ("docx", b"\xd0\xcf\x11\xe0" + b"x" * 5000, "protected"),
        ("pdf", documents.pdf(""), "empty"),
        ("text", b" \n", "empty"),
        ("pdf", b"no pdf", "broken"),
        ("xlsx", b"no archive", "broken"),
        ("docx", documents.excel(), "broken"),
        ("image", b"<svg/>", "broken"),
        ("image", documents.picture("TIFF"), "broken"),
        ("text", b"PK\x03\x04\x00\x00", "broken"),
        ("xlsx", huge, "too_large"),
        ("image", documents.bomb_of_pixels, "too_large"),
        (
            "docx",
            documents.with_part(documents.word(), "word/document.xml", documents.BOMB_OF_ENTITIES),
            "broken",
        ),
        (
            "xlsx",
            documents.with_part(documents.excel(), "xl/worksheets/sheet1.xml", documents.BOMB_OF_ENTITIES),
            "broken",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_read(
    reader: DocumentReader, kind: Kind, data: bytes | Callable[[], bytes], failure: Failure
) -> None:
    """Damaged, empty, protected, or a bomb."""
    assert await reader.read(kind, data() if callable(data) else data) == failure


async def test_no_document_reads_another_file(reader: DocumentReader) -> None:
    """Its XML may name one."""
    data = documents.with_part(documents.word("x"), "word/document.xml", documents.FOREIGN_ENTITY)
    found = await reader.read("docx", data)
    assert "root:" not in str(found)


async def test_a_document_that_never_ends_is_given_up(reader: DocumentReader) -> None:
    """A page whose content unpacks to gigabytes meets the limit of memory or of time."""
    found = await reader.read("pdf", documents.pdf(content=b"BT (x) Tj ET " * (20 << 20)))
    assert found in ("too_large", "slow", "broken")


async def test_who_is_too_slow_is_ended() -> None:
    """Nothing of it stays."""
    before = psutil.Process().children()

    assert await DocumentReader(seconds=0.01).read("pdf", documents.pdf("x")) == "slow"

    assert psutil.Process().children() == before


def test_the_child_knows_nothing_of_the_daemon() -> None:
    """Neither its variables nor its memory; it can write no file, and ends before the daemon does."""
    code = (
        "from bridge.documents.child import limit; limit()\n"
        "import os, resource\n"
        "assert not set(os.environ) - {'PYTHONDONTWRITEBYTECODE', 'LC_ALL', 'LC_CTYPE'}, os.environ\n"
        "assert resource.getrlimit(resource.RLIMIT_FSIZE) == (0, 0)\n"
        "assert open('/proc/self/oom_score_adj').read() == '1000\\n'\n"
        "try:\n    bytearray(448 << 20)\nexcept MemoryError:\n    print('limited')\n"
    )
    from bridge.documents.reader import _ENVIRONMENT  # noqa: PLC0415

    run = subprocess.run(
        [sys.executable, "-I", "-c", code], env=_ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("limited\n", "")


def test_the_daemon_starts_without_the_parsers() -> None:
    """They take half a second and tens of megabytes."""
    code = "import sys, bridge.runtime.daemon; print({'PIL', 'docx', 'lxml', 'pypdf'} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert run.stdout == "set()\n"
