"""The files of the embedded server, and how they are created."""

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import quote

import structlog

from bridge import private_file
from bridge.embedded import locks
from bridge.embedded.identity import Identity
from bridge.embedded.process import output
from bridge.errors import StartupError

_log = structlog.get_logger(__name__)

USER = "bridge"
_LONGEST_LOG = 1 << 20
# C sorts alike on every machine; checksums reveal damaged pages.
_INITDB = f"""
    --pgdata=data --username={USER} --pwfile=password --auth=scram-sha-256
    --encoding=UTF8 --locale=C --data-checksums --no-instructions
""".split()


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where things are in the data directory."""

    directory: Path

    @classmethod
    def of(cls, data_dir: Path) -> Self:
        return cls(data_dir.resolve())

    @property
    def owner_lock(self) -> Path:
        return self.directory / "postgres.lock"

    @property
    def server_lock(self) -> Path:
        return self.directory / "postgres.server.lock"

    @property
    def home(self) -> Path:
        return self.directory / "postgres"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def sockets(self) -> Path:
        return self.home / "sockets"

    def dsn(self, sockets: Path) -> str:
        password = (self.home / "password").read_text()
        return f"postgresql://{USER}:{password}@/postgres?host={quote(str(sockets))}&port=5432"

    def open_log(self) -> BinaryIO:
        self.shorten_log()
        return self.log.open("ab")

    def shorten_log(self) -> None:
        """Move a log of more than a megabyte to `server.log.1`, under a server that goes on appending."""
        if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    def last_words(self) -> str:
        lines = self.log.read_bytes().decode(errors="replace").splitlines()
        return " / ".join(lines[-4:])

    async def create(self, programs: Path, identity: Identity) -> None:
        """Make `home` beside its place and move it there when it is complete."""
        with await locks.inherited(self.server_lock, max_wait=10) as lock:
            staging = self.directory / "postgres.new"
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(mode=0o700)
            private_file.create(staging / "password", secrets.token_urlsafe(32))
            identity.own_all(staging)
            _log.info("creating_embedded_database", directory=str(self.home))
            command = identity.command(staging, programs / "initdb", *_INITDB)
            status, said = await output(command, inherit=[lock.fileno()])
            if status:
                raise StartupError(f"initdb could not create the embedded database: {said}")
            staging.rename(self.home)

    def check(self, major: int) -> None:
        """Raise `StartupError` unless the files are of PostgreSQL's major version."""
        file = self.data / "PG_VERSION"
        found = file.read_text().strip()
        if found != str(major):
            raise StartupError(
                f"The database in {self.home} was made by PostgreSQL {found}, but the installed one is"
                f" {major}, which cannot read it. Install version {found}, or move the data with pg_dump."
            )
