"""A form with a file (`multipart/form-data`), read part by part and never as a whole."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from bridge.errors import BridgeError, InvalidRequest, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from handlers.http.app_keys import LIMITS

FORM = "multipart/form-data"

_OVERHEAD = 512 << 10
"""Bytes that everything but the file may have."""
_PIECE = 64 << 10
_PLAIN = ("", "7bit", "8bit", "binary")
"""Transfer encodings that change nothing."""


@dataclass(slots=True)
class Form:
    """The parts of a request's form, in their order. The parts but the file have short texts."""

    _reader: MultipartReader
    _seconds: float
    """In which the next piece has to arrive."""

    @classmethod
    async def of(cls, request: web.Request, largest_file: int) -> "Form":
        """Begin to read; raise `PayloadTooLarge` if the request says that it is too large."""
        if request.content_type != FORM:
            raise UnsupportedMediaType(f"The body has to be {FORM}.")
        if (request.content_length or 0) > largest_file + _OVERHEAD:
            raise too_large(largest_file)
        with _reading():
            return cls(await request.multipart(), request.app[LIMITS].timeouts.body)

    async def next(self) -> BodyPartReader | None:
        """Return the next part, None at the end."""
        with _reading():
            async with asyncio.timeout(self._seconds):
                part = await self._reader.next()
        if part is None:
            return None
        if not isinstance(part, BodyPartReader) or _encoding(part) not in _PLAIN:
            raise InvalidRequest("A part of the form is a form itself, or encoded.")
        return part

    async def text(self, part: BodyPartReader, limit: int) -> str:
        """Return the text of a part; raise `PayloadTooLarge` if it has more bytes."""
        pieces = [piece async for piece in FilePieces(part, limit, self._seconds)]
        try:
            return b"".join(pieces).decode()
        except ValueError:
            raise InvalidRequest(f"{part.name} is not a text in UTF-8.") from None

    async def skip(self, part: BodyPartReader) -> None:
        """Pass over a part that means nothing here."""
        async for _ in FilePieces(part, _OVERHEAD, self._seconds):
            pass

    def file(self, part: BodyPartReader, limit: int) -> "FilePieces":
        """Return the bytes of a part as they come."""
        return FilePieces(part, limit, self._seconds)


@dataclass(slots=True)
class FilePieces:
    """The bytes of a part as they come; whoever sends them on sees at `error` why they broke off."""

    part: BodyPartReader
    limit: int
    seconds: float
    error: BridgeError | None = field(default=None, init=False)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield pieces; raise `PayloadTooLarge`, `RequestTimeout` or `InvalidRequest`."""
        size = 0
        try:
            while piece := await self._piece():
                size += len(piece)
                if size > self.limit:
                    raise too_large(self.limit)
                yield piece
        except BridgeError as error:
            self.error = error
            raise

    async def _piece(self) -> bytes:
        with _reading():
            async with asyncio.timeout(self.seconds):
                return await self.part.read_chunk(_PIECE)


def too_large(limit: int) -> PayloadTooLarge:
    """Return the error for more bytes than the limit."""
    return PayloadTooLarge(f"This may have {limit} bytes at most.")


def _encoding(part: BodyPartReader) -> str:
    transfer = part.headers.get("Content-Transfer-Encoding", "").lower()
    return transfer or part.headers.get("Content-Encoding", "").lower()


@contextmanager
def _reading() -> Iterator[None]:
    """Turn whatever aiohttp raises about a form that is none into a refusal."""
    try:
        yield
    except TimeoutError:
        raise RequestTimeout("The form took too long to arrive.") from None
    except (
        web.RequestPayloadError,
        ConnectionError,
        BadHttpMessage,
        ValueError,
        RuntimeError,
        AssertionError,
    ):
        raise InvalidRequest("The form breaks off, or is not one.") from None
