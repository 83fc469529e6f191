"""PgBouncer in front of a test's database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bridge.embedded import binaries
from bridge.embedded.identity import choose
from tests.support.ports import reserved_port
from tests.support.programs import required_program


@asynccontextmanager
async def pgbouncer(dsn: str, folder: Path, mode: str) -> AsyncIterator[str]:
    """Run it in a pool mode; yield the DSN of the same database through it."""
    program, port = required_program("pgbouncer"), reserved_port()
    (folder / "pgbouncer.ini").write_text(_configuration(dsn, mode, port))
    (folder / "log").touch()
    # It refuses to be root, as PostgreSQL does.
    identity, _ = await choose(binaries.locate(binaries.places()), folder)
    identity.own_all(folder)
    process = await asyncio.create_subprocess_exec(
        *identity.command(folder, program, "--quiet", "pgbouncer.ini")
    )
    try:
        await _until_it_listens(port)
        through = urlsplit(dsn)._replace(netloc=f"anybody@127.0.0.1:{port}", query="sslmode=disable")
        yield through.geturl()
    finally:
        process.terminate()
        await process.wait()


def _configuration(dsn: str, mode: str, port: int) -> str:
    """Let everybody in as the user of the DSN, which has the server's socket as its host."""
    parts = urlsplit(dsn)
    server = parse_qs(parts.query)
    login = (
        f"host={server['host'][0]} port={server['port'][0]} user={parts.username} password={parts.password}"
    )
    return f"""
[databases]
* = {login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
logfile = log
"""


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                return writer.close()
