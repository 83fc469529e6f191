"""A tool call that needs an approval: asked in the thread, decided by whoever may, and nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.sandbox.mattermost import Post
from tests.support.approvals import ADMIN, STAFF, Deciding, buttons, deciding, mark
from tests.support.control import paying
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


async def ended_message(scene: Deciding, question: Post, post: Post, beginning: str) -> str:
    """Wait until the question is answered and the post begins like this; return the answer."""
    await scene.hosts.answered(question)
    await scene.hosts.until(lambda: post.message.startswith(beginning))
    (answer,) = scene.hosts.answers(question)
    return answer.message


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


async def test_who_may_not_decide_hears_why_and_changes_nothing(scene: Deciding, bridge: Daemon) -> None:
    """A member, an administrator of another organization, one who has left, one whose role was taken away."""
    question, post = await scene.asked()
    asker, admin = scene.acme.people
    stranger = scene.hosts.companies[1].people[-1]
    scene.hosts.store.join(scene.acme.team, stranger)
    scene.hosts.store.join(scene.acme.agent, stranger)
    async with scene.ephemeral(asker, admin, stranger) as shown:
        assert (await scene.press(asker, post, "approve"))[0] == 200
        assert "Only an administrator of the organization may decide" in await shown.next()
        await scene.press(stranger, post, "approve")
        assert "Only members of the organization may decide" in await shown.next()
        await scene.permit(scene.acme, admin, STAFF)
        await scene.press(admin, post, "approve")
        assert "Only an administrator" in await shown.next()
        scene.equa.store.remove_member(scene.acme.id, (await scene.equa_user(admin)).id)
        await scene.press(admin, post, "deny")
        assert "Only members of the organization may decide" in await shown.next()

    assert await scene.state() == "pending"
    assert set(buttons(post)) == {"approve", "deny"}
    assert await scene.audited() == [
        ("approval_refused", "not_allowed", "asker", "button"),
        ("approval_refused", "outsider", "none", "button"),
        ("approval_refused", "not_allowed", "member", "button"),
        ("approval_refused", "outsider", "none", "button"),
    ]
    assert not scene.hosts.answers(question)


async def test_while_equa_is_away_nobody_decides(scene: Deciding, bridge: Daemon) -> None:
    """They are asked to press again."""
    _, post = await scene.asked()
    admin = scene.acme.people[-1]
    await scene.equa.stop()
    async with scene.ephemeral(admin) as shown:
        await scene.press(admin, post, "approve")
        assert "press again" in await shown.next()

    assert await scene.state() == "pending"


async def test_a_press_that_mattermost_did_not_send_does_nothing(scene: Deciding, bridge: Daemon) -> None:
    """Forged, altered, of another post, of another channel; a replayed one finds it decided."""
    question, post = await scene.asked()
    _, other = await scene.asked("@equabot pay 7")
    admin = scene.acme.people[-1]
    secret = buttons(post)["approve"]["integration"]["context"]["secret"]
    right = {
        "user_id": admin.id,
        "channel_id": post.channel_id,
        "post_id": post.id,
        "context": {"secret": secret},
    }
    for wrong in (
        {"context": {"secret": secret[:-1] + ("A" if secret[-1] != "A" else "B")}},
        {"context": {"secret": "x" * 22}},
        {"post_id": other.id},
        {"channel_id": scene.hosts.companies[1].agent.id},
    ):
        assert "does not work any more" in await scene.report(right | wrong)
    assert await scene.states() == ["pending", "pending"]

    assert await scene.report(right) == ""
    assert await scene.report(right) == "This was approved already."

    assert await ended(scene, question, post) == "Done: I have paid 100."
    assert sorted(await scene.states()) == ["approved", "pending"]


async def test_who_presses_what_there_is_not_costs_others_nothing(scene: Deciding, bridge: Daemon) -> None:
    """Anybody can make Mattermost report buttons of their own posts, as often as they like."""
    question, post = await scene.asked()
    asker, admin = scene.acme.people
    secret = buttons(post)["deny"]["integration"]["context"]
    where = {"channel_id": post.channel_id, "post_id": post.id}
    made_up = json.dumps({"user_id": asker.id, **where, "context": {"secret": "x" * 22}}).encode()
    assert 429 in [(await scene.raw(made_up))[0] for _ in range(50)]

    assert await scene.report({"user_id": admin.id, **where, "context": secret}) == ""
    await ended(scene, question, post)


async def test_a_report_that_is_none_is_refused(scene: Deciding, bridge: Daemon) -> None:
    """So is one that a proxy has passed on: the route is for Mattermost."""
    user, body = {"user_id": 1, "channel_id": 2, "post_id": 3}, {"context": {"secret": "x"}}
    bodies = [b"", b"[]", b"{", json.dumps(user | body).encode(), json.dumps({"context": {}}).encode()]
    assert [(await scene.raw(each))[0] for each in bodies] == [400] * len(bodies)
    assert (await scene.raw(b"x" * 70_000))[0] == 413
    assert (await scene.raw(b"{}", forwarded=True))[0] == 404


async def test_buttons_of_somebodys_own_hold_up_nobody_else(scene: Deciding, bridge: Daemon) -> None:
    """Anybody can make posts whose buttons ask the bridge; all presses come from Mattermost's address."""
    member, other = (
        json.dumps(
            {"user_id": user.id, "channel_id": "c" * 26, "post_id": "p" * 26} | {"context": own}
        ).encode()
        for user, own in zip(scene.acme.people, [{"secret": "x" * 22}] * 2, strict=True)
    )

    statuses = [(await scene.raw(member))[0] for _ in range(15)]

    assert statuses[:10] == [200] * 10
    assert statuses[-1] == 429
    assert (await scene.raw(other))[0] == 200


