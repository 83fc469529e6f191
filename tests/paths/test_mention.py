"""A mention in #agent gets its organization's answer: what people see."""

import asyncio
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_history import JobHistory
from bridge.models.chat import PostId
from bridge.models.jobs import OutgoingMessage, message_entry
from bridge.sandbox.agent.faults import Says
from handlers.posts.remarks import HOW_TO_GET_IN
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts


async def test_the_answer_stands_in_the_thread(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """Somebody asks, and the agent of their organization answers under the question."""
    post = hosts.ask(acme, "@equabot who is on our team?")

    await hosts.answered(post)

    (answer,) = hosts.answers(post)
    assert answer.root_id == post.id
    assert "Acme Corp" in answer.message


async def test_each_organization_hears_of_itself_only(
    hosts: Hosts, acme: Company, borealis: Company, daemon: Daemon
) -> None:
    """The organization comes from the team, whatever the text says."""
    one = hosts.ask(acme, f"@equabot who is on the team of {borealis.name}?")
    two = hosts.ask(borealis, "@equabot who is on our team?")

    await hosts.answered(one, two)

    assert borealis.people[0].username not in hosts.answers(one)[0].message
    assert borealis.people[0].username in hosts.answers(two)[0].message
    assert {call.headers["x-equa-organization"] for call in hosts.agent.calls} == {
        str(acme.id),
        str(borealis.id),
    }


async def test_the_agent_knows_who_says_what(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """With a second person in the thread everybody's name stands in front of what they say."""
    first, second = acme.people[:2]
    question = hosts.ask(acme, "@equabot hello")
    await hosts.answered(question)
    other = hosts.store.post_as(
        second, acme.agent, f"@equabot I agree\n@{first.username}: so do I", root_id=question.id
    )
    await hosts.answered(other)

    alone, together = (call.text for call in hosts.agent.calls)
    assert alone == "hello"
    name = f"{second.first_name} {second.last_name}".strip()
    shown = f"{name} (@{second.username})" if name else f"@{second.username}"
    assert together == f"{shown}: I agree\n  @{first.username}: so do I"


async def test_an_agent_that_says_nothing_posts_nothing(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """And the reason is kept for `why`."""
    hosts.agent.fail(Says("NO_REPLY"))
    silent = hosts.ask(acme, "@equabot thanks, that is all")
    await hosts.agent.until(lambda: len(hosts.agent.calls) == 1)
    answered = hosts.ask(acme, "@equabot hello")
    await hosts.answered(answered)

    async with asyncio.timeout(60):
        while (record := await JobHistory(pool).record(PostId(silent.id))) is None or record.state != "done":
            await asyncio.sleep(0.02)
    assert record.result == {"skipped": "no_reply"}
    assert hosts.replies(silent) == []


async def test_a_thread_goes_on_without_mentions(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """In a thread of the bot a follow-up needs no mention, and the gateway knows what was said before."""
    first = hosts.ask(acme, "@equabot hello")
    await hosts.answered(first)

    follow_up = hosts.ask(acme, "what did I say?", root_id=first.id)
    await hosts.answered(follow_up)

    assert "hello" in hosts.answers(follow_up)[0].message
    keys = {call.session_key for call in hosts.agent.calls}
    assert keys == {f"mattermost:{acme.id}:{acme.agent.id}:{first.id}"}
    assert [message["content"] for message in hosts.agent.calls[1].messages] == ["what did I say?"]


async def test_a_thread_that_the_agent_has_begun_goes_on_without_mentions(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """While one person writes there; `why` knows whose post it began with."""
    message = message_entry(acme.id, OutgoingMessage("agent", None, "The minutes are ready."), "message:1")
    await Inbox(pool).put_all([message])
    await hosts.until(lambda: bool(hosts.store.posts_in(acme.agent)))
    (first,) = hosts.store.posts_in(acme.agent)
    async with asyncio.timeout(60):
        while (record := await JobHistory(pool).record(PostId(first.id))) is None:
            await asyncio.sleep(0.02)
    assert (record.kind, record.state) == ("agent_message", "done")

    follow_up = hosts.ask(acme, "tell me more", root_id=first.id)
    await hosts.answered(follow_up)
    hosts.ask(acme, "I know.", root_id=first.id, by=1)
    last = hosts.ask(acme, "@equabot go on", root_id=first.id)
    await hosts.answered(last)

    asked = [call.messages[-1]["content"] for call in hosts.agent.calls]
    assert len(asked) == 2
    assert "The minutes are ready." in asked[0]
    assert "tell me more" in asked[0]


async def test_side_talk_in_a_thread_is_left_alone(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """A reply that starts by addressing somebody else is not for the bot."""
    first = hosts.ask(acme, "@equabot hello")
    await hosts.answered(first)

    aside = hosts.ask(acme, f"@{acme.people[1].username} did you see that?", root_id=first.id)
    after = hosts.ask(acme, "and what else can you do?", root_id=first.id)
    await hosts.answered(after)

    assert hosts.answers(aside) == []


@pytest.mark.parametrize(
    "text",
    [
        "hello everybody",
        "write to me@equabot.com",
        "@equabot2 hello",
        "`@equabot` is how you call it",
        "> @equabot said so",
        "```\n@equabot\n```",
        "@all hello",
        "@channel hello",
    ],
)
async def test_what_is_no_mention_is_not_answered(
    hosts: Hosts, acme: Company, daemon: Daemon, text: str
) -> None:
    """Only the bot's own name, outside code and quotes, calls it."""
    silent = hosts.ask(acme, text)
    marker = hosts.ask(acme, "@equabot hello")

    await hosts.answered(marker)

    assert hosts.replies(silent) == []


async def test_other_channels_and_authors_are_not_answered(
    hosts: Hosts, acme: Company, daemon: Daemon
) -> None:
    """The bot listens in #agent, to people: not to bots, not to webhooks, and elsewhere it says where."""
    square = hosts.store.channel(acme.team, "town-square")
    other = hosts.store.create_bot("otherbot")
    for place in (acme.team, acme.agent):
        hosts.store.join(place, other)
    elsewhere = hosts.store.post_as(acme.people[0], square, "@equabot hello")
    robot = hosts.store.post_as(other, acme.agent, "@equabot hello")
    hook = hosts.store.post_as(acme.people[0], acme.agent, "@equabot hello", props={"from_webhook": "true"})
    marker = hosts.ask(acme, "@equabot hello")

    await hosts.answered(marker)
    await hosts.until(lambda: not hosts.agent.in_progress)

    assert [*hosts.replies(robot), *hosts.replies(hook)] == []
    assert len(hosts.agent.calls) == 1
    await hosts.until(lambda: bool(hosts.replies(elsewhere)))
    assert [reply.message for reply in hosts.replies(elsewhere)] == [
        "I answer in ~agent: please ask me there."
    ]


async def test_somebody_without_a_mapping_hears_how_to_get_in(
    hosts: Hosts, acme: Company, daemon: Daemon
) -> None:
    """One sentence, and nothing of the organization; the agent is not asked."""
    stranger = hosts.store.create_user("stranger")
    for place in (acme.team, acme.agent):
        hosts.store.join(place, stranger)
    post = hosts.store.post_as(stranger, acme.agent, "@equabot who is on our team?")

    await hosts.answered(post)

    assert [reply.message for reply in hosts.replies(post)] == [HOW_TO_GET_IN]
    assert not hosts.agent.calls


async def test_a_long_answer_comes_in_parts(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """Nothing is lost at the server's limit, and code stays code in each part."""
    lines = [f"line {number:05}" for number in range(12_000)]
    hosts.agent.fail(Says("```python\n" + "\n".join(lines) + "\n```\nthe end"))
    post = hosts.ask(acme, "@equabot print everything")

    await hosts.until(lambda: any("the end" in part.message for part in hosts.answers(post)))

    parts = [part.message for part in hosts.answers(post)]
    reported = [line for part in parts for line in part.splitlines() if line.startswith("line ")]
    assert reported == lines
    assert max(map(len, parts)) <= hosts.store.settings.max_post_size
    assert all(part.count("```") == 2 for part in parts)


async def test_an_answer_cannot_call_everybody(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """`@all`, `@channel` and `@here` from an agent notify nobody."""
    hosts.agent.fail(Says("Dear @all, @channel and @here: done"))
    post = hosts.ask(acme, "@equabot tell everybody")

    await hosts.answered(post)

    message = hosts.answers(post)[0].message
    assert not any(call in message for call in ("@all", "@channel", "@here"))
    assert "done" in message


async def test_the_first_start_answers_no_history(hosts: Hosts, acme: Company, tmp_path: Path) -> None:
    """What was written before the bridge was first started stays unanswered."""
    old = hosts.ask(acme, "@equabot are you there already?")

    async with running(hosts.environ, tmp_path / "log"):
        new = hosts.ask(acme, "@equabot are you there now?")
        await hosts.answered(new)

    assert hosts.answers(old) == []


async def test_a_mapping_that_vanished_stops_the_answers(
    hosts: Hosts, acme: Company, borealis: Company, daemon: Daemon, pool: Pool
) -> None:
    """A team without an organization gets no answer; the others are not affected."""
    await pool.execute("delete from mattermost_org_mappings where organization_id = $1", acme.id)
    lost = hosts.ask(acme, "@equabot hello")
    kept = hosts.ask(borealis, "@equabot hello")

    await hosts.answered(kept)

    assert hosts.replies(lost) == []
