"""`equabot-bridge demo`: the real daemon among stand-ins for everything that it talks to."""

import asyncio
import shlex
import signal
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import aiohttp

from bridge import config, embedded
from bridge.db.accounts import Accounts
from bridge.db.memberships import Memberships
from bridge.db.pool import open_pool
from bridge.db.teams import Teams
from bridge.errors import StartupError
from bridge.log import configure
from bridge.models.chat import Team, TeamId, User, UserId
from bridge.runtime.daemon import serve
from bridge.sandbox import demo_data, demo_history
from bridge.sandbox.demo_stack import BOT, DemoStack, raised
from bridge.sandbox.mattermost import Post
from bridge.sandbox.ports import HOST, ReservedPort
from bridge.text.mentions import mentions
from handlers.posts.parts import MARK
from handlers.posts.remarks import APOLOGIES

_SITE_PORT = 8080

_STILL = 4.0
"""Seconds after which an answer that grows is taken for whole."""
_MAX_WAIT = 30.0
"""Seconds that `--ask` waits for its answer."""


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show the demo until Ctrl-C, or ask one question in it."""
    settings = config.load(
        {name: value for name, value in environ.items() if name.startswith(("BRIDGE_", "LOG_"))}
    )
    if options.ask is not None:
        _require_mention(options.ask)
        configure("error", settings.log_format)
        with tempfile.TemporaryDirectory(prefix="equabot-demo-") as folder, _reserved(0) as reserved:
            async with (
                raised(_url(reserved), chat_port=0, site_port=0) as stack,
                _served(stack, Path(folder)) as stop,
            ):
                return await _ask(stack, options.ask, stop)
    configure(settings.log_level, settings.log_format)
    data_dir = settings.bridge_data_dir / "demo"
    with _reserved(settings.bridge_port) as reserved:
        async with (
            raised(_url(reserved), chat_port=options.port, site_port=_SITE_PORT) as stack,
            _served(stack, data_dir) as stop,
        ):
            if not stop.is_set():
                _welcome(stack, data_dir)
            await stop.wait()
    return 0


@asynccontextmanager
async def _served(stack: DemoStack, data_dir: Path) -> AsyncIterator[asyncio.Event]:
    """Run the daemon; once it is ready or stopping, yield the event that stops it."""
    port = stack.bridge_url.rpartition(":")[2]
    settings = config.load({**stack.environ(), "BRIDGE_DATA_DIR": str(data_dir), "BRIDGE_PORT": port})
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(settings, stop), name="daemon")
        if await _ready(stack.bridge_url, stop):
            await _map(stack, data_dir)
        yield stop
        stop.set()


async def _ready(url: str, stop: asyncio.Event) -> bool:
    """Wait until the daemon is ready; False if it is to stop before that."""
    async with aiohttp.ClientSession() as session:
        while not stop.is_set():
            with suppress(aiohttp.ClientError):
                async with session.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return True
            await asyncio.sleep(0.05)
    return False


async def _map(stack: DemoStack, data_dir: Path) -> None:
    """Store teams and people in the daemon's database, as visits through Equa do."""
    dsn = embedded.dsn_of_running(data_dir)
    assert dsn
    async with await open_pool(dsn, max_size=1) as pool:
        teams, accounts, memberships = Teams(pool), Accounts(pool), Memberships(pool)
        for each in stack.teams:
            team = Team(TeamId(each.team.id), each.team.name, each.team.display_name)
            await teams.record(each.organization_id, team, shown_name=team.display_name)
        for person, user in stack.people.items():
            await accounts.record(person, User(UserId(user.id), user.username), provisioned=True)
        for company in demo_data.COMPANIES:
            for account, _ in company.people():
                await memberships.join(company.id, account.id, verdict_age=timedelta())
                await memberships.joined(company.id, account.id)
        await demo_history.store(pool)


def _welcome(stack: DemoStack, data_dir: Path) -> None:
    print(
        f"\n  Open     {stack.equa.url}"
        "\n           pick a person, open Messaging, and write in #agent: @equabot who is on our team?"
        "\n           Dmitri is in two organizations: alone with Equabot he chooses one"
        "\n           Ada and Elif administer theirs: they see what its agent does, and what that costs"
        "\n           @equabot please pay 100: Ada or Elif has to approve it, in the thread or on that page"
        f"\n  Chat     {stack.chat_url}"
        f"\n  Health   {stack.bridge_url}/readyz"
        f"\n  Commands BRIDGE_DATA_DIR={shlex.quote(str(data_dir))} equabot-bridge status"
        "\n\n  Ctrl-C ends it.\n",
        flush=True,
    )


def _require_mention(text: str) -> None:
    if not mentions(text, BOT):
        raise StartupError(f'The question does not mention @{BOT}, so nobody answers it. Write "@{BOT} …".')


async def _ask(stack: DemoStack, text: str, stop: asyncio.Event) -> int:
    if stop.is_set():
        return 1
    post = stack.post(text)
    deadline = time.monotonic() + _MAX_WAIT
    while not (replies := _replies(stack, post)) and not stop.is_set() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    if any(each.props[MARK].get("grows") for each in replies):
        replies = await _grown(stack, post)
    for each in [post, *replies]:
        print(f"{stack.name_of(each)}: {each.message}")
    if not replies and not stop.is_set():
        print(f"No answer within {_MAX_WAIT:.0f} s.", file=sys.stderr)
    return 0 if replies and replies[0].message not in APOLOGIES else 1


async def _grown(stack: DemoStack, post: Post) -> list[Post]:
    """Return the answer once it has stopped growing: the pauses between two edits are shorter at first."""
    before, now = list[str](), _texts(stack, post)
    while before != now:
        await asyncio.sleep(_STILL)
        before, now = now, _texts(stack, post)
    return _replies(stack, post)


def _texts(stack: DemoStack, post: Post) -> list[str]:
    return [each.message for each in _replies(stack, post)]


def _replies(stack: DemoStack, post: Post) -> list[Post]:
    return [each for each in stack.mattermost.store.thread(post.id) if each.user_id == stack.bot.id]


def _reserved(preferred: int) -> ReservedPort:
    """Reserve the port, or any if somebody has it."""
    try:
        return ReservedPort(preferred)
    except OSError:
        return ReservedPort()


def _url(reserved: ReservedPort) -> str:
    return f"http://{HOST}:{reserved.port}"