async def test_of_two_who_press_at_once_one_decides(scene: Deciding, bridge: Daemon, tmp_path: Path) -> None:
    """On two processes; the gateway hears of one decision, and the post names who made it."""
    question, post = await scene.asked()
    asker, admin = scene.acme.people
    await scene.permit(scene.acme, asker, ADMIN)
    async with running(scene.environ, tmp_path / "second.log") as second:
        pressed = [buttons(post)[each]["integration"]["context"] for each in ("approve", "deny")]
        bodies = [
            {"user_id": user.id, "channel_id": post.channel_id, "post_id": post.id, "context": context}
            for user, context in zip((admin, asker), pressed, strict=True)
        ]
        said = await asyncio.gather(
            scene.report(bodies[0]),
            scene.report(bodies[1], second.port),
            scene.report(bodies[0], second.port),
        )
        answer = await ended(scene, question, post)

    state = await scene.state()
    decider = admin if state == "approved" else asker
    assert answer.startswith("Done: " if state == "approved" else "I have not paid: ")
    assert post.message.startswith(f"**{state.capitalize()}** by @{decider.username}, ")
    assert sorted(said) == ["", f"This was {state} already.", f"This was {state} already."]
    assert [method for method, _ in scene.hosts.agent.control.calls].count("approval.resolve") == 1
    assert len(await scene.audited()) == 1
    assert len(scene.approval_posts(question)) == 1


async def test_what_ends_undecided_says_so(scene: Deciding, bridge: Daemon) -> None:
    """Expired, stopped, decided elsewhere; a press that comes too late changes nothing."""
    control, admin = scene.hosts.agent.control, scene.acme.people[-1]
    control.approval_seconds = 10
    question, post = await scene.asked()
    secret = buttons(post)["approve"]["integration"]["context"]
    assert await ended(scene, question, post) == "I have not paid: it was not approved."
    assert post.message.startswith("**Expired**, nobody has decided, ")
    late = {"user_id": admin.id, "channel_id": post.channel_id, "post_id": post.id, "context": secret}
    assert await scene.report(late) == "This has expired."

    control.approval_seconds = 120
    question, post = await scene.asked()
    scene.hosts.store.react(scene.acme.people[0], question, "octagonal_sign")
    await scene.hosts.until(lambda: not buttons(post))
    assert post.message.startswith("**Withdrawn** before anybody decided, ")

    question, post = await scene.asked()
    (id_,) = control.approvals
    control._decide({"id": id_, "kind": "plugin", "decision": "allow-once"})
    assert await ended(scene, question, post) == "Done: I have paid 100."
    assert post.message.startswith("**Approved elsewhere**, ")
    assert [row[:2] for row in await scene.audited()] == [
        ("approval_ended", "expired"),
        ("approval_ended", "withdrawn"),
        ("approval_ended", "elsewhere"),
    ]


