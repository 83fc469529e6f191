"""One REST call: who asks, with which parameters, and what it may answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_param, invalid_url_param
from bridge.sandbox.mattermost.ids import is_id
from bridge.sandbox.mattermost.records import Session, User
from bridge.sandbox.mattermost.roles import allowed
from bridge.sandbox.mattermost.runtime import Runtime
from bridge.sandbox.mattermost.sessions import find_session
from bridge.sandbox.mattermost.state import State

T = TypeVar("T")
PER_PAGE = 60
MAX_PER_PAGE = 200
_BODY_SLACK = 512
"""Bytes above `MaximumPayloadSizeBytes` that still pass (`bytes.MinRead`)."""


@dataclass(slots=True)
class Call:
    """What a handler gets instead of the bare request."""

    request: web.Request
    runtime: Runtime
    session: Session | None

    @property
    def state(self) -> State:
        return self.runtime.state

    @property
    def me(self) -> User:
        """Return who asks; routes that are open to anybody must look at `session` first."""
        assert self.session is not None
        return self.state.users[self.session.user_id]

    @property
    def is_admin(self) -> bool:
        return self.session is not None and self.may("manage_system")

    def may(self, permission: str) -> bool:
        """Tell whether who asks has the permission everywhere."""
        return self.session is not None and allowed(self.state, self.session.user_id, permission)

    def require(self, permission: str) -> None:
        """Raise 403 without the permission."""
        if not self.may(permission):
            raise forbidden()

    def require_self(self, user_id: str) -> None:
        """Raise 403 unless the user is the one who asks or he may edit others."""
        if user_id != self.me.id and not self.may("edit_other_users"):
            raise forbidden()

    def id(self, name: str) -> str:
        """Return an id from the path; `me` stands for who asks."""
        value = self.request.match_info[name]
        if value == "me" and name == "user_id":
            return self.me.id
        if not is_id(value):
            raise invalid_url_param(name)
        return value

    def number(self, name: str, default: int) -> int:
        """Return a number of the query; anything unparsable or negative is the default."""
        try:
            value = int(self.request.query.get(name, default))
        except ValueError:
            return default
        return value if value >= 0 else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.request.query.get(name, "").lower()
        return value in ("1", "t", "true") if value else default

    @property
    def per_page(self) -> int:
        """Return `per_page`, silently cut at 200."""
        return min(self.number("per_page", PER_PAGE), MAX_PER_PAGE)

    def page(self, found: Sequence[T]) -> Sequence[T]:
        """Return the page that the query asks for."""
        start = self.number("page", 0) * self.per_page
        return found[start : start + self.per_page]

    async def read(self) -> bytes:
        """Return the body, or raise 413."""
        body = await self.request.read()
        if len(body) > self.state.settings.get("ServiceSettings", "MaximumPayloadSizeBytes") + _BODY_SLACK:
            raise ApiError("api.context.request_body_too_large.app_error", 413)
        return body

    async def json(self, name: str = "body") -> Any:
        """Return the decoded body, or raise 400."""
        try:
            return json.loads(await self.read())
        except ValueError:
            raise invalid_param(name) from None

    async def fields(self, name: str = "body") -> dict[str, Any]:
        """Return the decoded body, which must be an object."""
        body = await self.json(name)
        if not isinstance(body, dict):
            raise invalid_param(name)
        return body

    async def strings(self, name: str) -> list[str]:
        """Return the decoded body, which must be a list of strings that is not empty."""
        body = await self.json(name)
        if not isinstance(body, list) or not body or not all(isinstance(each, str) for each in body):
            raise invalid_param(name)
        return list(dict.fromkeys(body))


def authenticate(runtime: Runtime, token: str) -> Session | None:
    """Return the session of a token; none without a good token."""
    return find_session(runtime.state, token) if token else None


def answer(body: Any, status: int = 200) -> web.Response:
    """Return JSON as Mattermost does."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(body=text.encode(), status=status, content_type="application/json")


def ok() -> web.Response:
    return answer({"status": "OK"})
