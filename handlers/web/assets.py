"""The files of `static/`: read once, and named so that a browser need not ask again.

Its folders hold the parts of scripts, which are served within those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from handlers.web.bundle import bundled

_HERE = Path(__file__).parent / "static"

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".ts": "text/plain",  # a browser shows it; by its ending it would be a video
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; `version` is made of its content."""

    name: str
    body: bytes
    content_type: str
    version: str

    @property
    def url(self) -> str:
        """The address under which the content never changes."""
        return f"/static/{self.name}?v={self.version}"


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files by name."""
    return MappingProxyType({path.name: _read(path) for path in sorted(_HERE.iterdir()) if path.is_file()})


def _read(path: Path) -> Asset:
    body = bundled(path).encode() if path.suffix == ".js" else path.read_bytes()
    return Asset(path.name, body, _TYPES[path.suffix], sha256(body).hexdigest()[:16])
