"""A question of the agent: asked in the thread, answered by whoever the agent works for, and nobody else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.db.memberships import Memberships
from bridge.models.equa import PersonId
from bridge.sandbox.mattermost import Post
from bridge.sandbox.mattermost.posts import delete_post
from handlers.jobs.agent_question_text import NO_SECRETS
from tests.support.approvals import Deciding, buttons, deciding, mark
from tests.support.control import WHICH
from tests.support.daemon import Daemon, running
from tests.support.hosts import Hosts
from tests.support.ports import reserved_port
from tests.support.postgres import expire_leases


@pytest.fixture
async def scene(hosts: Hosts, pool: Pool) -> AsyncIterator[Deciding]:
    async with deciding(hosts, pool, reserved_port()) as built:
        yield built


@pytest.fixture
async def bridge(scene: Deciding, tmp_path: Path) -> AsyncIterator[Daemon]:
    async with running(scene.environ, tmp_path / "daemon.log", port=scene.port) as started:
        await started.until_parts(lambda parts: parts["approvals"]["state"] == "on")
        yield started


def asking_posts(scene: Deciding, question: Post) -> list[Post]:
    return [each for each in scene.hosts.replies(question) if "agent_question" in mark(each)]


async def asked(scene: Deciding, text: str = "@equabot tell me which you know") -> tuple[Post, Post]:
    """Ask something that the agent asks back about; return the question, and the agent's post."""
    question = scene.hosts.ask(scene.acme, text)
    await scene.hosts.until(lambda: bool(asking_posts(scene, question)))
    (post,) = asking_posts(scene, question)
    async with asyncio.timeout(60):
        while not await scene.pool.fetchval(
            "select count(*) from agent_questions where posted_at is not null"
        ):
            await asyncio.sleep(0.01)
    return question, post


def card(post: Post) -> str:
    text: str = post.props["attachments"][0]["text"]
    return text


async def test_the_next_post_of_the_asker_is_the_answer(scene: Deciding, bridge: Daemon) -> None:
    """It is handed to the waiting agent and is no new message; others' posts are not."""
    question, post = await asked(scene)
    asker, other = scene.acme.people
    assert post.message == f"@{asker.username}, the agent asks: **What would you like to hear about?**"
    assert [each["name"] for each in buttons(post).values()] == ["The team", "The shares", "The documents"]

    scene.hosts.ask(scene.acme, "I would say the documents", root_id=question.id, by=1)
    scene.hosts.ask(scene.acme, f"@{other.username} what do you think?", root_id=question.id)
    reply = scene.hosts.ask(scene.acme, "1", root_id=question.id)

    await scene.hosts.answered(question)
    await scene.hosts.until(lambda: card(post) == "Answered.")
    assert "The team of **Acme Corp**" in scene.hosts.answers(question)[0].message
    assert not buttons(post)
    assert not scene.hosts.answers(reply)
    assert len(scene.hosts.agent.calls) == 1


async def test_a_button_answers_for_the_asker_alone(scene: Deciding, bridge: Daemon) -> None:
    question, post = await asked(scene)
    asker, other = scene.acme.people

    await scene.press(other, post, "choice2")
    await scene.press(asker, post, "choice1")

    await scene.hosts.answered(question)
    await scene.hosts.until(lambda: card(post) == "Answered: The team")
    assert "The team of **Acme Corp**" in scene.hosts.answers(question)[0].message


async def test_stop_ends_the_question_and_the_run(scene: Deciding, bridge: Daemon) -> None:
    question, post = await asked(scene)

    scene.hosts.ask(scene.acme, "stop", root_id=question.id)

    await scene.hosts.until(lambda: card(post).startswith("Cancelled"))
    assert not scene.hosts.agent.control.questions
    key = f"agent:main:mattermost:{scene.acme.id}:{question.channel_id}:{question.id}"
    assert ("sessions.abort", {"key": key}) in scene.hosts.agent.control.calls
    assert len(scene.hosts.agent.calls) == 1


async def test_an_answer_that_comes_too_late_is_asked(scene: Deciding, bridge: Daemon) -> None:
    """The agent does not wait any more, so that it is a message like any other."""
    question, post = await asked(scene)
    (id_,) = scene.hosts.agent.control.questions
    scene.hosts.agent.control._end_question(id_, {"status": "expired"})
    await scene.hosts.until(lambda: card(post).startswith("Expired"))

    late = scene.hosts.ask(scene.acme, "who is on our team?", root_id=question.id)

    await scene.hosts.answered(late)
    assert "The team of **Acme Corp**" in scene.hosts.answers(late)[0].message


