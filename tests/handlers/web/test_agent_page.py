"""The organization's page in a browser: its states, its sections, and that everybody can use it."""

import asyncio
from typing import Literal

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.support.agent_admin import (
    Scene,
    approval,
    busy,
    comes_to,
    component,
    element,
    entry,
    figures,
    host,
    line,
    lists,
    usage,
)
from tests.support.browser import LAPTOP, PHONE, violations
from tests.support.messaging import ACME, BOREALIS, Reply, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECTIONS = ("Usage", "Approvals", "Audit", "Settings")


async def flawless(page: Page) -> None:
    """Look at the page: nothing that axe-core finds, nothing that is too wide."""
    assert await violations(page) == []
    for each in ("html", "main"):
        assert not await page.locator(each).evaluate("(element) => element.scrollWidth > element.clientWidth")


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(LAPTOP, "light"), (PHONE, "dark")], ids=["laptop by day", "phone by night"]
)
async def test_everybody_can_use_it(
    page: Page,
    agent_scene: Scene,
    viewport: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    """Each section with everything in it, the question before a decision, and what a card says."""
    agent_scene.bodies[ACME] = busy()
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size(viewport)
    await page.goto(agent_scene.page_of())
    for section in SECTIONS:
        await page.get_by_role("tab", name=section).click()
        await comes_to(page, "ready")
        for each in await component(page).locator("summary").all():
            await each.click()
        await flawless(page)
    await page.get_by_role("tab", name="Approvals").click()
    await page.get_by_role("button", name="Deny: Issue").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await flawless(page)
    await page.keyboard.press("Escape")
    agent_scene.replies["audit"] = [refusal(503, "database_unavailable", Retry_After="200")]
    await page.get_by_role("tab", name="Audit").click()
    await comes_to(page, "waiting")
    await flawless(page)


async def test_the_keyboard_is_enough(page: Page, agent_scene: Scene) -> None:
    """One stop for the tabs, arrows among them, then what the section has; the address follows."""
    agent_scene.bodies[ACME] = busy()
    await page.goto(agent_scene.page_of())
    await comes_to(page, "ready")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("tab", name="Usage", selected=True)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Days")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("tab", name="Settings", selected=True)).to_be_focused()
    await comes_to(page, "ready")
    await expect(page).to_have_url(agent_scene.page_of(section="settings"))
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowRight")
    await comes_to(page, "ready")
    await page.keyboard.press("Tab")

    await expect(page.get_by_role("button", name="Approve once: Issue")).to_be_focused()
    await expect(page.get_by_role("tabpanel", name="Approvals")).to_be_visible()


async def test_a_link_to_a_section_loads_nothing_else(page: Page, agent_scene: Scene) -> None:
    """But what waits, for the number on its tab."""
    await page.goto(agent_scene.page_of(section="audit"))
    await comes_to(page, "ready")
    await expect(page.get_by_role("tab", name="Audit", selected=True)).to_be_visible()

    assert {request.match_info["what"] for request in agent_scene.asked} <= {"audit", "approvals"}


async def test_what_waits_is_counted_on_its_tab(page: Page, agent_scene: Scene) -> None:
    """Wherever one is; if that cannot be found out, nothing else suffers."""
    agent_scene.bodies[ACME] = busy()
    agent_scene.replies["approvals"] = [refusal(500, "mattermost_not_configured")]
    await page.goto(agent_scene.page_of())
    await comes_to(page, "ready")
    await page.get_by_role("tab", name="Settings").click()

    await expect(page.get_by_role("tab", name="Approvals 1 waits")).to_be_visible()
    await comes_to(page, "ready")


@pytest.mark.parametrize(
    ("reply", "title"),
    [
        (refusal(401, "not_signed_in"), "You are not signed in"),
        (refusal(403, "not_an_admin"), "Only administrators can see this"),
        (refusal(403, "forbidden_origin"), "This may not be opened from this page"),
    ],
    ids=["signed out", "member", "foreign page"],
)
async def test_who_may_see_nothing_sees_nothing(
    page: Page, agent_scene: Scene, reply: Reply, title: str
) -> None:
    """Not even the sections; whoever becomes an administrator tries again, also with the keyboard."""
    agent_scene.replies["usage/day"] = [reply]
    await page.goto(agent_scene.page_of())
    await comes_to(page, "error")
    await expect(page.get_by_role("heading", name=title)).to_be_visible()
    await expect(page.get_by_role("tab")).to_have_count(0)
    await expect(component(page).get_by_role("status")).to_contain_text(title)
    await component(page).evaluate("(element) => { element.section = 'audit' }")
    await comes_to(page, "error")
    retry = page.get_by_role("button", name="Try again")
    await retry.focus()
    await page.keyboard.press("Enter")
    await comes_to(page, "ready")

    await expect(page.get_by_role("tab")).to_have_count(len(SECTIONS))
    assert await component(page).evaluate("(element) => document.activeElement === element")


async def test_what_ends_a_session_is_said_wherever_it_is_found_out(page: Page, agent_scene: Scene) -> None:
    """As when somebody saves after a long pause."""
    await page.goto(agent_scene.page_of(section="settings"))
    await comes_to(page, "ready")
    agent_scene.replies["PUT settings"] = [refusal(401, "not_signed_in")]
    await page.get_by_role("button", name="Save").click()
    await comes_to(page, "error")

    await expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body="<!doctype html><title>Sign in</title>"),
        Reply(body={"entries": "none"}),
        Reply(body={"entries": [{}], "next": None}),
        refusal(400, "constructor"),
    ],
    ids=["page", "text", "entry", "code"],
)
async def test_an_answer_that_is_none_is_not_shown(page: Page, agent_scene: Scene, reply: Reply) -> None:
    """It does not end the script, and the next one is shown."""
    agent_scene.replies["audit"] = [reply]
    await page.goto(agent_scene.page_of(section="audit"))
    await comes_to(page, "error")
    await page.get_by_role("button", name="Try again").click()

    await comes_to(page, "ready")


