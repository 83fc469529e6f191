"""Make a picture one that a model takes. Only the process of its own imports this."""

import io

from PIL import Image, ImageOps

from bridge.documents.parsers.unreadable import Unreadable

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_PIXELS = 60_000_000
"""A picture with more would take too much memory."""
_LONGEST_SIDE = 1568
"""Pixels; models scale down what is larger (the vendors' guides to vision)."""
_LARGEST_PNG = 600 << 10
Image.MAX_IMAGE_PIXELS = None  # `_PIXELS` takes its place


def scaled(data: bytes) -> tuple[bytes, str]:
    """Return the picture, upright, not too large and without its metadata, and its media type."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        if opened.width * opened.height > _PIXELS:
            raise Unreadable("too_large")
        opened.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
        picture = ImageOps.exif_transpose(opened)
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    if opened.format != "JPEG":
        png = _saved(picture, "PNG")
        if len(png) <= _LARGEST_PNG:
            return png, "image/png"
    return _saved(picture.convert("RGB"), "JPEG"), "image/jpeg"


def _saved(picture: Image.Image, name: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, name, quality=80)
    return out.getvalue()
