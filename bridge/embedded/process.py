"""Starting the programs of PostgreSQL."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Sequence

from bridge.errors import StartupError

_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
"""All of it: PGPORT and its like would change what the server does, and our tokens are not its business."""


async def start(command: Sequence[str], *, stdout: int, inherit: Sequence[int] = ()) -> Process:
    """Start a program that Ctrl-C in our terminal does not reach: we end it, after our own work."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=stdout,
        stderr=STDOUT,
        env=_ENVIRONMENT,
        start_new_session=True,
        pass_fds=inherit,
    )


async def output(command: Sequence[str], *, inherit: Sequence[int] = ()) -> tuple[int, str]:
    """Run a program for at most five minutes; return its exit status and what it said."""
    process = await start(command, stdout=PIPE, inherit=inherit)
    try:
        async with asyncio.timeout(300):
            said, _ = await process.communicate()
            return await process.wait(), said.decode(errors="replace").strip()
    except TimeoutError:
        raise StartupError("PostgreSQL's programs have not done their work within five minutes.") from None
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