async def test_what_will_pass_is_tried_again(page: Page, agent_scene: Scene) -> None:
    """With a countdown, by itself, at once when the connection is back, and when somebody asks."""
    agent_scene.replies["usage/day"] = [refusal(503, "equa_unavailable", Retry_After="200")] * 2
    await page.goto(agent_scene.page_of())
    await comes_to(page, "waiting")
    await expect(component(page).locator("[part=countdown]")).to_be_visible()
    await page.get_by_role("button", name="Try now").click()
    await comes_to(page, "waiting")
    await page.evaluate("dispatchEvent(new Event('online'))")

    await comes_to(page, "ready")


async def test_an_answer_that_comes_too_late_is_not_shown(page: Page, agent_scene: Scene) -> None:
    """Nothing of one organization stays in sight, or comes into it, while another one is shown."""
    late = asyncio.Event()
    some = figures(questions=5, answered=5)
    acme = usage(some, line("a", name="Only Acme's", questions=5))
    agent_scene.bodies[ACME] = {
        "usage/day": usage(some, line("2026-11-26", questions=5)),
        "usage/person": acme,
    }
    agent_scene.bodies[ACME]["approvals"] = lists(approval())
    await page.goto(agent_scene.page_of())
    await expect(page.get_by_text("Only Acme's")).to_be_visible()
    agent_scene.replies["usage/person"] = [Reply(body=acme, release=late)]
    await component(page).evaluate("(element) => { element.reload() }")
    await comes_to(page, "loading")
    await component(page).evaluate("(element, id) => { element.organization = id }", BOREALIS)
    await expect(page.get_by_text("Only Acme's")).to_have_count(0)
    await comes_to(page, "ready")
    late.set()

    await expect(page.get_by_text("Nobody has asked the agent anything")).to_be_visible()
    await expect(page.get_by_role("tab", name="Approvals", exact=True)).to_be_visible()
    await expect(page.get_by_text("Only Acme's")).to_have_count(0)


