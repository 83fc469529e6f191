"""`equabot-bridge status`: how all bridges on one database are, from the database alone."""

import asyncio
import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from bridge import config, embedded
from bridge.config import Settings
from bridge.db.pool import open_pool
from bridge.db.status import read
from bridge.errors import BridgeError
from bridge.log import configure
from bridge.models.status import Status
from bridge.ops.status_screen import screen
from bridge.runtime.database import any_database

_EVERY = 2.0
_CLEAR = "\x1b[H\x1b[2J"


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show it once, or again and again."""
    settings = config.load(environ)
    configure("error", settings.log_format)
    if options.watch:
        await _watch(settings, as_json=options.json)
    async with any_database(settings) as dsn:
        print(_shown(await _look(dsn), as_json=options.json))
    return 0


async def _watch(settings: Settings, *, as_json: bool) -> None:
    """Show it until cancelled; while the database is away, show that."""
    while True:
        shown = await _shown_or_why_not(settings, as_json=as_json)
        print(f"{_CLEAR if sys.stdout.isatty() and not as_json else ''}{shown}", flush=True)
        await asyncio.sleep(_EVERY)


async def _shown_or_why_not(settings: Settings, *, as_json: bool) -> str:
    try:
        return _shown(await _look(_dsn(settings)), as_json=as_json)
    except BridgeError as error:
        return json.dumps({"error": error.message}) if as_json else error.message


def _dsn(settings: Settings) -> str:
    """Return the database's address. An embedded one is not started: the daemon could not start then."""
    if settings.database_url:
        return settings.database_url.get_secret_value()
    running = embedded.dsn_of_running(settings.bridge_data_dir)
    if running is None:
        raise BridgeError("The bridge is not running, nor its embedded database.")
    return running


async def _look(dsn: str) -> Status:
    async with await open_pool(dsn, max_size=1, max_wait=5) as pool:
        return await read(pool)


def _shown(status: Status, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(asdict(status), default=_json_value)
    return "\n".join(screen(status))


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
