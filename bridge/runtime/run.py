"""One run of the daemon on one primary: when the database fails over, it ends and the next begins."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn, Self
from uuid import UUID, uuid4

import asyncpg
import structlog

from bridge.db.hosts import hosts
from bridge.db.primary import Primary

log = structlog.get_logger(__name__)

_LOOK_EVERY = 5.0


class PrimaryChanged(Exception):
    """The database has another primary than this run works on."""


@dataclass(frozen=True, slots=True)
class Run:
    primary: Primary = field(default_factory=Primary)
    holder: UUID = field(default_factory=uuid4)
    """The name under which the process claims jobs, the same in all its runs."""
    failed_over: bool = False
    """Whether a run before it ended because another server was promoted."""

    @property
    def in_failover(self) -> bool:
        """Whether this run may end without its database, because the next one finds it."""
        return self.failed_over or self.primary.changed.is_set()

    def following(self) -> Self:
        """Return the run on the new primary, or this one again while there is none."""
        if not self.primary.changed.is_set():
            return self
        return type(self)(Primary(self.primary.successor, self.primary.host), self.holder, failed_over=True)

    async def watch(self, dsn: str, pool: asyncpg.Pool) -> NoReturn:
        """Raise `PrimaryChanged` once there is another primary; nothing waits for the old one.

        Of several hosts one may be gone without a word, which its connections notice late: whoever takes
        writes now is looked up every few seconds.
        """
        while not await self._changed_within(_LOOK_EVERY if len(hosts(dsn)) > 1 else None):
            await self._look(dsn)
        pool.terminate()
        raise PrimaryChanged

    async def _changed_within(self, seconds: float | None) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.primary.changed.wait()
        return self.primary.changed.is_set()

    async def _look(self, dsn: str) -> None:
        try:
            connection = await self.primary.connect(dsn)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            log.info("primary_not_found", reason=str(error))
        else:
            connection.terminate()
