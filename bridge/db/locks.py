"""Locks that all processes on one database share: at most one holder of a key at a time.

They are PostgreSQL's advisory locks of one connection a process: waiting takes no connection from the
pool, however many wait, and a process that dies frees what it held at once. Within a process each key has a
queue, and only its head asks the database.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import NoReturn
from weakref import WeakValueDictionary

import asyncpg

from bridge.db.pool import APPLICATION, backoff, connect
from bridge.db.unavailable import is_unavailable
from bridge.errors import Busy, DatabaseUnavailable
from bridge.outage import reconnect_forever

_ASK_EVERY = 0.02
_HEARTBEAT = 15.0
_STATEMENT = 10.0


class Locks:
    """`run` has to be running somewhere; see `opened`."""

    def __init__(self, dsn: str, *, max_wait: float = 60) -> None:
        self._dsn = dsn
        self._max_wait = max_wait
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._scopes: dict[int, asyncio.Timeout] = {}
        """Of those who hold a key or stand at the head of its queue."""
        self._wanted: dict[int, asyncio.Future[None]] = {}
        self._released: list[int] = []
        self._work = asyncio.Event()

    @asynccontextmanager
    async def acquire(self, key: str) -> AsyncIterator[None]:
        """Hold the key for the length of the context; it is not re-entrant.

        Raises `Busy` if others hold it for `max_wait` seconds. When the connection that holds it is
        lost, what is done inside is cancelled and `DatabaseUnavailable` raised.
        """
        number = _number(key)
        queue = self._queues.setdefault(key, asyncio.Lock())
        async with _queued(queue, self._max_wait), self._while_connected(number):
            await self._take(number)
            try:
                yield
            finally:
                self._release(number)

    async def run(self) -> NoReturn:
        """Serve `acquire` until cancelled, connecting again when the connection is lost."""
        await reconnect_forever("locks", self._connect, is_loss=is_unavailable, backoff=backoff)

    async def _connect(self) -> None:
        try:
            connection = await connect(self._dsn, application=f"{APPLICATION} locks")
            try:
                await self._serve(connection)
            finally:
                connection.terminate()
        finally:
            self._lose()

    async def _take(self, number: int) -> None:
        granted = self._wanted[number] = asyncio.get_running_loop().create_future()
        self._work.set()
        try:
            async with asyncio.timeout(self._max_wait):
                await granted
        except BaseException as error:
            if granted.done() and not granted.cancelled():
                self._release(number)
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise
        finally:
            self._wanted.pop(number, None)

    def _release(self, number: int) -> None:
        """Give it back without waiting, so that nothing can come between."""
        self._released.append(number)
        self._work.set()

    @asynccontextmanager
    async def _while_connected(self, number: int) -> AsyncIterator[None]:
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._scopes[number] = scope
                try:
                    yield
                finally:
                    self._scopes.pop(number, None)
        except TimeoutError:
            if scope.expired():
                raise DatabaseUnavailable("The connection that locks are held by was lost.") from None
            raise

    def _lose(self) -> None:
        now = asyncio.get_running_loop().time()
        lost, self._scopes = self._scopes, {}
        for scope in lost.values():
            scope.reschedule(now)
        self._released.clear()

    async def _serve(self, connection: asyncpg.Connection) -> NoReturn:
        connection.add_termination_listener(lambda _: self._work.set())
        while True:
            await self._exchange(connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ASK_EVERY if self._wanted else _HEARTBEAT):
                    await self._work.wait()
            self._work.clear()

    async def _exchange(self, connection: asyncpg.Connection) -> None:
        """Give back what was released, then ask for all that is wanted."""
        released, self._released = self._released, []
        await connection.execute(
            "select pg_advisory_unlock(k) from unnest($1::bigint[]) as k", released, timeout=_STATEMENT
        )
        rows = await connection.fetch(
            "select k from unnest($1::bigint[]) as k where pg_try_advisory_lock(k)",
            [number for number, granted in self._wanted.items() if not granted.done()],
            timeout=_STATEMENT,
        )
        for row in rows:
            self._grant(row["k"])

    def _grant(self, number: int) -> None:
        granted = self._wanted.get(number)
        if granted is None or granted.done():  # whoever wanted it has gone meanwhile
            self._release(number)
        else:
            granted.set_result(None)


@asynccontextmanager
async def opened(dsn: str, *, max_wait: float = 60) -> AsyncIterator[Locks]:
    """Give locks that work as long as the context lasts; an error inside comes out as it is."""
    locks = Locks(dsn, max_wait=max_wait)
    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(locks.run(), name="locks")
            try:
                yield locks
            finally:
                serving.cancel()
    except BaseExceptionGroup as several:
        if len(several.exceptions) > 1:
            raise
        raise several.exceptions[0] from None


@asynccontextmanager
async def _queued(queue: asyncio.Lock, max_wait: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(max_wait):
            await queue.acquire()
    except TimeoutError:
        raise Busy from None
    try:
        yield
    finally:
        queue.release()


def _number(key: str) -> int:
    return int.from_bytes(sha256(key.encode()).digest()[:8], signed=True)
