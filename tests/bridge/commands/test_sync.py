"""`equabot-bridge sync` as an operator runs it."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import structlog

from bridge.cli import parser
from bridge.commands import sync
from bridge.commands.sync import Bar
from bridge.errors import ConfigurationError, EquaUnavailable, NotAMember, SyncRefused, UsageError
from bridge.sandbox import demo_data
from bridge.sandbox.equa import away
from provisioning.report import Counts, Progress
from tests.support.front import ACME
from tests.support.syncing import Desk, desk


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


@pytest.fixture
async def acme(dsn: str) -> AsyncIterator[Desk]:
    async with desk(dsn) as built:
        yield built


async def ran(built: Desk, *arguments: object, **variables: str) -> int:
    options = parser().parse_args(["sync", *map(str, arguments)])
    return await sync.run(options, {**built.environ, **variables})


def people(built: Desk) -> set[str]:
    chat = built.chat
    return {user.first_name for user in chat.people() if chat.is_in(chat.team("acme-corp"), user)}


async def test_the_team_matches_the_roster(acme: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what was done, and the second time that nothing was."""
    assert await ran(acme, ACME.id) == 0
    first = capsys.readouterr()
    assert await ran(acme, ACME.id) == 0

    assert people(acme) == {"Ada", "Ben", "Chloe", "Dmitri"}
    assert first.out == "4 added, 4 of them with a new account, 0 removed, 0 as they were\n"
    assert first.err.splitlines()[-1] == "4 of 4"
    assert capsys.readouterr().out == "0 added, 0 of them with a new account, 0 removed, 4 as they were\n"


async def test_a_dry_run_tells_and_changes_nothing(acme: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each who would be added or removed."""
    await ran(acme, ACME.id)
    acme.equa.store.remove_member(ACME.id, demo_data.BEN.id)
    acme.equa.store.add_member(ACME.id, acme.equa.store.users[demo_data.HANA.id])
    capsys.readouterr()

    assert await ran(acme, ACME.id, "--dry-run") == 0

    assert capsys.readouterr().out.splitlines() == [
        f"+ {demo_data.HANA.id}  Hana Weiss, whose account would be opened or repaired",
        f"- {demo_data.BEN.id}  ben.okafor",
        "1 would be added, 1 removed, 3 stay as they are",
    ]
    assert people(acme) == {"Ada", "Ben", "Chloe", "Dmitri"}


async def test_a_dry_run_needs_no_team(acme: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """And founds none."""
    assert await ran(acme, ACME.id, "--dry-run") == 0

    assert capsys.readouterr().out.endswith("4 would be added, 0 removed, 0 stay as they are\n")
    assert acme.chat.teams() == []


async def test_what_failed_is_told_by_person(acme: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1, and the others are done."""
    acme.chat.store.create_user("legacy", email=demo_data.BEN.email)

    assert await ran(acme, ACME.id) == 1

    said = capsys.readouterr()
    assert said.out.startswith("3 added")
    assert f"! {demo_data.BEN.id}  Their Mattermost account" in said.err


async def test_half_a_team_needs_force(acme: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run says so too."""
    extra = [demo_data._account(100 + number, f"extra{number}", "Extra", str(number)) for number in range(8)]
    for account in extra:
        acme.equa.store.add_member(ACME.id, acme.equa.store.add_account(account))
    await ran(acme, ACME.id)
    for account in extra:
        acme.equa.store.remove_member(ACME.id, account.id)

    with pytest.raises(SyncRefused, match=r"8 of 12 people .* --force"):
        await ran(acme, ACME.id)
    assert await ran(acme, ACME.id, "--dry-run") == 1
    assert "--force" in capsys.readouterr().err
    assert len(people(acme)) == 5

    assert await ran(acme, ACME.id, "--force") == 0
    assert "8 removed" in capsys.readouterr().out
    assert people(acme) == {"Ada", "Ben", "Chloe", "Dmitri"}


async def test_what_is_no_organization_is_a_wrong_command(
    acme: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of a team is one, as soon as there is the team."""
    with pytest.raises(UsageError, match="UUID"):
        await ran(acme, "acme-corp")

    await ran(acme, ACME.id)
    assert await ran(acme, "acme-corp", "--dry-run") == 0
    assert capsys.readouterr().out.endswith("4 stay as they are\n")


@pytest.mark.parametrize("name", ["EQUA_API_URL", "MATTERMOST_ADMIN_BOT_TOKEN", "MATTERMOST_URL"])
async def test_it_says_which_variable_is_missing(acme: Desk, name: str) -> None:
    """By its name."""
    with pytest.raises(ConfigurationError, match=f"{name}: missing"):
        await ran(acme, ACME.id, **{name: ""})


async def test_without_a_service_account_nobody_can_read_the_roster(acme: Desk) -> None:
    """Both of its variables are named."""
    with pytest.raises(ConfigurationError) as error:
        await ran(acme, ACME.id, EQUA_SERVICE_EMAIL="", EQUA_SERVICE_PASSWORD="")

    assert [line.split(":")[0] for line in error.value.mistakes] == [
        "EQUA_SERVICE_EMAIL",
        "EQUA_SERVICE_PASSWORD",
    ]


async def test_an_organization_that_equa_does_not_show_is_none(acme: Desk) -> None:
    """Its id may be mistyped."""
    with pytest.raises(NotAMember):
        await ran(acme, uuid4())


async def test_while_equa_is_away_nothing_is_done(acme: Desk) -> None:
    """The error goes to whoever runs it."""
    acme.equa.controls.fail(away())

    with pytest.raises(EquaUnavailable):
        await ran(acme, ACME.id)


async def test_beside_a_daemon_that_syncs_it_waits_its_turn(acme: Desk) -> None:
    """And finds what is left to do."""
    async with acme.working():
        asked, code = await asyncio.gather(acme.sync(), ran(acme, ACME.id))

    assert (asked.status, code) == (200, 0)
    assert len(acme.chat.people()) == 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def step(done: int, total: int = 8) -> Progress:
    return Progress(done, total, Counts())


async def test_a_terminal_sees_a_bar() -> None:
    """One line that fills up."""
    terminal = Terminal()
    bar = Bar(terminal)

    for done in (0, 4, 8):
        await bar.show(step(done))

    assert terminal.getvalue() == (
        f"[{' ' * 30}] 0 of 8\r[{'#' * 15}{' ' * 15}] 4 of 8\r[{'#' * 30}] 8 of 8\n"
    )


async def test_a_log_sees_a_line_for_each_tenth() -> None:
    """However many steps there are."""
    written = io.StringIO()
    bar = Bar(written)

    for done in range(1001):
        await bar.show(step(done, 1000))
    await Bar(written).show(step(0, 0))

    assert written.getvalue().splitlines() == [f"{done} of 1000" for done in range(100, 1001, 100)]
