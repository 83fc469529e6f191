"""Teams: names, default channels, archive."""

from typing import Any

import pytest

from tests.contract.client import Answer
from tests.contract.server import Mattermost

RESERVED = (
    *("admin", "api", "channel", "claim", "error", "files", "help", "landing", "login", "mfa", "oauth"),
    *("plug", "plugins", "post", "signup", "boards", "playbooks"),
)


async def create(server: Mattermost, name: str, **fields: Any) -> Answer:
    given = {"name": name, "display_name": "A team", "type": "I", **fields}
    return await server.admin.call("POST", "/teams", given)


async def test_a_team_is_created_with_201(server: Mattermost) -> None:
    """Its creator is its first member and team admin."""
    name = server.name()
    answer = await create(server, name, description="what it is for")
    team = answer.body
    assert answer.status == 201
    assert (team["name"], team["display_name"], team["type"]) == (name, "A team", "I")
    assert (team["description"], team["delete_at"], team["allow_open_invite"]) == ("what it is for", 0, False)
    me = await server.admin.get("/users/me")
    member = await server.admin.get(f"/teams/{team['id']}/members/{me['id']}")
    assert member["scheme_admin"] is True


async def test_names_that_start_with_a_reserved_word_are_refused(server: Mattermost) -> None:
    """postal, helpdesk and apiary fail as well as the words themselves."""
    for word in RESERVED:
        if word in ("boards", "playbooks") and server.version < (10,):
            continue
        for name in (word, f"{word}x1"):
            answer = await create(server, name)
            assert (answer.status, answer.error) == (400, "model.team.is_valid.reserved.app_error"), name


@pytest.mark.parametrize("name", ["a", "-ab", "ab-", "a_b", "a b", "ümlaut", "a.b", "a--b-"])
async def test_other_characters_are_refused(server: Mattermost, name: str) -> None:
    """Lower-case letters, digits and dashes inside, two characters at least."""
    answer = await create(server, name)
    assert (answer.status, answer.error) == (400, "model.team.is_valid.characters.app_error")


@pytest.mark.parametrize("middle", ["-", "--", "-1-"])
async def test_dashes_may_stand_inside(server: Mattermost, middle: str) -> None:
    """Also several in a row."""
    assert (await create(server, server.name() + middle + "x")).status == 201


async def test_lengths_are_limited(server: Mattermost) -> None:
    """64 characters for both names, 255 bytes for the description."""
    assert (await create(server, (server.name() + "a" * 64)[:64], display_name="x" * 64)).status == 201
    cases = {
        "url": await create(server, server.name() + "a" * 64),
        "name": await create(server, server.name(), display_name="x" * 65),
        "description": await create(server, server.name(), description="x" * 256),
    }
    assert {what: answer.error for what, answer in cases.items()} == {
        what: f"model.team.is_valid.{what}.app_error" for what in cases
    }
    assert (await create(server, server.name(), display_name="")).status == 400
    assert (await create(server, server.name(), type="X")).status == 400


async def test_the_name_of_an_archived_team_stays_taken(server: Mattermost) -> None:
    """A taken name is 400, and the archived team is found by it."""
    server.needs(10)
    team = await server.team()
    again = await create(server, team["name"])
    assert (again.status, again.error) == (400, "store.sql_team.save_team.existing.app_error")
    await server.admin.delete(f"/teams/{team['id']}")
    assert (await create(server, team["name"])).error == "store.sql_team.save_team.existing.app_error"
    found = await server.admin.get(f"/teams/name/{team['name']}")
    assert found["id"] == team["id"]
    assert found["delete_at"] > 0


async def test_an_archived_team_can_be_restored(server: Mattermost) -> None:
    """Its members were there all the time."""
    account = await server.account()
    team = await server.team(account)
    await server.admin.delete(f"/teams/{team['id']}")
    assert await account.api.get("/users/me/teams") == []
    await server.admin.post(f"/teams/{team['id']}/restore")
    assert (await server.admin.get(f"/teams/{team['id']}"))["delete_at"] == 0
    assert [each["id"] for each in await account.api.get("/users/me/teams")] == [team["id"]]


