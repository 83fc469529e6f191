"""The command line. Exit codes: 0 done, 1 it did not work, 2 the command or the configuration is wrong."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from bridge import __version__
from bridge.errors import BridgeError, ConfigurationError, UsageError

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
    _status(_add(commands, "status", "show how all bridges on this database are; works while none runs"))
    why = _add(commands, "why", "explain what happened to a post, and why it was not answered")
    why.add_argument(
        "post_id", metavar="POST_ID", help="26 characters, as in the post's permalink; or an event's id"
    )
    _setup(_add(commands, "setup", "make a Mattermost ready: settings, roles, bots, tokens; can be repeated"))
    _doctor(_add(commands, "doctor", "check everything that is needed and say what to do; changes nothing"))
    _keys(_add(commands, "keys", "make, list, use and drop the keys that seal stored tokens"))
    _sync(_add(commands, "sync", "make an organization's team match its roster in Equa"))
    _audit(_add(commands, "audit", "list what was decided, stopped, changed and refused in an organization"))
    _usage(_add(commands, "usage", "show what agents did in which time, and what that took"))
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
        help="post TEXT, which mentions @equabot, as a person and print the thread;"
        " exit 0 when the answer came and 1 after 30 s without",
    )
    command.add_argument(
        "--port",
        type=_port,
        default=8065,
        help="where the chat page is served (default: %(default)s; 0 picks a free one)",
    )


def _port(text: str) -> int:
    """Read a port; argparse shows the message of the error."""
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _keys(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add(actions, "new", "make a key: put in front of the key file's, or printed for TOKEN_KEYS")
    _add(actions, "status", "list the keys and how many tokens each has sealed; no secrets")
    _add(actions, "reseal", "seal stored tokens anew with the first key, as the daemon does at its start")
    drop = _add(actions, "drop", "forget a key that no stored token is sealed with any more")
    drop.add_argument("key_id", metavar="ID", help="the key's id, as `keys status` prints it")
    drop.add_argument(
        "--lost",
        action="store_true",
        help="the key is gone: forget the tokens sealed with it too; people get new ones at their next visit",
    )


def _sync(command: argparse.ArgumentParser) -> None:
    _organization(command)
    command.add_argument(
        "--dry-run", action="store_true", help="show who would be added and removed, change nothing"
    )
    command.add_argument(
        "--force", action="store_true", help="remove people even if that is more than half of the team"
    )


def _audit(command: argparse.ArgumentParser) -> None:
    command.description = (
        "List what was decided, stopped, changed and refused in an organization, the newest first. Rows are"
        " only ever added and kept for 13 months; no text of a question or an answer is in them."
    )
    _organization(command)
    command.add_argument(
        "--since", metavar="TIME", help="a day (2026-11-27), a moment (2026-11-27T14:05:00Z), or 30d, 12h ago"
    )
    command.add_argument("--until", metavar="TIME", help="likewise; a day is included, a moment is not")
    command.add_argument("--kind", metavar="KIND", action="append", help="rows of this kind; may be repeated")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object a line, as the API has it")
    form.add_argument("--csv", action="store_true", help="print CSV for spreadsheets")


def _usage(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Show what an organization's agent did and what that took, by day, person or outcome; without ORG"
        " what the agents of all organizations did. Days are of UTC and kept for 13 months; a + behind a"
        " number of tokens or a cost means that it is more: not everything was reported."
    )
    _organization(command, optional=True)
    command.add_argument("--from", dest="first", metavar="DAY", help="such as 2026-11-01 (30 days ago)")
    command.add_argument("--to", dest="last", metavar="DAY", help="the last day that is included (today)")
    command.add_argument(
        "--by",
        choices=("day", "person", "outcome", "organization"),
        help="what the lines are (day; without ORG organization)",
    )
    _json(command)


def _organization(command: argparse.ArgumentParser, *, optional: bool = False) -> None:
    command.add_argument(
        "organization",
        metavar="ORG",
        nargs="?" if optional else None,
        help="the organization's id in Equa, a UUID, or its team's name",
    )


def _setup(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Make a Mattermost ready, with MATTERMOST_URL and MATTERMOST_ADMIN_BOT_TOKEN alone: its settings, the"
        " roles that keep organizations apart, the bot and the notice account with a token each, and sign-in"
        " with Equa. New tokens and secrets are printed once, to standard output, as lines for the"
        " environment."
    )
    command.add_argument("--dry-run", action="store_true", help="show what would be changed, change nothing")
    command.add_argument("--bot-name", metavar="NAME", help="the bot's username (default: equabot)")
    command.add_argument(
        "--bot-display-name", metavar="NAME", default="Equabot", help="how it is shown (default: %(default)s)"
    )
    command.add_argument(
        "--notice-name", metavar="NAME", help="username of the notice account (default: equa-admin-bot)"
    )
    command.add_argument(
        "--new-token", action="store_true", help="make new tokens; the old ones stay good until revoked"
    )
    command.add_argument(
        "--bridge-url",
        metavar="URL",
        help="the bridge as Mattermost reaches it, such as http://bridge:8090, for sign-in with Equa and for"
        " buttons: asked for at a terminal, known at a repeat, and without it both are left out",
    )
    command.add_argument(
        "--no-passwords",
        action="store_true",
        help="switch sign-in by e-mail and username off once people sign in with Equa; asked at a terminal",
    )
    command.add_argument(
        "--new-sign-in-secret",
        action="store_true",
        help="make a new SIGN_IN_SECRET; nobody can sign in until the bridge has it too",
    )
    command.add_argument(
        "--write-env",
        metavar="FILE",
        help="keep tokens and secrets in FILE (mode 0600) instead of printing them",
    )
    command.add_argument(
        "--local-socket",
        metavar="PATH",
        help="Mattermost's local mode socket: makes the administrator of a fresh server and its token first",
    )
    command.add_argument(
        "--admin-name",
        metavar="NAME",
        default="equa-admin",
        help="that administrator's username (default: %(default)s)",
    )
    _json(command)


def _doctor(command: argparse.ArgumentParser) -> None:
    command.epilog = f"Exits with 1 if something needs repair. {_VARIABLES}"
    command.add_argument(
        "--ask", action="store_true", help="ask the agent one harmless question, which its model answers"
    )
    _json(command)


def _status(command: argparse.ArgumentParser) -> None:
    command.add_argument("--watch", action="store_true", help="show it anew every two seconds until Ctrl-C")
    _json(command)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON object, for machines")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    options = parser().parse_args(arguments)
    try:
        command = import_module(f"bridge.commands.{options.command}")
        code: int = asyncio.run(command.run(options, os.environ))
        sys.stdout.flush()
    except (BridgeError, ExceptionGroup) as error:
        code = _explained(error)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = _unread()
    sys.exit(code)


def _unread() -> int:
    """Drop what is still to be written: whoever reads has enough, as `head` has. Return the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _explained(error: Exception) -> int:
    """Print a known error and return the exit code; a bug keeps its traceback."""
    match _innermost(error):
        case ConfigurationError(mistakes=mistakes):
            print("The configuration is wrong:", *mistakes, sep="\n  ", file=sys.stderr)
            return 2
        case UsageError(message=message):
            print(message, file=sys.stderr)
            return 2
        case BridgeError(message=message):
            print(message, file=sys.stderr)
            return 1
    raise error


def _innermost(error: Exception) -> Exception:
    """Return the single error inside nested exception groups."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
