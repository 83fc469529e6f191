"""`equabot-bridge migrate`: bring the database to this version."""

from argparse import Namespace
from collections.abc import Mapping

from bridge import config, embedded
from bridge.db.migrate import migrate
from bridge.log import configure


async def run(options: Namespace, environ: Mapping[str, str]) -> int:  # noqa: ARG001  # every command's signature
    """Apply the missing migrations and print their names."""
    settings = config.load(environ)
    configure("warning", settings.log_format)
    if settings.database_url:
        applied = await migrate(settings.database_url.get_secret_value())
    else:
        async with embedded.run(settings.bridge_data_dir) as dsn:
            applied = await migrate(dsn)
    for migration in applied:
        print(f"applied {migration.name}")
    if not applied:
        print("the database is up to date")
    return 0
