"""Hearing people: who speaks to the bot, where, under which name, and how much."""

from bridge.sandbox.mattermost import Post
from bridge.sandbox.mattermost.users import patch_user
from tests.support.world import Company, World


def said(world: World, post: Post) -> list[str]:
    return [reply.message for reply in world.replies(post)]


async def test_me_posts_and_other_scripts(world: World, acme: Company, daemon: object) -> None:
    """`/me` asks too, and a name ends where another script begins."""
    me = world.store.post_as(acme.people[0], acme.agent, "*asks @equabot who is on the team*", type="me")
    japanese = world.ask(acme, "@equabotこんにちは")

    await world.answered(me, japanese)


async def test_the_bot_is_renamed_while_it_runs(world: World, acme: Company, daemon: object) -> None:
    """It hears its new name at once and the old one no more."""
    await world.answered(world.ask(acme, "@equabot hello"))
    patch_user(world.store, world.bot, {"username": "newbot"})

    former, present = world.ask(acme, "@equabot hello"), world.ask(acme, "@newbot hello")
    await world.answered(present)
    last = world.ask(acme, "@newbot and now?")
    await world.answered(last)

    assert said(world, former) == []


async def test_the_bot_was_renamed_while_nobody_listened(world: World, acme: Company, daemon: object) -> None:
    """It looks what it is called each time it connects."""
    world.server.faults.refuse_sockets = True
    world.server.faults.cut_sockets()
    patch_user(world.store, world.bot, {"username": "newbot"})
    asked = world.ask(acme, "@newbot hello")
    world.server.faults.refuse_sockets = False

    await world.answered(asked)


async def test_asked_in_another_channel(world: World, acme: Company, daemon: object) -> None:
    """It says once where it answers, and goes on answering there."""
    square = world.store.channel(acme.team, "town-square")
    first = world.store.post_as(acme.people[0], square, "@equabot who holds shares?")
    await world.until(lambda: bool(said(world, first)))
    second = world.store.post_as(acme.people[0], square, "@equabot again?")
    await world.answered(world.ask(acme, "@equabot who holds shares?"))

    assert said(world, first) == ["I answer in ~agent: please ask me there."]
    assert said(world, second) == []


async def test_too_many_questions(world: World, acme: Company, limiting_daemon: object) -> None:
    """Twenty are answered, the rest is refused and the person hears it once; a colleague is not concerned."""
    posts = [world.ask(acme, f"@equabot question {number}") for number in range(25)]
    other = world.ask(acme, "@equabot and mine?", by=1)
    await world.answered(other)
    await world.until(lambda: sum(bool(said(world, post)) for post in posts) >= 21)
    after = world.ask(acme, "@equabot yours again?", by=1)
    await world.answered(after)

    hints = [text for post in posts for text in said(world, post) if "20 questions a minute" in text]
    assert len(hints) == 1
    assert sum(len(world.answers(post)) for post in posts) == 20
