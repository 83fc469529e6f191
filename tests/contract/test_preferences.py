"""Preferences: an administrator sets those of others, and a theme is one of them."""

from tests.contract.server import Mattermost, Scene


async def test_an_administrator_sets_preferences_of_others(server: Mattermost, scene: Scene) -> None:
    """Each names its user; the category is asked for alone."""
    path = f"/users/{scene.ada.id}/preferences"
    wanted = {
        "user_id": scene.ada.id,
        "category": "crt_thread_pane_step",
        "name": scene.ada.id,
        "value": "999",
    }
    await server.admin.put(path, [wanted])
    assert await scene.ada.api.get(f"{path}/crt_thread_pane_step") == [wanted]
    assert wanted in await scene.ada.api.get(path)


async def test_a_category_without_a_preference_is_404(server: Mattermost, scene: Scene) -> None:
    """So it is for a theme that nobody has chosen."""
    found = await server.admin.call("GET", f"/users/{scene.ada.id}/preferences/theme")
    assert (found.status, found.error) == (404, "api.preference.preferences_category.get.app_error")


async def test_a_theme_is_a_preference_without_a_name(server: Mattermost, scene: Scene) -> None:
    """The type of a built-in theme is enough."""
    path = f"/users/{scene.ada.id}/preferences"
    theme = {"user_id": scene.ada.id, "category": "theme", "name": "", "value": '{"type":"Onyx"}'}
    await server.admin.put(path, [theme])
    assert await scene.ada.api.get(f"{path}/theme") == [theme]


async def test_others_do_not_see_or_set_them(scene: Scene) -> None:
    """Without edit_other_users it is 403; a preference of somebody else is refused as well."""
    path = f"/users/{scene.ada.id}/preferences"
    theme = {"user_id": scene.ada.id, "category": "theme", "name": "", "value": '{"type":"Onyx"}'}
    assert (await scene.bob.api.call("GET", path)).status == 403
    assert (await scene.bob.api.call("PUT", path, [theme])).status == 403
    assert (await scene.bob.api.call("PUT", f"/users/{scene.bob.id}/preferences", [theme])).status == 403
