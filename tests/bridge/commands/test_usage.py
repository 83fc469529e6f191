"""`equabot-bridge usage` as an operator asks it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
import structlog
from asyncpg import Pool

from bridge.cli import parser
from bridge.commands import usage
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.errors import UsageError
from bridge.models.agent import Usage
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry
from bridge.models.usage import Meter, Run
from tests.support.mappings import Mappings

ACME, BOREALIS = OrganizationId(UUID(int=0xA)), OrganizationId(UUID(int=0xB))
ADA = PersonId(UUID(int=1))
TODAY = datetime.now(UTC).date().isoformat()


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
async def answers(pool: Pool) -> None:
    """Two of one organization, of which one was told only in part, and one of another."""
    mappings, inbox = Mappings(pool), Inbox(pool)
    await mappings.map_team(ACME, TeamId("t" * 26), "acme-corp")
    await mappings.map_person(ADA, UserId("a" * 26), "ada")
    known = Run("sonnet", Usage(1000, 20), Decimal("0.0033"))
    for number, (organization, runs) in enumerate(
        ((ACME, [known]), (ACME, [known, Run("")]), (BOREALIS, []))
    ):
        payload = {"post_id": f"p{number}", "user_id": "a" * 26, "person_id": str(ADA)}
        await inbox.put_all([Entry("mention", f"thread:{number}", organization, f"post:p{number}", payload)])
        (job,) = await inbox.claim(Capacity(1))
        await inbox.save_answer(job.id, "forty-two", used=Meter(runs, 1.25, 4).used("answered"))
        await inbox.finish(job.id, {"posts": ["p"]})


async def ran(dsn: str, *arguments: str) -> int:
    return await usage.run(parser().parse_args(["usage", *arguments]), {"DATABASE_URL": dsn})


async def test_the_days_of_an_organization_are_a_table(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what is known, and a plus where that is not all."""
    assert await ran(dsn, "acme-corp", "--from", TODAY) == 0

    head, day, total = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[:2] == ["day", "questions"]
    assert day == [TODAY, *["2", "2", "0", "0", "0", "0", "2000+", "40+", "0.0066+", "1.2", "4.0", "0", "0"]]
    assert total == ["total", *day[1:]]


async def test_without_an_organization_all_are_listed(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the name of the team, if it has one."""
    assert await ran(dsn) == 0

    lines = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [["acme-corp", "2"], [str(BOREALIS), "1"], ["total", "3"]]


async def test_machines_get_what_the_api_has(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await ran(dsn, str(ACME), "--by", "person", "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    assert (shown["organizationId"], shown["to"], shown["by"]) == (str(ACME), TODAY, "person")
    assert shown["total"]["cost"] == "0.0066"
    (line,) = shown["lines"]
    assert (line["key"], line["username"], line["questions"]) == (str(ADA), "ada", 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "yesterday"), "--from has to be a day"),
        (("--to", "2026-02-30"), "--to has to be a day"),
        (("--from", "2026-11-27", "--to", "2026-11-26"), "may not be after --to"),
        (("--from", "2025-01-01", "--to", "2026-11-26"), "395 days at most"),
        (("nobody",), "No organization's team is called 'nobody'"),
    ],
)
async def test_what_is_no_question_is_refused(dsn: str, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        await ran(dsn, *arguments)
