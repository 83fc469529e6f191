"""Hearing people: who speaks to the bot, where, under which name, and how much."""

from bridge.sandbox.mattermost import Post
from bridge.sandbox.mattermost.users import patch_user
from tests.support.hosts import Company, Hosts


def said(hosts: Hosts, post: Post) -> list[str]:
    return [reply.message for reply in hosts.replies(post)]


async def test_me_posts_and_other_scripts(hosts: Hosts, acme: Company, daemon: object) -> None:
    """`/me` asks too, and a name ends where another script begins."""
    me = hosts.store.post_as(acme.people[0], acme.agent, "*asks @equabot who is on the team*", type="me")
    japanese = hosts.ask(acme, "@equabotこんにちは")

    await hosts.answered(me, japanese)


async def test_the_bot_is_renamed_while_it_runs(hosts: Hosts, acme: Company, daemon: object) -> None:
    """It hears its new name at once and the old one no more."""
    await hosts.answered(hosts.ask(acme, "@equabot hello"))
    patch_user(hosts.store, hosts.bot, {"username": "newbot"})

    former, present = hosts.ask(acme, "@equabot hello"), hosts.ask(acme, "@newbot hello")
    await hosts.answered(present)
    last = hosts.ask(acme, "@newbot and now?")
    await hosts.answered(last)

    assert said(hosts, former) == []


async def test_the_bot_was_renamed_while_nobody_listened(hosts: Hosts, acme: Company, daemon: object) -> None:
    """It looks what it is called each time it connects."""
    hosts.server.faults.refuse_sockets = True
    hosts.server.faults.cut_sockets()
    patch_user(hosts.store, hosts.bot, {"username": "newbot"})
    asked = hosts.ask(acme, "@newbot hello")
    hosts.server.faults.refuse_sockets = False

    await hosts.answered(asked)


async def test_asked_in_another_channel(hosts: Hosts, acme: Company, daemon: object) -> None:
    """It says once where it answers, and goes on answering there."""
    square = hosts.store.channel(acme.team, "town-square")
    first = hosts.store.post_as(acme.people[0], square, "@equabot who holds shares?")
    await hosts.until(lambda: bool(said(hosts, first)))
    second = hosts.store.post_as(acme.people[0], square, "@equabot again?")
    await hosts.answered(hosts.ask(acme, "@equabot who holds shares?"))

    assert said(hosts, first) == ["I answer in ~agent: please ask me there."]
    assert said(hosts, second) == []


async def test_too_many_questions(hosts: Hosts, acme: Company, limiting_daemon: object) -> None:
    """Twenty are answered, the rest is refused and the person hears it once; a colleague is not concerned."""
    posts = [hosts.ask(acme, f"@equabot question {number}") for number in range(25)]
    other = hosts.ask(acme, "@equabot and mine?", by=1)
    await hosts.answered(other)
    await hosts.until(lambda: sum(bool(said(hosts, post)) for post in posts) >= 21)
    after = hosts.ask(acme, "@equabot yours again?", by=1)
    await hosts.answered(after)

    hints = [text for post in posts for text in said(hosts, post) if "20 questions a minute" in text]
    assert len(hints) == 1
    assert sum(len(hosts.answers(post)) for post in posts) == 20
