"""`equabot-bridge doctor`: check everything that the bridge needs and advise. Changes nothing."""

import json
from argparse import Namespace
from collections.abc import Mapping

from bridge import config
from bridge.log import configure
from bridge.mattermost.rest.transport import client_session
from bridge.ops import table
from bridge.ops.doctor.checks import run_all
from bridge.ops.doctor.context import Context
from bridge.ops.doctor.groups import checks, configuration
from bridge.ops.findings import failed


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Print the findings; return 1 if any is bad."""
    settings = config.load(environ)
    configure("error", settings.log_format)
    names = [name for name, text in environ.items() if text.strip()]
    async with client_session(settings.proxies) as session:
        context = Context(settings, session, ask=options.ask)
        findings = [configuration(names), *await run_all(checks(context))]
    if options.json:
        shown = {"ok": not failed(findings), "findings": table.values(findings)}
        print(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        print(*table.lines(findings), sep="\n")
    return 1 if failed(findings) else 0