async def test_an_approval_dies_with_its_gateway(scene: Deciding, bridge: Daemon) -> None:
    """When the bridge is connected again, the gateway does not list it any more."""
    _, post = await scene.asked()

    scene.hosts.agent.control.crash()
    await scene.hosts.until(lambda: not buttons(post))

    assert post.message.startswith("**Withdrawn** before anybody decided, ")
    # The question is asked again, which may need another approval by now.
    assert (await scene.states())[0] == "withdrawn"


async def test_an_approval_outlives_the_bridge(scene: Deciding, pool: Pool, tmp_path: Path) -> None:
    """Killed while it waits, and again right after the press: the next process does the rest, once."""
    async with running(scene.environ, tmp_path / "first.log", port=scene.port) as first:
        await first.until_parts(lambda parts: parts["approvals"]["state"] == "on")
        question = scene.hosts.ask(scene.acme, "@equabot who is on our team?")
        await scene.hosts.answered(question)
        run = asyncio.create_task(paying(scene.hosts.agent.control, scene.key(question)))
        await scene.hosts.until(lambda: bool(scene.approval_posts(question)))
        await first.kill()
    (post,) = scene.approval_posts(question)
    async with running(scene.environ, tmp_path / "second.log", port=scene.port) as second:
        await second.until_parts(lambda parts: parts["approvals"]["state"] == "on")
        assert (await scene.press(scene.acme.people[-1], post, "approve"))[0] == 200
        await second.kill()
    await pool.execute("update jobs set lease = now() where state = 'running'")
    async with running(scene.environ, tmp_path / "third.log", port=scene.port):
        await scene.hosts.until(lambda: not buttons(post))
        assert await run == "allow-once"

    assert post.message.startswith("**Approved** by ")
    assert len(scene.approval_posts(question)) == 1


async def test_where_mattermost_does_not_reach_the_bridge_reactions_decide(
    scene: Deciding, tmp_path: Path
) -> None:
    """Those of people who may; the post says so."""
    async with running({**scene.environ, "BRIDGE_URL": ""}, tmp_path / "daemon.log") as bridge:
        await bridge.until_parts(lambda parts: parts["approvals"]["state"] == "on")
        question, post = await scene.asked()
        asker, admin = scene.acme.people
        assert buttons(post) == {}
        assert "React to this post with :white_check_mark: to approve or :x: to deny." in str(post.props)
        scene.hosts.store.react(asker, post, "white_check_mark")
        async with asyncio.timeout(60):
            while not await scene.audited():
                await asyncio.sleep(0.02)
        scene.hosts.store.react(admin, post, "x")
        await scene.hosts.answered(question)
        await scene.hosts.until(lambda: post.message.startswith("**Denied** by "))

    assert scene.hosts.answers(question)[0].message == "I have not paid: it was not approved."
    assert await scene.audited() == [
        ("approval_refused", "not_allowed", "asker", "reaction"),
        ("approval_decided", "denied", "admin", "reaction"),
    ]


async def test_a_reaction_of_while_nobody_listened_decides(scene: Deciding, tmp_path: Path) -> None:
    """It is read when the bot is connected again."""
    environ = {**scene.environ, "BRIDGE_URL": ""}
    async with running(environ, tmp_path / "first.log") as first:
        await first.until_parts(lambda parts: parts["approvals"]["state"] == "on")
        question = scene.hosts.ask(scene.acme, "@equabot who is on our team?")
        await scene.hosts.answered(question)
        run = asyncio.create_task(paying(scene.hosts.agent.control, scene.key(question)))
        await scene.hosts.until(lambda: bool(scene.approval_posts(question)))
        (post,) = scene.approval_posts(question)
        await scene.until_posted(post)
        await first.kill()
    scene.hosts.store.react(scene.acme.people[-1], post, "white_check_mark")
    async with running(environ, tmp_path / "second.log"):
        assert await run == "allow-once"


