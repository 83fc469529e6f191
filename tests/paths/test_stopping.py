"""People stop an answer, correct their question, or want it answered once more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from asyncpg import Pool

from bridge.sandbox.agent.faults import Says
from bridge.sandbox.mattermost import Post, RestFault
from bridge.sandbox.mattermost.posts import delete_post, edit_post
from tests.support.agent import serving
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts

LONG = " ".join(f"word{number}" for number in range(300))


@pytest.fixture
def slow(hosts: Hosts) -> Hosts:
    """Hosts whose agent never ends a long answer."""
    hosts.agent.fault_for = lambda call: Says(LONG, pause=600) if "long" in call.text else Says(call.text)
    return hosts


async def job_of(pool: Pool, post: Post, prefix: str = "post") -> tuple[str, Any]:
    """Wait until the job of a post has ended; return its state and result."""
    async with asyncio.timeout(60):
        while not (
            row := await pool.fetchrow(
                "select state, result from jobs where dedupe = $1 and finished is not null",
                f"{prefix}:{post.id}",
            )
        ):
            await asyncio.sleep(0.02)
    return row["state"], row["result"]


async def growing(hosts: Hosts, company: Company, text: str = "@equabot a long story", **where: Any) -> Post:
    """Ask, and wait until a part of the answer is shown."""
    post = hosts.ask(company, text, **where)
    await hosts.answered(post)
    return post


@pytest.mark.parametrize("on", ["question", "answer"])
async def test_a_reaction_stops_the_run(
    slow: Hosts, acme: Company, daemon: Daemon, pool: Pool, on: str
) -> None:
    """What was shown stays, and says that it was stopped; nobody else's reaction does that."""
    post = await growing(slow, acme)
    (answer,) = slow.answers(post)
    asker, other = acme.people
    slow.store.react(other, post, "octagonal_sign")
    slow.store.react(asker, post, "thumbsup")

    slow.store.react(asker, post if on == "question" else answer, "octagonal_sign")
    await slow.agent.until(lambda: slow.agent.cancelled == 1)

    assert await job_of(pool, post) == (
        "done",
        {"posts": [answer.id], "stopped": {"cause": "reaction", "by": asker.id}},
    )
    assert answer.message.startswith("word0 word1")
    assert answer.message.endswith("\n\n(stopped)")
    assert await pool.fetchval("select state from answer_posts") == "stopped"
    audited = await pool.fetchrow("select user_id, role, via, subject from audit")
    assert tuple(audited or ()) == (asker.id, "asker", "reaction", f"post:{post.id}")


@pytest.fixture
def unrecorded(hosts: Hosts) -> asyncio.Event:
    """Until this is set the daemon does not learn that its first post is there, which everybody sees."""
    release = asyncio.Event()
    hosts.server.faults.rest(RestFault("after", release=release, method="POST", path="/posts", times=1))
    return release


async def heard(hosts: Hosts, company: Company, pool: Pool) -> None:
    """Wait until the daemon has heard what was done before."""
    post = hosts.ask(company, "nothing for the bot", by=1)
    await job_of(pool, post)


async def test_an_answer_can_be_stopped_before_its_post_is_recorded(
    slow: Hosts, acme: Company, unrecorded: asyncio.Event, daemon: Daemon, pool: Pool
) -> None:
    """People see a post before the daemon knows of it."""
    post = await growing(slow, acme)
    (answer,) = slow.answers(post)
    slow.store.react(acme.people[0], answer, "octagonal_sign")
    await heard(slow, acme, pool)

    unrecorded.set()

    assert (await job_of(pool, post))[1]["stopped"] == {"cause": "reaction", "by": acme.people[0].id}


async def test_an_answer_can_be_asked_for_again_before_it_is_recorded(
    slow: Hosts, acme: Company, unrecorded: asyncio.Event, daemon: Daemon, pool: Pool
) -> None:
    """In the same way."""
    post = slow.ask(acme, "@equabot hello")
    await slow.answered(post)
    (answer,) = slow.answers(post)
    slow.store.react(acme.people[0], answer, "repeat")
    await heard(slow, acme, pool)

    unrecorded.set()

    await job_of(pool, answer, "repeat")
    assert len(slow.answers(post)) == 2


@pytest.mark.parametrize("word", ["stop", "@equabot Stop!", "bitte stoppen", "停止"])
async def test_a_word_in_the_thread_stops_the_run(
    slow: Hosts, acme: Company, daemon: Daemon, pool: Pool, word: str
) -> None:
    """It is no question, whoever says it; it stops what its author has asked."""
    post = await growing(slow, acme)
    others = slow.ask(acme, word, root_id=post.id, by=1)
    assert await job_of(pool, others) == ("refused", None)
    assert slow.agent.cancelled == 0

    said = slow.ask(acme, word, root_id=post.id)

    state, result = await job_of(pool, post)
    assert (state, result["stopped"]) == ("done", {"cause": "word", "by": acme.people[0].id})
    assert await job_of(pool, said) == ("refused", None)
    assert len(slow.agent.calls) == 1


