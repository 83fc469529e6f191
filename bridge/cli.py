"""The command line. Exit codes: 0 done, 1 it did not work, 2 the command or the configuration is wrong."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from bridge import __version__
from bridge.errors import BridgeError, ConfigurationError

_VARIABLES = "Configuration comes from environment variables; README.md has the table."


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="equabot-bridge",
        description="The bridge between Mattermost, the Equa platform and an organization's agent.",
        epilog=_VARIABLES,
    )
    top.add_argument("--version", action="version", version=f"equabot-bridge {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add(commands, "serve", "run the daemon until SIGTERM or Ctrl-C")
    _demo(
        _add(
            commands,
            "demo",
            "start PostgreSQL, a sandbox chat, Equa and agent, and the daemon; open the page it prints",
        )
    )
    _add(commands, "migrate", "bring the database to this version and say what was applied")
    why = _add(commands, "why", "tell what became of a post, and why it was not answered")
    why.add_argument("post_id", metavar="POST_ID", help="26 characters, as in the post's permalink")
    return top


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, purpose: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", epilog=_VARIABLES
    )


def _demo(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ask",
        metavar="TEXT",
        help="post TEXT as a person, print the thread, exit 0 when the answer came and 1 after 30 s without",
    )
    command.add_argument(
        "--port",
        type=int,
        default=8065,
        help="where the chat page is served (default: %(default)s; 0 picks a free one)",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    options = parser().parse_args(arguments)
    try:
        command = import_module(f"bridge.commands.{options.command}")
        code: int = asyncio.run(command.run(options, os.environ))
    except ConfigurationError as error:
        print("The configuration is wrong:", *error.mistakes, sep="\n  ", file=sys.stderr)
        code = 2
    except BridgeError as error:
        print(error.message, file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
