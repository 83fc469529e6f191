"""A mention in #agent gets its organization's answer: what people see."""

import asyncio
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.db.job_history import JobHistory
from bridge.models.chat import PostId
from bridge.sandbox.agent.faults import Says
from handlers.jobs.remarks import HOW_TO_GET_IN
from tests.support.daemon import Daemon, running
from tests.support.world import Company, World


async def test_the_answer_stands_in_the_thread(world: World, acme: Company, daemon: Daemon) -> None:
    """Somebody asks, and the agent of their organization answers under the question."""
    post = world.ask(acme, "@equabot who is on our team?")

    await world.answered(post)

    (answer,) = world.answers(post)
    assert answer.root_id == post.id
    assert "Acme Corp" in answer.message


async def test_each_organization_hears_of_itself_only(
    world: World, acme: Company, borealis: Company, daemon: Daemon
) -> None:
    """The organization comes from the team, whatever the text says."""
    one = world.ask(acme, f"@equabot who is on the team of {borealis.name}?")
    two = world.ask(borealis, "@equabot who is on our team?")

    await world.answered(one, two)

    assert borealis.people[0].username not in world.answers(one)[0].message
    assert borealis.people[0].username in world.answers(two)[0].message
    assert {call.headers["x-equa-organization"] for call in world.agent.calls} == {
        str(acme.id),
        str(borealis.id),
    }


async def test_the_agent_knows_who_says_what(world: World, acme: Company, daemon: Daemon) -> None:
    """With a second person in the thread everybody's name stands in front of what they say."""
    first, second = acme.people[:2]
    question = world.ask(acme, "@equabot hello")
    await world.answered(question)
    other = world.store.post_as(
        second, acme.agent, f"@equabot I agree\n@{first.username}: so do I", root_id=question.id
    )
    await world.answered(other)

    alone, together = (call.text for call in world.agent.calls)
    assert alone == "hello"
    name = f"{second.first_name} {second.last_name}".strip()
    shown = f"{name} (@{second.username})" if name else f"@{second.username}"
    assert together == f"{shown}: I agree\n  @{first.username}: so do I"


async def test_an_agent_that_says_nothing_posts_nothing(
    world: World, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """And the reason is kept for `why`."""
    world.agent.fail(Says("NO_REPLY"))
    silent = world.ask(acme, "@equabot thanks, that is all")
    await world.agent.until(lambda: len(world.agent.calls) == 1)
    answered = world.ask(acme, "@equabot hello")
    await world.answered(answered)

    async with asyncio.timeout(10):
        while (record := await JobHistory(pool).record(PostId(silent.id))) is None or record.state != "done":
            await asyncio.sleep(0.02)
    assert record.result == {"skipped": "no_reply"}
    assert world.replies(silent) == []


async def test_a_thread_goes_on_without_mentions(world: World, acme: Company, daemon: Daemon) -> None:
    """In a thread of the bot a follow-up needs no mention, and the gateway knows what was said before."""
    first = world.ask(acme, "@equabot hello")
    await world.answered(first)

    follow_up = world.ask(acme, "what did I say?", root_id=first.id)
    await world.answered(follow_up)

    assert "hello" in world.answers(follow_up)[0].message
    keys = {call.session_key for call in world.agent.calls}
    assert keys == {f"mattermost:{acme.id}:{acme.agent.id}:{first.id}"}
    assert [message["content"] for message in world.agent.calls[1].messages] == ["what did I say?"]


async def test_side_talk_in_a_thread_is_left_alone(world: World, acme: Company, daemon: Daemon) -> None:
    """A reply that starts by addressing somebody else is not for the bot."""
    first = world.ask(acme, "@equabot hello")
    await world.answered(first)

    aside = world.ask(acme, f"@{acme.people[1].username} did you see that?", root_id=first.id)
    after = world.ask(acme, "and what else can you do?", root_id=first.id)
    await world.answered(after)

    assert world.answers(aside) == []


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
    world: World, acme: Company, daemon: Daemon, text: str
) -> None:
    """Only the bot's own name, outside code and quotes, calls it."""
    silent = world.ask(acme, text)
    marker = world.ask(acme, "@equabot hello")

    await world.answered(marker)

    assert world.replies(silent) == []