async def test_reasoning_is_not_shown_by_a_stop(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """What was held back so far may be reasoning whose end never came."""
    thinking = f"Okay, so the user wants words. {LONG}</think>Yes."
    hosts.agent.fault_for = lambda _: Says(thinking, pause=600)
    post = hosts.ask(acme, "@equabot a long story")
    await hosts.agent.until(lambda: hosts.agent.in_progress == 1)
    await asyncio.sleep(2)

    hosts.store.react(acme.people[0], post, "octagonal_sign")

    assert (await job_of(pool, post))[0] == "done"
    assert [each.message for each in hosts.answers(post)] == ["(stopped)"]


async def test_another_process_stops_the_run(
    slow: Hosts, acme: Company, daemon: Daemon, pool: Pool, tmp_path: Path
) -> None:
    """The one that hears of it need not be the one that works on it."""
    post = await growing(slow, acme)
    async with running(slow.environ, tmp_path / "second.log"):
        # The first one hears nothing any more.
        slow.server.faults.refuse_sockets = True
        await pool.execute(
            "insert into stops (job_id, cause, by_user) select id, 'reaction', $1 from jobs",
            acme.people[0].id,
        )
        await pool.execute("notify stops")
        await slow.agent.until(lambda: slow.agent.cancelled == 1)

    assert (await job_of(pool, post))[0] == "done"


async def test_a_deleted_question_stops_the_run(
    slow: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """Also what waits behind it in its thread."""
    post = await growing(slow, acme)
    behind = slow.ask(acme, "@equabot and then?", root_id=post.id)
    async with asyncio.timeout(60):
        while await pool.fetchval("select count(*) from jobs") < 2:
            await asyncio.sleep(0.02)

    delete_post(slow.store, slow.store.posts[post.id])
    await slow.agent.until(lambda: slow.agent.cancelled == 1)

    assert await job_of(pool, post) == ("done", {"skipped": "question_deleted"})
    assert (await job_of(pool, behind))[1]["skipped"] == "stopped"


async def test_an_edited_question_is_asked_anew(
    slow: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """The same post holds the answer to the new words; a later edit changes nothing."""
    post = await growing(slow, acme)
    (half,) = slow.answers(post)

    edit_post(slow.store, slow.store.posts[post.id], {"message": "@equabot short, please"})

    assert await job_of(pool, post) == ("done", {"posts": [half.id]})
    assert half.message == "short, please"
    edit_post(slow.store, slow.store.posts[post.id], {"message": "@equabot something else"})
    later = slow.ask(acme, "@equabot later", root_id=post.id)
    await slow.answered(later)
    assert [call.text for call in slow.agent.calls] == ["a long story", "short, please", "later"]


async def test_an_edit_that_adds_the_mention_asks(
    slow: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    post = slow.ask(acme, "who is on our team?")
    await job_of(pool, post)

    edit_post(slow.store, slow.store.posts[post.id], {"message": "@equabot who is on our team?"})

    await slow.answered(post)


async def test_an_answer_is_asked_for_once_more(
    slow: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """By its asker, as a new post, once."""
    post = slow.ask(acme, "@equabot hello")
    await job_of(pool, post)
    (first,) = slow.answers(post)
    asker, other = acme.people

    slow.store.react(other, first, "repeat")
    slow.store.react(asker, first, "repeat")
    slow.store.react(asker, first, "repeat")

    await job_of(pool, first, "repeat")
    assert len(slow.answers(post)) == 2
    assert [call.text for call in slow.agent.calls] == ["hello", "hello"]


@pytest.fixture
async def forgetful(slow: Hosts, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon whose agent remembers nothing."""
    environ = {**slow.environ, "AGENT_KIND": "openai"}
    async with running(environ, tmp_path / "forgetful.log") as started:
        yield started


async def test_what_was_stopped_is_nothing_that_the_agent_has_said(
    slow: Hosts, acme: Company, forgetful: Daemon, pool: Pool
) -> None:
    post = await growing(slow, acme)
    slow.ask(acme, "stop", root_id=post.id)
    await job_of(pool, post)

    later = slow.ask(acme, "@equabot later", root_id=post.id)
    await slow.answered(later)

    assert "assistant" not in {message["role"] for message in slow.agent.calls[-1].messages}


@pytest.mark.parametrize("how", ["reaction", "word"])
async def test_an_administrator_stops_the_answers_of_others(
    slow: Hosts, acme: Company, pool: Pool, tmp_path: Path, how: str
) -> None:
    """Equa says who that is, asked by the service account; nobody else's sign or word counts."""
    _, admin = acme.people
    person = await pool.fetchval(
        "select id from mattermost_user_mappings where mattermost_user_id = $1", admin.id
    )
    async with equa_served(acme.id, admins={str(person)}) as url:
        environ = {
            **slow.environ,
            "EQUA_API_URL": url,
            "EQUA_SERVICE_EMAIL": "bridge@example.test",
            "EQUA_SERVICE_PASSWORD": "a-password",
        }
        async with running(environ, tmp_path / "bridge.log"):
            post = await growing(slow, acme)
            if how == "reaction":
                slow.store.react(admin, post, "octagonal_sign")
            else:
                slow.ask(acme, "@equabot stop", root_id=post.id, by=1)

            state, result = await job_of(pool, post)

    assert (state, result["stopped"]) == ("done", {"cause": how, "by": admin.id})


@asynccontextmanager
async def equa_served(organization: object, admins: set[str]) -> AsyncIterator[str]:
    """Serve what the service account asks about administrators."""

    async def log_in(_: web.Request) -> web.Response:
        answer = web.json_response({"id": str(uuid4()), "email": "bridge@example.test"})
        answer.set_cookie("connect.sid", "a-session")
        return answer

    async def permissions(request: web.Request) -> web.Response:
        held = request.match_info["user"] in admins
        return web.json_response({"permissions": [{"permission": "editMembers"}] if held else []})

    app = web.Application()
    app.router.add_post("/user/login", log_in)
    app.router.add_get(f"/organization/{organization}/user/{{user}}", permissions)
    async with serving(app) as url:
        yield url
