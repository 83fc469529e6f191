"""Setting up a scene without HTTP."""

import pytest

from bridge.sandbox.mattermost import ApiError, Settings, Store


def test_there_is_an_administrator_from_the_beginning() -> None:
    """With a token of 26 characters."""
    store = Store()
    assert "system_admin" in store.admin.roles.split()
    assert len(store.admin_token) == 26


def test_the_first_person_only_becomes_administrator() -> None:
    """Those who follow are people."""
    assert Store().create_user("ada").roles == "system_user"


def test_a_scene_is_made_by_the_rules_of_the_api() -> None:
    """What the API refuses raises here too."""
    store = Store()
    store.create_user("ada")
    team = store.create_team("acme")
    outsider = store.create_user("bob")
    with pytest.raises(ApiError, match="username_exists"):
        store.create_user("ada", email="other@example.test")
    with pytest.raises(ApiError, match="reserved"):
        store.create_team("postal")
    with pytest.raises(ApiError, match="missing"):
        store.create_channel(team, "agent", members=[outsider])
    with pytest.raises(ApiError, match="message_length"):
        store.post_as(store.admin, store.channel(team, "town-square"), "x" * 16_384)


def test_threads_and_posts_can_be_looked_at() -> None:
    """Without system posts and what was deleted."""
    store = Store()
    ada = store.create_user("ada")
    team = store.create_team("acme", members=[ada])
    town = store.channel(team, "town-square")
    root = store.post_as(ada, town, "root")
    reply = store.post_as(ada, town, "reply", root.id, props={"a": 1})
    assert store.thread(root.id) == [root, reply]
    assert store.posts_in(town) == [root, reply]
    assert reply.props == {"a": 1}
    assert store.thread("unknown") == []


def test_people_come_and_go() -> None:
    """In teams and in channels."""
    store = Store()
    ada = store.create_user("ada")
    team = store.create_team("acme", members=[ada])
    channel = store.create_channel(team, "agent", private=True, members=[ada])
    assert channel.type == "P"
    store.leave(channel, ada)
    assert not store.member_of_channel(channel.id, ada.id)
    store.join(channel, ada)
    store.leave(team, ada)
    assert not store.member_of_channel(channel.id, ada.id)
    assert not store.member_of_team(team.id, ada.id)


def test_the_user_limit_counts_active_people() -> None:
    """Bots and the deactivated are left out; it hits creation and activation."""
    store = Store(Settings(max_active_users=2))
    store.create_bot("bot")
    ada = store.create_user("ada")
    store.create_user("bob")
    with pytest.raises(ApiError, match="exceeded"):
        store.create_user("carol")
    assert ada.delete_at == 0


def test_the_same_seed_gives_the_same_ids() -> None:
    """For runs that are to be repeated."""
    one, two = (Store(seed=3).create_team("acme").id for _ in range(2))
    assert one == two


def test_direct_channels_are_made_once() -> None:
    """Whoever asks."""
    store = Store()
    ada, bob = store.create_user("ada"), store.create_user("bob")
    assert store.direct(ada, bob) is store.direct(bob, ada)


def test_unknown_settings_are_ignored() -> None:
    """As the real server does with names that it does not know."""
    settings = Settings()
    settings.patch({"TeamSettings": {"MaxUsersPerTeam": 7, "NoSuchSetting": 1}, "NoSuchSection": {"x": 1}})
    assert settings.get("TeamSettings", "MaxUsersPerTeam") == 7
    assert "NoSuchSetting" not in settings.sections["TeamSettings"]
    assert "NoSuchSection" not in settings.sections
