"""Read a file in a process of its own, which ends within a time whatever the file does."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import structlog

from bridge.documents.kinds import Kind, Parsed
from bridge.documents.plain import read_plain
from bridge.documents.results import SENTENCES, Picture, Result, Text
from bridge.limited_body import read_limited
from bridge.models.equa import OrganizationId

log = structlog.get_logger(__name__)

SECONDS = 30.0
"""In which a file has to be read, whatever the machine is doing."""

_AT_ONCE = 2
"""Files of all organizations; of one organization it is one."""
_LARGEST_RESULT = 16 << 20
"""Bytes."""
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads files: a few at once, and one at a time of each organization."""

    seconds: float = SECONDS
    _all: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _each: WeakValueDictionary[OrganizationId, asyncio.Semaphore] = field(default_factory=WeakValueDictionary)

    @asynccontextmanager
    async def slot(self, organization: OrganizationId) -> AsyncIterator[None]:
        """Wait until a file of the organization may be loaded and read."""
        mine = self._each.setdefault(organization, asyncio.Semaphore(1))
        async with mine, self._all:
            yield

    async def read(self, kind: Kind, data: bytes) -> Result:
        """Return what stands in the file. The caller has its slot."""
        if kind == "text":
            return read_plain(data)
        return await self._parsed(kind, data)

    async def _parsed(self, kind: Parsed, data: bytes) -> Result:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "bridge.documents.child", kind),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
        )
        try:
            async with asyncio.timeout(self.seconds):
                _, output = await asyncio.gather(_feed(process, data), _output(process))
        except TimeoutError:
            return "slow"
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        return _result(output)


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin
    with suppress(ConnectionError):
        process.stdin.write(data)
        await process.stdin.drain()
        process.stdin.close()


async def _output(process: asyncio.subprocess.Process) -> bytes | None:
    assert process.stdout
    return await read_limited(process.stdout, _LARGEST_RESULT)


def _result(output: bytes | None) -> Result:
    """Return what the process has said; if nothing, one of its limits or its parser has ended it."""
    head, _, body = (output or b"").partition(b"\n")
    match head.decode(errors="replace"):
        case "text":
            return Text(body.decode(errors="replace"))
        case "cut":
            return Text(body.decode(errors="replace"), is_cut=True)
        case "image/png" | "image/jpeg" as media_type:
            return Picture(f"data:{media_type};base64,{body.decode('ascii')}")
        case failure if failure in SENTENCES:
            return failure
        case _:
            log.warning("document_reader_ended", said=bool(output))
            return "too_large" if output is None else "slow"
