"""compose's PostgreSQL: each program gets in with its password, into its database, and nobody else."""

import asyncio
import os
import pwd
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from bridge.embedded import binaries
from bridge.embedded.identity import Identity, choose
from bridge.embedded.process import output
from tests.support.deployment import DEPLOY

CONFIG = DEPLOY / "postgres"
PROGRAMS = binaries.locate(binaries.places())


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL with compose's rules, and the volumes of the two programs."""

    directory: Path
    chowns: Path
    """The arguments that `chown` was called with: only root could really do it."""

    async def script(self) -> int:
        """Run the service `databases`."""
        text = (CONFIG / "databases.sh").read_text().replace("/run/databases", str(self.directory / "run"))
        environment = {
            "PATH": f"{self.directory / 'bin'}:{PROGRAMS}:/usr/bin:/bin",
            "PGHOST": str(self.directory / "sockets"),
        }
        process = await asyncio.create_subprocess_exec("sh", "-c", text, env=environment)
        return await process.wait()

    def passwords(self, name: str) -> Path:
        return self.directory / "run" / name / "pgpass"

    async def ask(self, role: str, database: str, query: str = "select current_user") -> str:
        """Ask as a program does that has the password file of `role`."""
        return await self.ask_as(role, database, self.passwords(role), query)

    async def ask_as(self, role: str, database: str, passwords: Path | None, query: str) -> str:
        connection = await asyncpg.connect(
            host=str(self.directory / "sockets"),
            user=role,
            database=database,
            passfile=str(passwords or self.directory / "none"),
        )
        try:
            return str(await connection.fetchval(query))
        finally:
            await connection.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    for name in ("sockets", "run", "run/mattermost", "run/bridge", "bin"):
        (tmp_path / name).mkdir()
    chowns = tmp_path / "chowns"
    (tmp_path / "bin" / "chown").write_text(f'#!/bin/sh\necho "$*" >> {shlex.quote(str(chowns))}\n')
    (tmp_path / "bin" / "chown").chmod(0o700)
    async with _running(tmp_path):
        yield Server(tmp_path, chowns)


@asynccontextmanager
async def _running(directory: Path) -> AsyncIterator[None]:
    """Run a server as compose does. This process is an administrator too.

    A server in a user namespace sees everybody outside as nobody.
    """
    identity, _ = await choose(PROGRAMS, directory)
    ident = (CONFIG / "pg_ident.conf").read_text()
    own = {pwd.getpwuid(os.geteuid()).pw_name, "nobody"}
    lines = "".join(f"administrators {name} postgres\n" for name in sorted(own))
    (directory / "pg_ident.conf").write_text(ident + lines)
    (directory / "pg_hba.conf").write_text((CONFIG / "pg_hba.conf").read_text())
    identity.own_all(directory)
    status, said = await output(
        identity.command(directory, PROGRAMS / "initdb", "-D", "data", "-U", "postgres", "--auth=trust")
    )
    assert status == 0, said
    process = await _start(identity, directory)
    try:
        await _until_it_answers(directory)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _start(identity: Identity, directory: Path) -> asyncio.subprocess.Process:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(directory / "sockets"),
        "hba_file": str(directory / "pg_hba.conf"),
        "ident_file": str(directory / "pg_ident.conf"),
        "fsync": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = identity.command(directory, PROGRAMS / "postgres", "-D", "data", *options)
    return await asyncio.create_subprocess_exec(*command)


async def _until_it_answers(directory: Path) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                connection = await asyncpg.connect(
                    host=str(directory / "sockets"), user="postgres", database="postgres"
                )
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)
            else:
                return await connection.close()


async def test_each_program_has_its_own_role_database_and_password(server: Server) -> None:
    """And the files are for the user that both programs run as."""
    assert await server.script() == 0

    for name in ("mattermost", "bridge"):
        owner = "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        assert await server.ask(name, name, owner) == name
        assert server.passwords(name).stat().st_mode & 0o777 == 0o600
    lines = server.chowns.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["2000:2000"] * 2
    assert server.passwords("mattermost").read_text() != server.passwords("bridge").read_text()


async def test_nobody_else_gets_in(server: Server) -> None:
    """Without a password, with another's, or into another's database."""
    await server.script()

    others = (
        ("bridge", "bridge", None),
        ("bridge", "bridge", server.passwords("mattermost")),
        ("mattermost", "mattermost", server.passwords("bridge")),
        ("mattermost", "bridge", server.passwords("mattermost")),
        ("bridge", "mattermost", server.passwords("bridge")),
        ("bridge", "postgres", server.passwords("bridge")),
        ("stranger", "bridge", None),
    )
    for role, database, passwords in others:
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await server.ask_as(role, database, passwords, "select 1")


async def test_a_second_run_changes_nothing(server: Server) -> None:
    """The programs may be running."""
    await server.script()
    before = [server.passwords(name).read_text() for name in ("mattermost", "bridge")]

    assert await server.script() == 0

    assert [server.passwords(name).read_text() for name in ("mattermost", "bridge")] == before


async def test_databases_of_an_earlier_version_get_passwords(server: Server) -> None:
    """Their roles had none, and what is in them stays."""
    await _as_administrator(server, "create role bridge login", "create database bridge owner bridge")

    assert await server.script() == 0

    assert await server.ask("bridge", "bridge") == "bridge"


@pytest.mark.parametrize("lost", ["file", "role", "database"])
async def test_what_is_lost_is_made_again(server: Server, lost: str) -> None:
    """A volume was deleted, or another cluster put in the place of the old one."""
    await server.script()
    match lost:
        case "file":
            server.passwords("bridge").unlink()
        case "role":
            await _as_administrator(server, "drop database bridge", "drop role bridge")
        case _:
            await _as_administrator(server, "drop database bridge", "alter role bridge password null")

    assert await server.script() == 0

    assert await server.ask("bridge", "bridge") == "bridge"
    assert await server.ask("mattermost", "mattermost") == "mattermost"


async def _as_administrator(server: Server, *statements: str) -> None:
    connection = await asyncpg.connect(
        host=str(server.directory / "sockets"), user="postgres", database="postgres"
    )
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