async def test_without_a_service_account_the_page_alone_decides(scene: Deciding, tmp_path: Path) -> None:
    """Nobody can say which role whoever presses has; an administrator shows their own session."""
    environ = {**scene.environ, "EQUA_SERVICE_EMAIL": "", "EQUA_SERVICE_PASSWORD": ""}
    async with running(environ, tmp_path / "daemon.log", port=scene.port) as bridge:
        await bridge.until_parts(lambda parts: parts["approvals"]["state"].startswith("on"))
        question, post = await scene.asked()
        asker, admin = scene.acme.people
        assert buttons(post) == {}
        assert f"https://app.example.com/messaging/{scene.acme.id}/agent" in str(post.props)
        _, shown = await scene.page(admin)
        (waiting,) = shown["pending"]

        assert (await scene.page(asker))[0] == 403
        assert (await scene.page(asker, waiting["id"], "approve"))[0] == 403
        status, decided = await scene.page(admin, waiting["id"], "approve")
        assert (status, decided["state"], decided["decidedBy"]["username"]) == (
            200,
            "approved",
            admin.username,
        )
        assert (await scene.page(admin, waiting["id"], "deny"))[1]["error"] == "approval_ended"
        assert await ended_message(scene, question, post, "**Approved** by ") == "Done: I have paid 100."
        _, shown = await scene.page(admin)

    assert shown["pending"] == []
    assert [each["id"] for each in shown["ended"]] == [waiting["id"]]
    assert await scene.audited() == [("approval_decided", "approved", "admin", "page")]


async def test_another_organizations_page_shows_and_decides_nothing(scene: Deciding, bridge: Daemon) -> None:
    """Neither of the administrator of another one, nor under the id of another one."""
    _, _ = await scene.asked()
    id_ = str(await scene.pool.fetchval("select id from approvals"))
    stranger = scene.hosts.companies[1].people[-1]

    _, own = await scene.page(stranger, organization=scene.hosts.companies[1].id)
    assert own["pending"] == own["ended"] == []
    assert (await scene.page(stranger))[0] == 403
    assert (await scene.page(stranger, id_, "approve"))[0] == 403
    status, answer = await scene.page(stranger, id_, "approve", organization=scene.hosts.companies[1].id)

    assert (status, answer["error"]) == (404, "not_found")
    assert await scene.state() == "pending"


async def test_administrators_are_reminded_once(scene: Deciding, bridge: Daemon, tmp_path: Path) -> None:
    """By a direct message after half of the time, whichever process sends it; members are not."""
    control = scene.hosts.agent.control
    control.approval_seconds = 12
    async with running(scene.environ, tmp_path / "second.log"):
        _, post = await scene.asked()
        asker, admin = scene.acme.people
        channel = scene.hosts.store.direct(scene.hosts.bot, admin)
        await scene.hosts.until(lambda: bool(scene.hosts.store.posts_in(channel)))
        await scene.hosts.until(lambda: not buttons(post))

    (reminder,) = scene.hosts.store.posts_in(channel)
    assert reminder.message.startswith("**The agent waits for an approval** until ")
    assert f"/_redirect/pl/{post.id}" in reminder.message
    assert not scene.hosts.store.posts_in(scene.hosts.store.direct(scene.hosts.bot, asker))


async def test_the_asker_of_a_direct_message_decides_only_if_they_may(
    scene: Deciding, bridge: Daemon
) -> None:
    """The administrators are told at once, with the page: they see neither the post nor a link to it."""
    asker, admin = scene.acme.people
    channel = scene.hosts.store.direct(scene.hosts.bot, asker)
    scene.hosts.store.post_as(asker, channel, "pay 100")
    await scene.hosts.until(
        lambda: any("approval" in mark(each) for each in scene.hosts.store.posts_in(channel))
    )
    (post,) = (each for each in scene.hosts.store.posts_in(channel) if "approval" in mark(each))
    async with scene.ephemeral(asker) as shown:
        await scene.press(asker, post, "approve")
        assert "Only an administrator" in await shown.next()
    told = scene.hosts.store.direct(scene.hosts.bot, admin)
    await scene.hosts.until(lambda: bool(scene.hosts.store.posts_in(told)))

    (reminder,) = scene.hosts.store.posts_in(told)
    assert f"https://app.example.com/messaging/{scene.acme.id}/agent" in reminder.message
    assert post.id not in reminder.message
    _, listed = await scene.page(admin)
    assert [(each["isDirect"], each["link"]) for each in listed["pending"]] == [(True, None)]
