"""The rules for preferences (server/channels/app/preference.go, server/public/model/preference.go)."""

import json
from typing import Any

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.state import State

_LONGEST_KEY = 32
_LONGEST_VALUE = 20_000


def in_category(state: State, user: User, category: str) -> list[dict[str, str]]:
    """Return the preferences of a category; raise 404 where there is none."""
    found = [each for each in all_of(state, user) if each["category"] == category]
    if not found:
        raise ApiError("api.preference.preferences_category.get.app_error", 404)
    return found


def all_of(state: State, user: User) -> list[dict[str, str]]:
    """Return all preferences of a user."""
    kept = state.preferences[user.id]
    return [
        {"user_id": user.id, "category": category, "name": name, "value": value}
        for (category, name), value in kept.items()
    ]


def save(state: State, user: User, preferences: list[dict[str, Any]]) -> None:
    """Store preferences of one user and announce them to that user."""
    for each in preferences:
        _check(user, each)
    for each in preferences:
        state.preferences[user.id][each["category"], each["name"]] = each["value"]
    data = {"preferences": json.dumps(preferences)}
    state.publish(Event("preferences_changed", data, Broadcast(user_id=user.id)))


def _check(user: User, preference: dict[str, Any]) -> None:
    if preference.get("user_id") != user.id:
        raise ApiError("api.preference.update_preferences.set.app_error", 403)
    category, name, value = (str(preference.get(key) or "") for key in ("category", "name", "value"))
    if not 0 < len(category) <= _LONGEST_KEY:
        raise _invalid("category")
    if len(name) > _LONGEST_KEY:
        raise _invalid("name")
    if len(value) > _LONGEST_VALUE:
        raise _invalid("value")


def _invalid(field: str) -> ApiError:
    return ApiError(f"model.preference.is_valid.{field}.app_error", 400)
