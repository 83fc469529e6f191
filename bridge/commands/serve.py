"""`equabot-bridge serve`: the daemon alone."""

import asyncio
import gc
import signal
from argparse import Namespace
from collections.abc import Mapping

from bridge import config
from bridge.log import configure
from bridge.runtime.daemon import serve


async def run(options: Namespace, environ: Mapping[str, str]) -> int:  # noqa: ARG001  # every command's signature
    """Serve until SIGTERM or SIGINT; a second one ends it at once."""
    # What was imported stays: looking through it for garbage would hold up everybody for 70 ms.
    gc.freeze()
    settings = config.load(environ)
    configure(settings.log_level, settings.log_format)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop, number)
    await serve(settings, stop)
    return 0


def _stop(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    stop.set()