async def test_a_question_ends_with_its_organization(page: Page, agent_scene: Scene) -> None:
    """Nobody decides for one organization what they were asked of another."""
    agent_scene.bodies[ACME] = busy()
    await page.goto(agent_scene.page_of(section="approvals"))
    await page.get_by_role("button", name="Approve once: Issue").click()
    await component(page).evaluate("(element, id) => { element.organization = id }", BOREALIS)
    await comes_to(page, "ready")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert agent_scene.written == []


async def test_the_audit_is_read_page_by_page(page: Page, agent_scene: Scene) -> None:
    """Or as a file; of one kind, and of some days. Codes that nobody knows here are shown as they are."""
    agent_scene.bodies[ACME] = busy()
    await page.goto(agent_scene.page_of(section="audit"))
    await comes_to(page, "ready")
    changes = {"budget.to": 5, "budget.from": None, "mutedNotices.to": ["cc.equa.announcement", "new"]}
    older = entry("something_new", "done", username=None, details=changes)
    agent_scene.replies["audit"] = [Reply(body={"entries": [older], "next": None})]
    await page.get_by_role("button", name="Show older entries").click()
    last = component(page).get_by_role("listitem").last

    await expect(last).to_contain_text(
        "something new: done on this page · budget: — → 5 · muted notices: — → Announcements, new"
    )
    await expect(last).to_be_focused()
    await expect(component(page).get_by_role("listitem").first).to_contain_text(
        "Approved what the agent wanted to do on this page · tool: cap_table.issue@ada, administrator"
    )
    await expect(page.get_by_role("button", name="Show older entries")).to_be_hidden()
    assert agent_scene.asked[-1].query["cursor"] == "more"
    await page.get_by_label("What happened").select_option("Budgets that were used up")
    await comes_to(page, "ready")
    await expect(page.get_by_role("link", name="Download as CSV")).to_have_attribute(
        "href", f"/api/v1/mattermost/audit/{ACME}?kind=budget_hit&format=csv"
    )
    await page.get_by_label("to", exact=True).fill("2026-02-28")
    await page.get_by_label("From", exact=True).fill("2026-02-03")
    await comes_to(page, "ready")
    await expect(page.get_by_role("link", name="Download as CSV")).to_have_attribute(
        "href", f"/api/v1/mattermost/audit/{ACME}?kind=budget_hit&from=2026-02-03&to=2026-02-28&format=csv"
    )


async def test_the_strictest_policy_lets_it_work(page: Page, agent_scene: Scene) -> None:
    """In a page of somebody else too: no style, no script but its own file, nothing but its API."""
    agent_scene.bodies[ACME] = busy()
    agent_scene.host = host(element(theme="dark"))
    agent_scene.host_headers = {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    }
    violated: list[str] = []
    page.on("console", lambda message: violated.append(message.text) if message.type == "error" else None)
    await page.goto(f"{agent_scene.url}/host")
    await comes_to(page, "ready")
    color = await component(page).evaluate("(element) => getComputedStyle(element).backgroundColor")

    assert color == "rgb(22, 29, 31)"
    assert [text for text in violated if "Content Security Policy" in text] == []


async def test_without_an_organization_nothing_is_asked(page: Page, agent_scene: Scene) -> None:
    """As while a framework has not told it yet, and once the element is gone from the page."""
    agent_scene.host = host(element(""))
    await page.goto(f"{agent_scene.url}/host")
    await comes_to(page, "idle")
    assert agent_scene.asked == []
    await component(page).evaluate("(element, id) => { element.organization = id }", ACME)
    await comes_to(page, "ready")
    states = await component(page).evaluate("(element) => { element.remove(); return element.state }")

    assert states == "idle"
