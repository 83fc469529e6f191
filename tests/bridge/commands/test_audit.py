"""`equabot-bridge audit` as an operator asks it."""

import csv
import io
import json
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog
from asyncpg import Pool

from bridge.cli import parser
from bridge.commands import audit
from bridge.db.audit import Audit
from bridge.errors import UsageError
from bridge.models.audit import Actor, AuditEntry
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from tests.support.mappings import Mappings

ACME, BOREALIS = OrganizationId(UUID(int=0xA)), OrganizationId(UUID(int=0xB))
ADA, USER = PersonId(UUID(int=1)), UserId("a" * 26)


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
async def rows(pool: Pool) -> None:
    """Three of one organization, the oldest of last week, and one of another."""
    mappings, rows = Mappings(pool), Audit(pool)
    await mappings.map_team(ACME, TeamId("t" * 26), "acme-corp")
    await mappings.map_person(ADA, USER, "ada")
    ada = Actor(ADA, role="admin")
    await rows.add(AuditEntry(ACME, "budget_hit", "tokens", "bridge", details={"used": 7}))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update audit set at = now() - interval '8 days'")
    await rows.add(AuditEntry(ACME, "answer_stopped", "stopped", "reaction", ada, "post:one"))
    changes = {"role.from": None, "role.to": "admins"}
    await rows.add(AuditEntry(ACME, "settings_changed", "changed", "page", ada, "settings:1", changes))
    await rows.add(AuditEntry(BOREALIS, "answer_stopped", "stopped", "thread"))


async def ran(dsn: str, *arguments: str) -> int:
    return await audit.run(parser().parse_args(["audit", *arguments]), {"DATABASE_URL": dsn})


@pytest.mark.parametrize("name", [str(ACME), "acme-corp", "ACME-Corp"])
async def test_rows_are_listed_the_newest_first(
    dsn: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Of one organization, by its id or by the name of its team."""
    assert await ran(dsn, name) == 0

    lines = [line.split("  ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        'settings_changed: changed  @ada (admin)  page  settings:1  role.from=null role.to="admins"',
        "answer_stopped: stopped  @ada (admin)  reaction  post:one",
        "budget_hit: tokens  nobody  bridge  used=7",
    ]


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        (["--since", "7d"], ["settings_changed", "answer_stopped"]),
        (["--since", "200h"], ["settings_changed", "answer_stopped", "budget_hit"]),
        (["--until", "7d"], ["budget_hit"]),
        (["--since", "2020-01-01", "--until", "2020-01-02T00:00:00Z"], []),
        (["--kind", "budget_hit", "--kind", "answer_stopped"], ["answer_stopped", "budget_hit"]),
    ],
)
async def test_rows_are_wanted_by_time_and_kind(
    dsn: str, capsys: pytest.CaptureFixture[str], arguments: list[str], kinds: list[str]
) -> None:
    """As programs read them."""
    assert await ran(dsn, "acme-corp", "--json", *arguments) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert await ran(dsn, "acme-corp", "--csv", *arguments) == 0
    cells = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [line["kind"] for line in lines] == kinds
    assert [line["kind"] for line in cells] == kinds
    assert all(line["personId"] == str(ADA) for line in lines if line["kind"] != "budget_hit")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody"], "No organization's team is called 'nobody'"),
        (["7b0a8d0e"], "ORG is the organization's id in Equa, a UUID"),
        (["acme-corp", "--since", "yesterday"], "--since has to be a day"),
        (["acme-corp", "--until", "0d1"], "--until has to be a day"),
        (["acme-corp", "--kind", "everything"], "There is no kind everything; there are approval_decided"),
    ],
)
async def test_a_wrong_argument_is_named(
    dsn: str, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """And nothing is printed that a program may take for an answer."""
    with pytest.raises(UsageError, match=sentence):
        await ran(dsn, *arguments, "--csv")

    assert not capsys.readouterr().out


async def test_two_organizations_of_one_name_are_told_apart(dsn: str, pool: Pool) -> None:
    """By their ids."""
    await Mappings(pool).map_team(BOREALIS, TeamId("u" * 26), "acme-corp")

    with pytest.raises(UsageError, match=f"name one by its id: {ACME}, {BOREALIS}"):
        await ran(dsn, "acme-corp")


async def test_it_says_that_there_is_nothing(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Not to a program that reads the rows. A wrong id looks like an organization in which all is quiet."""
    assert await ran(dsn, str(UUID(int=0xD)), "--json") == 0

    reported = capsys.readouterr()
    assert reported.out == ""
    assert reported.err == "The audit has no such rows of this organization.\n"
