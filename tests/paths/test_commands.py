"""What people ask of the bot itself in #agent: to begin anew in a thread, and what it can do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.sandbox.mattermost import Post
from handlers.posts.remarks import BEGUN_ANEW
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts


@pytest.fixture
async def remembering_nothing(hosts: Hosts, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon whose agent is told the thread with every question."""
    environ = {**hosts.environ, "AGENT_KIND": "openai", "AGENT_MODEL": "equabot"}
    async with running(environ, tmp_path / "daemon.log") as started:
        yield started


async def replied(hosts: Hosts, post: Post, number: int) -> Post:
    """Wait for so many posts of the bot in the thread, and return the last."""
    await hosts.until(lambda: len(hosts.replies(post)) >= number)
    return hosts.replies(post)[-1]


async def test_new_begins_afresh_in_a_thread(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """An agent that remembers gets another key each time; other threads keep theirs."""
    root = hosts.ask(acme, "@equabot hello")
    await replied(hosts, root, 1)
    for number, text in enumerate(("New!", "hello", "@equabot new", "hello"), 2):
        hosts.ask(acme, text, root_id=root.id)
        await replied(hosts, root, number)
    other = hosts.ask(acme, "@equabot hello")
    await hosts.answered(other)

    key = f"mattermost:{acme.id}:{acme.agent.id}:{root.id}"
    assert [call.session_key for call in hosts.agent.calls] == [
        key,
        f"{key}:1",
        f"{key}:2",
        key.replace(root.id, other.id),
    ]
    assert [post.message for post in hosts.replies(root)].count(BEGUN_ANEW) == 2


async def test_nothing_from_before_is_told_again(
    hosts: Hosts, acme: Company, remembering_nothing: Daemon
) -> None:
    """An agent that does not remember is told what came after "new", of others too."""
    root = hosts.ask(acme, "@equabot hello")
    await replied(hosts, root, 1)
    hosts.ask(acme, "new", root_id=root.id)
    await replied(hosts, root, 2)
    hosts.ask(acme, "@equabot who is on our team?", root_id=root.id)
    await replied(hosts, root, 3)
    hosts.ask(acme, "@equabot thanks", root_id=root.id)
    await replied(hosts, root, 4)

    told = [[message["content"] for message in call.messages] for call in hosts.agent.calls]
    assert told[1] == ["who is on our team?"]
    assert (told[2][0], told[2][-1], len(told[2])) == ("who is on our team?", "thanks", 3)


async def test_help_is_the_bots_own(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """The agent is not asked; a question that contains the word is one."""
    root = hosts.ask(acme, "@equabot help")
    answer = await replied(hosts, root, 1)
    assert "Who is on our team?" in answer.message
    assert not hosts.agent.calls
    await hosts.answered(hosts.ask(acme, "@equabot help me with our documents"))
    assert len(hosts.agent.calls) == 1
