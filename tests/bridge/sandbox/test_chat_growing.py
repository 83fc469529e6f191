"""The chat page in a browser: an answer is seen to grow."""

import pytest
from playwright.async_api import expect

from bridge.sandbox.chat import Person, pages, spa
from bridge.sandbox.mattermost import PASSWORD, Server, Store
from bridge.sandbox.mattermost.posts import edit_post
from tests.support.browser import Tabs
from tests.support.mattermost import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_answer_grows_where_it_is_read(tabs: Tabs) -> None:
    """Each edit replaces what stood there; nothing has to be loaded anew."""
    store = Store()
    bot, ada = store.create_bot("equabot"), store.create_user("ada")
    team = store.create_team("acme", "Acme Corp", members=[bot, ada])
    channel = store.create_channel(team, "agent", members=[bot, ada])
    token = store.create_token(ada).token
    person = Person("ada", PASSWORD, "Ada Lovelace", "CEO", "Acme Corp")
    async with Server(store, pages=pages([person]), spa=spa) as server, tabs.page() as page:
        cookies = {"MMAUTHTOKEN": token, "MMUSERID": ada.id}
        await page.context.add_cookies(
            [{"name": name, "value": value, "url": server.url} for name, value in cookies.items()]
        )
        await page.goto(f"{server.url}/acme/channels/agent")
        await expect(page.get_by_text("ada joined the channel.")).to_be_visible()
        await eventually(lambda: server.open_sockets(ada) > 0)
        question = store.post_as(ada, channel, "@equabot tell me")
        await expect(page.get_by_text("tell me")).to_be_visible()
        answer = store.post_as(bot, channel, "The answer has", root_id=question.id)
        await expect(page.get_by_text("The answer has", exact=True)).to_be_visible()

        edit_post(store, answer, {"message": "The answer has grown."})

        await expect(page.get_by_text("The answer has grown.")).to_be_visible()
        await expect(page.get_by_text("The answer has", exact=True)).to_have_count(0)
