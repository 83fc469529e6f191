"""Approvals on the organization's page, in a browser."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.support.agent_admin import ONE, TWO, Scene, approval, comes_to, component, ended, lists
from tests.support.browser import stop_clock
from tests.support.messaging import ACME, Reply, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def opened(page: Page, agent_scene: Scene) -> None:
    await page.goto(agent_scene.page_of(section="approvals"))
    await comes_to(page, "ready")


async def test_an_administrator_decides_once_and_after_a_question(page: Page, agent_scene: Scene) -> None:
    """By the keyboard alone; who takes it back has decided nothing. The agent's words stay words."""
    agent_scene.bodies[ACME]["approvals"] = lists(approval())
    await opened(page, agent_scene)
    await expect(page.get_by_role("heading", name="Issue 5,000 shares to <b>Chloe</b>")).to_be_visible()
    approve = page.get_by_role("button", name="Approve once: Issue")
    await approve.press("Enter")
    await expect(page.get_by_role("dialog", name="Approve this once?")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(approve).to_be_focused()
    assert agent_scene.written == []
    await approve.press("Enter")
    agent_scene.replies["POST approvals"] = [Reply(body=ended())]
    agent_scene.bodies[ACME]["approvals"] = lists(past=(ended(),))
    await page.get_by_role("dialog").get_by_role("button", name="Approve once").press("Enter")

    await expect(page.get_by_text("You have approved it, once.").first).to_be_visible()
    await expect(page.get_by_text("Approved once by @ada")).to_be_visible()
    await expect(page.get_by_role("heading", name="Waiting")).to_be_focused()
    assert agent_scene.written == [{"decision": "approve"}]
    [decided] = [each for each in agent_scene.asked if each.method == "POST"]
    assert decided.path == f"/api/v1/mattermost/approvals/{ACME}/{ONE}"


async def test_who_comes_too_late_is_told(page: Page, agent_scene: Scene) -> None:
    """With the server's sentence, and sees what it has become."""
    agent_scene.bodies[ACME]["approvals"] = lists(approval(), approval(TWO, title="Something else"))
    await opened(page, agent_scene)
    agent_scene.replies["POST approvals"] = [refusal(409, "approval_ended", "This was denied already.")]
    agent_scene.bodies[ACME]["approvals"] = lists(
        approval(TWO, title="Something else"), past=(ended(state="denied"),)
    )
    await page.get_by_role("button", name="Deny: Issue").click()
    await page.get_by_role("dialog").get_by_role("button", name="Deny").click()

    await expect(component(page).get_by_role("status")).to_have_text("This was denied already.")
    await expect(page.get_by_text("Denied by @ada")).to_be_visible()
    await expect(page.get_by_role("button", name="Deny: Something else")).to_be_visible()


async def test_an_answer_that_was_overtaken_is_not_shown(page: Page, agent_scene: Scene) -> None:
    """What was asked for before a decision, and comes after it, would offer it again."""
    late = asyncio.Event()
    came: list[str] = []
    page.on("response", lambda response: came.append(response.url))
    agent_scene.bodies[ACME]["approvals"] = lists(approval())
    await stop_clock(page)
    await opened(page, agent_scene)
    agent_scene.replies["approvals"] = [Reply(body=lists(approval(), approval(TWO)), release=late)]
    await page.clock.run_for(21_000)
    agent_scene.bodies[ACME]["approvals"] = lists(past=(ended(state="denied"),))
    await page.get_by_role("button", name="Deny: Issue").click()
    await page.get_by_role("dialog").get_by_role("button", name="Deny").click()
    await expect(page.get_by_text("Denied by @ada")).to_be_visible()
    before = len(came)
    late.set()
    async with asyncio.timeout(60):
        while len(came) == before:
            await asyncio.sleep(0.01)
    # What the page does with it, it has done before another answer has come.
    await page.evaluate("fetch('/static/messaging.svg').then((response) => response.text())")

    await expect(page.get_by_text("Nothing waits for a decision.")).to_be_visible()
    await expect(page.get_by_role("tab", name="Approvals", exact=True)).to_be_visible()


async def test_what_the_agent_does_not_take_is_not_offered(page: Page, agent_scene: Scene) -> None:
    """Such as an approval of something that can only be denied."""
    agent_scene.bodies[ACME]["approvals"] = lists(approval(choices=["deny"]))
    await opened(page, agent_scene)

    await expect(page.get_by_role("button", name="Deny: Issue")).to_be_visible()
    await expect(page.get_by_role("button", name="Approve once")).to_have_count(0)


async def test_the_page_looks_again_by_itself(page: Page, agent_scene: Scene) -> None:
    """What still waits stays under the finger that is on it; what is gone is told."""
    agent_scene.bodies[ACME]["approvals"] = lists(approval())
    await stop_clock(page)
    await opened(page, agent_scene)
    deny = page.get_by_role("button", name="Deny: Issue")
    await deny.focus()
    agent_scene.bodies[ACME]["approvals"] = lists(approval(), approval(TWO, title="Something else"))
    await page.clock.run_for(21_000)
    await expect(page.get_by_role("button", name="Deny: Something else")).to_be_visible()
    await expect(page.get_by_role("tab", name="Approvals 2 wait")).to_be_visible()
    await expect(deny).to_be_focused()
    agent_scene.bodies[ACME]["approvals"] = lists(
        past=(ended(), ended(TWO, "expired", title="Something else"))
    )
    await page.clock.run_for(21_000)

    await expect(component(page).get_by_role("status")).to_contain_text("no longer waits")
    await expect(page.get_by_text("Nothing waits for a decision.")).to_be_visible()
