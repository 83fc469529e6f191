"""The settings on the organization's page, in a browser."""

import pytest
from playwright.async_api import Page, expect

from tests.support.agent_admin import Scene, comes_to, component, settings
from tests.support.browser import violations
from tests.support.messaging import ACME, Reply, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHANGED = refusal(412, "settings_changed", "Somebody has changed the settings.")


async def opened(page: Page, agent_scene: Scene) -> None:
    await page.goto(agent_scene.page_of(section="settings"))
    await comes_to(page, "ready")


async def test_all_of_them_are_saved_over_the_version_that_was_seen(page: Page, agent_scene: Scene) -> None:
    """Also those that nobody has touched; numbers as numbers, an amount as it was written."""
    agent_scene.bodies[ACME]["settings"] = settings(version=3, mutedNotices=["cc.equa.announcement"])
    saved = settings(version=4, followUps="never", budget={"tokens": 1000, "cost": "2.50"})
    agent_scene.replies["PUT settings"] = [Reply(body=saved)]
    await opened(page, agent_scene)
    await page.get_by_role("radio", name="Never").check()
    await page.get_by_label("Tokens").fill("1000")
    await page.get_by_label("Cost").fill("2.50")
    await page.get_by_role("checkbox", name="Announcements").check()
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("Saved.").first).to_be_visible()
    await expect(page.get_by_role("button", name="Save")).to_be_focused()
    assert agent_scene.asked[-1].headers["If-Match"] == '"3"'
    assert agent_scene.written == [
        {
            "approvers": None,
            "followUps": "never",
            "budget": {"tokens": 1000, "cost": "2.50"},
            "mutedNotices": [],
        }
    ]


async def test_what_the_operator_does_not_allow_cannot_be_chosen(page: Page, agent_scene: Scene) -> None:
    """It is there to be seen, with the bound."""
    await opened(page, agent_scene)

    await expect(page.get_by_role("radio", name="Always")).to_be_disabled()
    await expect(page.get_by_role("radio", name="Every member, also the one who asked")).to_be_disabled()
    await expect(page.get_by_label("Tokens")).to_have_attribute("max", "5000000")
    await expect(page.get_by_text("At most 5,000,000")).to_be_visible()
    await page.get_by_label("Tokens").fill("5000001")
    await page.get_by_role("button", name="Save").click()
    assert agent_scene.written == []


async def test_what_was_chosen_within_wider_bounds_is_kept(page: Page, agent_scene: Scene) -> None:
    """Saving something else does not change it."""
    agent_scene.bodies[ACME]["settings"] = settings(followUps="always")
    agent_scene.replies["PUT settings"] = [Reply(body=settings(followUps="always", version=1))]
    await opened(page, agent_scene)
    await expect(page.get_by_role("radio", name="Always")).to_be_checked()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.").first).to_be_visible()

    assert agent_scene.written[0]["followUps"] == "always"


async def test_who_comes_second_sees_what_the_first_has_chosen(page: Page, agent_scene: Scene) -> None:
    """And keeps what they chose themselves, until they take one or the other."""
    await opened(page, agent_scene)
    await page.get_by_role("radio", name="Administrators").check()
    agent_scene.bodies[ACME]["settings"] = settings(
        version=7, approvers="members", mutedNotices=["cc.equa.announcement"]
    )
    agent_scene.replies["PUT settings"] = [CHANGED, Reply(body=settings(version=8, approvers="admins"))]
    await page.get_by_role("button", name="Save").click()
    warning = component(page).get_by_role("alert")

    await expect(warning).to_be_focused()
    assert await violations(page) == []
    await expect(warning).to_contain_text(
        "Who approves: they chose every member but the one who asked; the form has administrators."
    )
    await expect(warning).to_contain_text(
        "Notices that are not posted: they chose Announcements; the form has none."
    )
    await expect(page.get_by_role("radio", name="Administrators", exact=True)).to_be_checked()
    await page.get_by_role("button", name="Save mine").click()
    await expect(page.get_by_text("Saved.").first).to_be_visible()
    assert [each.headers["If-Match"] for each in agent_scene.asked if each.method == "PUT"] == ['"0"', '"7"']
    assert [each["approvers"] for each in agent_scene.written] == ["admins", "admins"]


async def test_theirs_can_be_taken(page: Page, agent_scene: Scene) -> None:
    """Then the form shows them."""
    await opened(page, agent_scene)
    await page.get_by_role("radio", name="Administrators").check()
    agent_scene.bodies[ACME]["settings"] = settings(version=7, approvers="members")
    agent_scene.replies["PUT settings"] = [CHANGED]
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Take theirs").click()

    await expect(
        page.get_by_role("radio", name="Every member but the one who asked", exact=True)
    ).to_be_checked()
    await expect(component(page).get_by_role("alert")).to_have_count(0)


async def test_what_the_server_finds_wrong_is_said_and_nothing_is_lost(
    page: Page, agent_scene: Scene
) -> None:
    """Neither by that nor by a look at another section."""
    sentence = "budget.cost has to be a positive decimal number."
    agent_scene.replies["PUT settings"] = [refusal(400, "invalid_request", sentence)]
    await opened(page, agent_scene)
    await page.get_by_label("Cost").fill("0.5")
    await page.get_by_role("button", name="Save").click()
    await expect(component(page).get_by_role("alert")).to_contain_text(sentence)
    await page.get_by_role("tab", name="Audit").click()
    await page.get_by_role("tab", name="Settings").click()
    await comes_to(page, "ready")

    await expect(page.get_by_label("Cost")).to_have_value("0.5")