async def test_other_channels_and_authors_are_not_answered(
    world: World, acme: Company, daemon: Daemon
) -> None:
    """The bot listens in #agent, to people: not to bots, not to webhooks, and elsewhere it says where."""
    square = world.store.channel(acme.team, "town-square")
    other = world.store.create_bot("otherbot")
    for place in (acme.team, acme.agent):
        world.store.join(place, other)
    elsewhere = world.store.post_as(acme.people[0], square, "@equabot hello")
    robot = world.store.post_as(other, acme.agent, "@equabot hello")
    hook = world.store.post_as(acme.people[0], acme.agent, "@equabot hello", props={"from_webhook": "true"})
    marker = world.ask(acme, "@equabot hello")

    await world.answered(marker)
    await world.until(lambda: not world.agent.in_progress)

    assert [*world.replies(robot), *world.replies(hook)] == []
    assert len(world.agent.calls) == 1
    await world.until(lambda: bool(world.replies(elsewhere)))
    assert [reply.message for reply in world.replies(elsewhere)] == [
        "I answer in ~agent: please ask me there."
    ]


async def test_somebody_without_a_mapping_hears_how_to_get_in(
    world: World, acme: Company, daemon: Daemon
) -> None:
    """One sentence, and nothing of the organization; the agent is not asked."""
    stranger = world.store.create_user("stranger")
    for place in (acme.team, acme.agent):
        world.store.join(place, stranger)
    post = world.store.post_as(stranger, acme.agent, "@equabot who is on our team?")

    await world.answered(post)

    assert [reply.message for reply in world.replies(post)] == [HOW_TO_GET_IN]
    assert not world.agent.calls


async def test_a_long_answer_comes_in_parts(world: World, acme: Company, daemon: Daemon) -> None:
    """Nothing is lost at the server's limit, and code stays code in each part."""
    lines = [f"line {number:05}" for number in range(12_000)]
    world.agent.fail(Says("```python\n" + "\n".join(lines) + "\n```\nthe end"))
    post = world.ask(acme, "@equabot print everything")

    await world.until(lambda: any("the end" in part.message for part in world.answers(post)))

    parts = [part.message for part in world.answers(post)]
    reported = [line for part in parts for line in part.splitlines() if line.startswith("line ")]
    assert reported == lines
    assert max(map(len, parts)) <= world.store.settings.max_post_size
    assert all(part.count("```") == 2 for part in parts)


async def test_an_answer_cannot_call_everybody(world: World, acme: Company, daemon: Daemon) -> None:
    """`@all`, `@channel` and `@here` from an agent notify nobody."""
    world.agent.fail(Says("Dear @all, @channel and @here: done"))
    post = world.ask(acme, "@equabot tell everybody")

    await world.answered(post)

    message = world.answers(post)[0].message
    assert not any(call in message for call in ("@all", "@channel", "@here"))
    assert "done" in message


async def test_the_first_start_answers_no_history(world: World, acme: Company, tmp_path: Path) -> None:
    """What was written before the bridge was first started stays unanswered."""
    old = world.ask(acme, "@equabot are you there already?")

    async with running(world.environ, tmp_path / "log"):
        new = world.ask(acme, "@equabot are you there now?")
        await world.answered(new)

    assert world.answers(old) == []


async def test_a_mapping_that_vanished_stops_the_answers(
    world: World, acme: Company, borealis: Company, daemon: Daemon, pool: Pool
) -> None:
    """A team without an organization gets no answer; the others are not affected."""
    await pool.execute("delete from mattermost_org_mappings where organization_id = $1", acme.id)
    lost = world.ask(acme, "@equabot hello")
    kept = world.ask(borealis, "@equabot hello")

    await world.answered(kept)

    assert world.replies(lost) == []
