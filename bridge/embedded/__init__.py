"""A PostgreSQL of our own, for those who configure none.

Everything lies in the data directory: `postgres/` with the cluster, its password and its log,
`postgres.lock` held by the process that owns it, and `postgres.server.lock` held by every process of
the server itself, so that leftovers of a killed owner are noticed.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from bridge.embedded import binaries, locks, sockets
from bridge.embedded.cluster import Cluster
from bridge.embedded.identity import choose
from bridge.embedded.server import Server
from bridge.errors import StartupError

__all__ = ["dsn_of_running", "run"]


@asynccontextmanager
async def run(data_dir: Path, *, fsync: bool = True) -> AsyncIterator[str]:
    """Run PostgreSQL in `data_dir` and yield the DSN of its superuser, once it accepts connections.

    If it dies it is started again, with growing delays; the DSN stays the same. It ends with the
    context, and also when the process, or the thread that entered the context, is killed. `fsync=False`
    is for tests: a crash of the machine then loses data. Raises `StartupError`.
    """
    cluster = Cluster.of(data_dir)
    async with AsyncExitStack() as stack:
        with _explained(cluster):
            cluster.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(locks.own(cluster.owner_lock))
            server = await _prepare(cluster, fsync=fsync)
            directory = stack.enter_context(sockets.directory(cluster.sockets, server.identity))
            await stack.enter_async_context(server.running(directory))
        yield cluster.dsn(directory)


def dsn_of_running(data_dir: Path) -> str | None:
    """Return the DSN of the server that another process runs in `data_dir`, or None."""
    cluster = Cluster.of(data_dir)
    with _explained(cluster):
        if not cluster.sockets.is_symlink():
            return None
        directory = cluster.sockets.readlink()
        return cluster.dsn(directory) if sockets.accepts(directory) else None


@contextmanager
def _explained(cluster: Cluster) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartupError(f"The embedded database in {cluster.directory} cannot be used: {error}") from error


async def _prepare(cluster: Cluster, *, fsync: bool) -> Server:
    programs = binaries.locate(binaries.places())
    identity, major = await choose(programs, cluster.directory)
    identity.own(cluster.directory)
    if not cluster.home.exists():
        await cluster.create(programs, identity)
    cluster.check(major)
    identity.own_all(cluster.home)
    return Server(cluster, programs, identity, fsync=fsync)