async def test_a_team_can_be_patched(server: Mattermost) -> None:
    """Only what is given changes; the name cannot."""
    team = await server.team()
    patched = await server.admin.put(
        f"/teams/{team['id']}/patch", {"display_name": "Shown", "description": "New", "name": "other"}
    )
    assert (patched["display_name"], patched["description"]) == ("Shown", "New")
    assert patched["name"] == team["name"]


async def test_deleting_for_good_is_off(server: Mattermost) -> None:
    """?permanent=true is refused while EnableAPITeamDeletion is off."""
    team = await server.team()
    answer = await server.admin.call("DELETE", f"/teams/{team['id']}?permanent=true")
    assert answer.status == 401
    assert answer.error.startswith("api.user.delete_team.not_enabled")


async def test_every_team_has_town_square_and_off_topic(server: Mattermost) -> None:
    """They exist from the beginning and everybody who joins is put into them."""
    account = await server.account()
    team = await server.team(account)
    names = {each["name"] for each in await server.admin.get(f"/teams/{team['id']}/channels")}
    assert names == {"town-square", "off-topic"}
    mine = await account.api.get(f"/users/me/teams/{team['id']}/channels")
    assert {each["name"] for each in mine if each["team_id"]} == names


async def test_configured_default_channels_replace_off_topic(server: Mattermost) -> None:
    """ExperimentalDefaultChannels are created with each team, under their names, and joined by all."""
    server.needs(10)
    account = await server.account()
    async with server.configured(TeamSettings={"ExperimentalDefaultChannels": ["announcements", "agent"]}):
        team = await server.team(account)
    mine = await account.api.get(f"/users/me/teams/{team['id']}/channels")
    shown = {each["name"]: each["display_name"] for each in mine if each["team_id"]}
    assert set(shown) == {"town-square", "announcements", "agent"}
    assert shown["agent"] == "agent"


async def test_town_square_stays(server: Mattermost) -> None:
    """It can be shown under another name, but not renamed, archived or left."""
    server.needs(10)
    account = await server.account()
    team = await server.team(account)
    town = await server.admin.get(f"/teams/{team['id']}/channels/name/town-square")
    path = f"/channels/{town['id']}"
    patched = await server.admin.put(f"{path}/patch", {"display_name": "General"})
    assert (patched["name"], patched["display_name"]) == ("town-square", "General")
    rename = await server.admin.call("PUT", f"{path}/patch", {"name": "general"})
    archive = await server.admin.call("DELETE", path)
    leave = await account.api.call("DELETE", f"{path}/members/{account.id}")
    assert [answer.status for answer in (rename, archive, leave)] == [400, 400, 400]


async def test_teams_can_be_listed_in_pages(server: Mattermost) -> None:
    """include_total_count wraps the page."""
    await server.team()
    page = await server.admin.get("/teams?per_page=1&include_total_count=true")
    assert len(page["teams"]) == 1
    assert page["total_count"] >= 1
    assert len(await server.admin.get("/teams?per_page=1")) == 1


async def test_an_unknown_team_is_404(server: Mattermost) -> None:
    """By id and by name."""
    by_id = await server.admin.call("GET", "/teams/" + "a" * 26)
    by_name = await server.admin.call("GET", "/teams/name/no-such-team")
    assert (by_id.status, by_name.status) == (404, 404)


async def test_whoever_knows_an_invite_id_can_join(server: Mattermost) -> None:
    """Whatever their permissions; a new invite id makes the old one useless, and members do not see it."""
    other = await server.team()
    ada = await server.account()
    known = (await server.admin.get(f"/teams/{other['id']}"))["invite_id"]
    join = f"/teams/members/invite?invite_id={known}"

    assert (await ada.api.call("POST", join)).status == 201
    renewed = await server.admin.call("POST", f"/teams/{other['id']}/regenerate_invite_id")
    await server.admin.call("DELETE", f"/teams/{other['id']}/members/{ada.id}")
    again = await ada.api.call("POST", join)

    assert renewed.status == 200
    assert renewed.body["invite_id"] not in ("", known)
    assert (again.status, again.error) == (404, "app.team.get_by_invite_id.finding.app_error")
