"""A tool call that needs an approval: asked in the thread, decided by whoever may, and nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.sandbox.mattermost import Post
from tests.support.approvals import Deciding, buttons, deciding, mark
from tests.support.daemon import Daemon, running
from tests.support.hosts import Hosts
from tests.support.ports import reserved_port


@pytest.fixture
async def scene(hosts: Hosts, pool: Pool) -> AsyncIterator[Deciding]:
    async with deciding(hosts, pool, reserved_port()) as built:
        yield built


@pytest.fixture
async def bridge(scene: Deciding, tmp_path: Path) -> AsyncIterator[Daemon]:
    async with running(scene.environ, tmp_path / "daemon.log", port=scene.port) as started:
        await started.until_parts(lambda parts: parts["approvals"]["state"] == "on")
        yield started


async def ended(scene: Deciding, question: Post, post: Post) -> str:
    """Wait until the question is answered and the post says what came of it; return the answer."""
    await scene.hosts.answered(question)
    await scene.hosts.until(lambda: not buttons(post))
    (answer,) = scene.hosts.answers(question)
    return answer.message


async def test_an_administrator_approves_once(scene: Deciding, bridge: Daemon) -> None:
    """The tool runs, the answer comes, and the post says who it was."""
    question, post = await scene.asked()
    asker, admin = scene.acme.people
    assert post.message.startswith(f"**Approval needed**, asked by @{asker.username}: Pay 100")
    assert [(each["name"], each["style"]) for each in buttons(post).values()] == [
        ("Approve once", "good"),
        ("Deny", "danger"),
    ]

    assert (await scene.press(admin, post, "approve"))[0] == 200

    assert await ended(scene, question, post) == "Done: I have paid 100."
    assert post.message.startswith(f"**Approved** by @{admin.username}, ")
    assert mark(post)["approval"]
    assert await scene.audited() == [("approval_decided", "approved", "admin", "button")]