async def test_the_end_of_the_gateway_is_said(scene: Deciding, bridge: Daemon) -> None:
    """After its restart nothing waits, and the post says so."""
    _, post = await asked(scene)

    scene.hosts.agent.control.crash()

    await scene.hosts.until(lambda: "does not wait" in card(post))


async def until_one_can_answer(scene: Deciding) -> None:
    """Wait until what waits at the gateway stands in the thread: whoever takes a run over asks again."""
    posted = "select id from agent_questions where state = 'pending' and posted_at is not null"
    waiting = scene.hosts.agent.control.questions
    async with asyncio.timeout(60):
        while not waiting or {row["id"] for row in await scene.pool.fetch(posted)} != set(waiting):
            await asyncio.sleep(0.02)


async def test_two_bridges_and_a_crash_ask_once(scene: Deciding, bridge: Daemon, tmp_path: Path) -> None:
    """Each hears the question and the answer; one that dies leaves everything to the other."""
    async with running(scene.environ, tmp_path / "second.log", port=reserved_port()) as second:
        await second.until_parts(lambda parts: parts["approvals"]["state"] == "on")
        question, _ = await asked(scene)
        await bridge.kill()
        await scene.hosts.until(lambda: scene.hosts.agent.control.connected == 1)
        await expire_leases(scene.hosts.dsn)
        await until_one_can_answer(scene)
        scene.hosts.ask(scene.acme, "The documents", root_id=question.id)

        await scene.hosts.answered(question)
        (answer,) = scene.hosts.answers(question)
        assert "has no documents yet" in answer.message


async def test_in_a_direct_channel_the_next_message_is_the_answer(scene: Deciding, bridge: Daemon) -> None:
    """Flat, and without a mention."""
    store, asker = scene.hosts.store, scene.acme.people[0]
    channel = store.direct(asker, scene.hosts.bot)
    person = PersonId((await scene.equa_user(asker)).id)
    await Memberships(scene.pool).join(scene.acme.id, person, verdict_age=timedelta())
    await Memberships(scene.pool).joined(scene.acme.id, person)

    def said() -> list[Post]:
        return [post for post in store.posts_in(channel) if post.user_id == scene.hosts.bot.id]

    store.post_as(asker, channel, "tell me which you know")
    await scene.hosts.until(lambda: any("agent_question" in mark(post) for post in said()))
    post = next(post for post in said() if "agent_question" in mark(post))
    await until_one_can_answer(scene)
    assert not post.root_id

    store.post_as(asker, channel, "the team")

    await scene.hosts.until(lambda: any("The team of **Acme Corp**" in each.message for each in said()))
    await scene.hosts.until(lambda: card(post) == "Answered.")
    assert len(scene.hosts.agent.calls) == 1


async def test_a_secret_is_not_asked_for(scene: Deciding, bridge: Daemon) -> None:
    """The agent goes on without it, and the thread says why."""
    question = scene.hosts.ask(scene.acme, "@equabot who is on our team?")
    await scene.hosts.answered(question)
    key = f"agent:main:mattermost:{scene.acme.id}:{question.channel_id}:{question.id}"
    secret = {"questionId": "key", "question": "What is your password?", "options": [], "isSecret": True}

    end = await scene.hosts.agent.control.question(key, "chatcmpl_1", [secret])

    assert end == {"status": "cancelled"}
    (post,) = asking_posts(scene, question)
    assert post.message == NO_SECRETS


async def test_a_deleted_question_leaves_nothing_to_look_at(scene: Deciding, bridge: Daemon) -> None:
    """The agent's question ends with the run; another one of a deleted thread is not posted."""
    question, _ = await asked(scene)
    key = f"agent:main:mattermost:{scene.acme.id}:{question.channel_id}:{question.id}"
    delete_post(scene.hosts.store, question)
    await scene.hosts.until(lambda: not scene.hosts.agent.control.questions)
    scene.hosts.agent.control.question_seconds = 1

    await scene.hosts.agent.control.question(key, "chatcmpl_1", [dict(WHICH)])

    unfinished = "select count(*) from jobs where state in ('waiting', 'running')"
    async with asyncio.timeout(60):
        while await scene.pool.fetchval(unfinished) or not await ended(scene, 2):
            await asyncio.sleep(0.02)
    assert not await scene.pool.fetchval("select count(*) from jobs where state = 'dead'")


async def ended(scene: Deciding, number: int) -> bool:
    """Return whether so many questions of the agent have ended, and their ends were shown."""
    shown = "select count(*) from jobs where kind = 'agent_question_end' and state = 'done'"
    return bool(await scene.pool.fetchval(shown) == number)
