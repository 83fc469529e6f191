"""`equabot-bridge why POST_ID` as an operator asks it."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from asyncpg import Pool

from bridge.cli import parser
from bridge.commands import why
from bridge.db.agent_questions import AgentQuestions
from bridge.db.approvals import Approvals
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.positions import Positions
from bridge.embedded import sockets
from bridge.embedded.cluster import Cluster
from bridge.errors import TokenRefused, UsageError
from bridge.models.approval_records import Decider
from bridge.models.approvals import (
    AgentQuestion,
    AgentQuestionId,
    Approval,
    ApprovalId,
    Decision,
    Inquiry,
)
from bridge.models.chat import ChannelId, Position, PostId, UserId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, Job, JobKind
from bridge.reasons import REASONS
from bridge.sandbox.mattermost import Post
from bridge.sandbox.mattermost.posts import delete_post
from tests.support.daemon import running
from tests.support.hosts import Company, Hosts

POST = "p" * 26
ACME = OrganizationId(UUID(int=1))


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The command configures the log."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def acme(hosts: Hosts) -> Company:
    return hosts.companies[0]


async def ask(environ: Mapping[str, str], post_id: str = POST) -> int:
    return await why.run(parser().parse_args(["why", post_id]), environ)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


async def claimed(pool: Pool, kind: JobKind = "mention") -> tuple[Inbox, Job]:
    """Put the post in, and begin with it."""
    inbox = Inbox(pool)
    await inbox.put_all(
        [Entry(kind, f"thread:{POST}", ACME, f"post:{POST}", {"post_id": POST, "user_id": "g" * 26})]
    )
    (job,) = await inbox.claim(Capacity(1))
    return inbox, job


async def answered(pool: Pool) -> None:
    inbox, job = await claimed(pool)
    await inbox.finish(job.id, {"posts": ["one", "two"]})


async def answered_in_part(pool: Pool) -> None:
    inbox, job = await claimed(pool)
    await inbox.finish(job.id, {"posts": ["one"], "unread": ['"a.zip": unsupported']})


async def apologized(pool: Pool) -> None:
    inbox, job = await claimed(pool)
    await inbox.save_answer(job.id, "Sorry", "agent_failed after 1 attempt: The agent sent no text.")
    await inbox.finish(job.id, {"posts": ["one"]})


async def buried(pool: Pool) -> None:
    inbox, job = await claimed(pool)
    await inbox.dead_letter(job.id, "channel_not_usable: The channel is archived.")


async def skipped(pool: Pool) -> None:
    inbox, job = await claimed(pool, "invite")
    await inbox.finish(job.id, {"skipped": "other_bot"})


async def postponed(pool: Pool) -> None:
    inbox, job = await claimed(pool)
    await inbox.retry(job, 60, "agent_unavailable: The agent cannot be reached.")


async def begun(pool: Pool) -> None:
    await claimed(pool)


async def waiting(pool: Pool) -> None:
    inbox, _ = await claimed(pool)
    await inbox.release()


async def refused(pool: Pool) -> None:
    entry = Entry("mention", f"thread:{POST}", ACME, f"post:{POST}", {}, refused="not_mentioned")
    await Inbox(pool, lease=timedelta(0)).put_all([entry])


@pytest.mark.parametrize(
    ("happened", "reported"),
    [
        (answered, ["mention: done", "posted: one", "posted: two", "stored: ", "finished after "]),
        (
            answered_in_part,
            [
                "mention: done",
                "posted: one",
                'file not read: "a.zip": unsupported',
                "stored: ",
                "finished after ",
            ],
        ),
        (
            apologized,
            [
                "mention: dead",
                "posted: one",
                "last error: agent_failed after 1 attempt: The agent sent no text.",
                "stored: ",
                "finished after ",
            ],
        ),
        (
            buried,
            [
                "mention: dead",
                "last error: channel_not_usable: The channel is archived.",
                "stored: ",
                "finished after ",
            ],
        ),
        (skipped, ["invite: done", f"not answered: {REASONS['other_bot']}", "stored: ", "finished after "]),
        (
            postponed,
            [
                "mention: waiting",
                "next attempt: ",
                "last error: agent_unavailable: The agent cannot be reached.",
                "stored: ",
            ],
        ),
        (begun, ["mention: running", "being worked on; lease until 20", "stored: "]),
        (waiting, ["mention: waiting", "next attempt: 20", "stored: "]),
        (refused, ["mention: refused", f"not answered: {REASONS['not_mentioned']}", "stored: "]),
    ],
)
async def test_what_became_of_a_post_is_told(
    dsn: str,
    pool: Pool,
    capsys: pytest.CaptureFixture[str],
    happened: Callable[[Pool], Awaitable[None]],
    reported: list[str],
) -> None:
    """Each state in its own words, with what an operator needs to go on; no Mattermost is asked."""
    await happened(pool)

    assert await ask({"DATABASE_URL": dsn}) == 0

    said = lines(capsys)
    assert len(said) == len(reported)
    assert [line for line, start in zip(said, reported, strict=True) if not line.startswith(start)] == []


async def test_what_the_agent_waits_for_is_told(
    dsn: str, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be why there is no answer yet. Who has decided is named; nothing that the agent says."""
    await claimed(pool)
    approvals, until = Approvals(pool), (time.time_ns() // 1_000_000) + 60_000
    place = Conversation(ACME, ChannelId("c" * 26), PostId(POST))
    decisions: tuple[Decision, ...] = ("allow-once", "deny")
    for id_ in "one", "two":
        asked = Approval(
            ApprovalId(id_), "plugin", place, "", "Secret", "", "pay", "info", decisions, 1, until
        )
        first = await approvals.add(asked)
        assert first
        if id_ == "one":
            await approvals.decide(first.id, "deny", Decider("button", "admin", user_id=UserId("u" * 26)))
    inquiry = AgentQuestion(AgentQuestionId("q"), place, "", (Inquiry("i", "", "Secret?"),), 1, until)
    await AgentQuestions(pool).add(inquiry)
    denied = f"approval of pay: denied with a button by {'u' * 26}"

    assert await ask({"DATABASE_URL": dsn}) == 0

    assert [line.partition(" until ")[0] for line in lines(capsys)[-3:]] == [
        denied,
        "approval of pay: waits",
        "question of the agent: waits",
    ]


@pytest.mark.parametrize("post_id", ["x", "P" * 26, "p" * 27, "../" + "p" * 23, "p" * 25 + "\n"])
async def test_what_is_no_id_is_refused(dsn: str, capsys: pytest.CaptureFixture[str], post_id: str) -> None:
    """Neither of a post nor of an event."""
    with pytest.raises(UsageError, match="a post's id has 26 characters"):
        await ask({"DATABASE_URL": dsn}, post_id)

    assert not capsys.readouterr().out


async def test_what_became_of_an_event_is_told(
    dsn: str, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its id, of each source."""
    notices = [
        Entry("notice", "channel:1", ACME, "event:1", {"id": "upload-1"}, refused="notice_muted"),
        Entry("notice", "channel:1", ACME, "event:2", {"id": "upload-1"}),
    ]
    await Inbox(pool).put_all(notices)

    assert await ask({"DATABASE_URL": dsn}, "upload-1") == 0

    told = lines(capsys)
    assert told[:2] == ["notice: refused", "not posted: Its organization has muted notices of this type."]
    assert "notice: waiting" in told


async def test_without_a_mattermost_only_what_is_stored_is_known(
    dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what would be needed to know more."""
    assert await ask({"DATABASE_URL": dsn}) == 1

    assert lines(capsys) == [
        "The post was never stored; to look at it, MATTERMOST_URL and MATTERMOST_BOT_TOKEN are needed."
    ]


async def test_an_unknown_post_is_told(hosts: Hosts, capsys: pytest.CaptureFixture[str]) -> None:
    assert await ask(hosts.environ) == 1

    assert lines(capsys) == [
        "The bot cannot see such a post: it does not exist, or the bot is not in its channel."
    ]


async def test_a_deleted_post_is_told(
    hosts: Hosts, acme: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mattermost does not show it any more."""
    post = hosts.ask(acme, "@equabot hello")
    delete_post(hosts.store, post)

    assert await ask(hosts.environ, post.id) == 1


def elsewhere(hosts: Hosts, acme: Company) -> Post:
    square = hosts.store.channel(acme.team, "town-square")
    return hosts.store.post_as(acme.people[0], square, "@equabot hello")


def in_a_group(hosts: Hosts, acme: Company) -> Post:
    group = hosts.store.group(acme.people[0], acme.people[1], hosts.bot)
    return hosts.store.post_as(acme.people[0], group, "@equabot hello")


def own(hosts: Hosts, acme: Company) -> Post:
    return hosts.store.post_as(hosts.bot, acme.agent, "@equabot hello")


def by_a_bot(hosts: Hosts, acme: Company) -> Post:
    """A bot whose posts do not say so."""
    other = hosts.store.create_bot("otherbot")
    for place in (acme.team, acme.agent):
        hosts.store.join(place, other)
    post = hosts.store.post_as(other, acme.agent, "@equabot hello")
    post.props.clear()
    return post


def by_a_webhook(hosts: Hosts, acme: Company) -> Post:
    return hosts.store.post_as(acme.people[0], acme.agent, "@equabot hi", props={"from_webhook": "true"})


def chatter(hosts: Hosts, acme: Company) -> Post:
    return hosts.ask(acme, "hello everybody")


def old(hosts: Hosts, acme: Company) -> Post:
    at = hosts.store.now() - 25 * 3600 * 1000
    return hosts.store.post_as(acme.people[0], acme.agent, "@equabot hello", create_at=at)


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (elsewhere, "other_channel"),
        (in_a_group, "group_message"),
        (own, "own_post"),
        (by_a_bot, "other_bot"),
        (by_a_webhook, "webhook"),
        (chatter, "not_mentioned"),
        (old, "too_old"),
    ],
)
async def test_a_post_that_was_never_stored_is_looked_at_anew(
    hosts: Hosts,
    acme: Company,
    capsys: pytest.CaptureFixture[str],
    happened: Callable[[Hosts, Company], Post],
    reason: str,
) -> None:
    """What can be told at any time is not stored, and told all the same."""
    post = happened(hosts, acme)

    assert await ask(hosts.environ, post.id) == 0

    assert lines(capsys) == [f"not answered: {REASONS[reason]}"]


async def test_history_is_told_by_where_the_channel_began(
    hosts: Hosts, acme: Company, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A post from before the bridge listened there."""
    post = hosts.ask(acme, "@equabot hello")
    position = Position(ChannelId(acme.agent.id), PostId(""), post.create_at, post.create_at + 1)
    await Positions(pool).begin(post.create_at, [position])

    assert await ask(hosts.environ, post.id) == 0

    assert lines(capsys) == [f"not answered: {REASONS['before_start']}"]


async def test_a_team_without_an_organization_is_told(
    hosts: Hosts, acme: Company, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    post = hosts.ask(acme, "@equabot hello")
    await pool.execute("delete from mattermost_org_mappings")

    assert await ask(hosts.environ, post.id) == 0

    assert lines(capsys) == [f"not answered: {REASONS['team_not_mapped']}"]


@pytest.mark.parametrize("mapped", [True, False])
async def test_a_post_that_is_still_to_be_answered_is_told(
    hosts: Hosts, acme: Company, pool: Pool, capsys: pytest.CaptureFixture[str], *, mapped: bool
) -> None:
    """Nothing speaks against it, so the daemon has not read it: exit code 1."""
    post = hosts.ask(acme, "@equabot hello")
    if not mapped:
        await pool.execute("delete from mattermost_user_mappings")

    assert await ask(hosts.environ, post.id) == 1

    (line,) = lines(capsys)
    assert line.startswith("It is to be answered, but it is not stored yet: the channel was never read.")


async def test_a_post_that_the_bot_could_not_hear_is_explained(
    hosts: Hosts, acme: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    """While somebody has taken the bot out of the channel, every part of the daemon is well."""
    hosts.store.leave(acme.agent, hosts.bot)
    post = hosts.ask(acme, "@equabot hello")

    assert await ask(hosts.environ, post.id) == 1

    (line,) = lines(capsys)
    assert "the bot is not in the channel" in line
    assert "readyz" not in line


@pytest.mark.parametrize(
    ("read", "explained"),
    [(3_600_000, "without it: the bot could not see it"), (-1000, "and the post is of")],
)
async def test_how_far_the_channel_was_read_is_shown(
    hosts: Hosts, acme: Company, pool: Pool, capsys: pytest.CaptureFixture[str], *, read: int, explained: str
) -> None:
    """A post that the reading has passed is not coming any more."""
    post = hosts.ask(acme, "@equabot hello")
    end = post.create_at + read
    await Positions(pool).begin(1, [Position(ChannelId(acme.agent.id), PostId(""), end, 1)])

    assert await ask(hosts.environ, post.id) == 1

    (line,) = lines(capsys)
    assert datetime.fromtimestamp(end / 1000, UTC).isoformat(timespec="seconds") in line
    assert explained in line


async def test_a_refused_token_is_no_missing_post(hosts: Hosts, acme: Company) -> None:
    """The operator is told of the token; `main` makes a sentence and exit code 1 of it."""
    hosts.bot_token.is_active = False
    post = hosts.ask(acme, "@equabot hello")

    with pytest.raises(TokenRefused):
        await ask(hosts.environ, post.id)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    sockets.remove(Cluster.of(tmp_path / "data").sockets)


async def test_it_works_beside_the_daemon_and_without_it(
    hosts: Hosts, acme: Company, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An embedded database is shared with the daemon that runs it, or started for the question."""
    embedded = {name: value for name, value in hosts.environ.items() if name != "DATABASE_URL"}
    environ = {**embedded, "BRIDGE_DATA_DIR": str(data_dir)}
    post = hosts.ask(acme, "@equabot hello")
    async with running(environ, tmp_path / "log") as daemon:
        beside = await ask(environ, post.id)
        await daemon.ready()
        await daemon.stop()
    without = await ask(environ, post.id)

    assert (beside, without) == (0, 0)
    assert lines(capsys) == [f"not answered: {REASONS['before_start']}"] * 2
