"""A route: the one entry from which the router, CORS and the OpenAPI document are made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from bridge.errors import (
    BridgeError,
    DatabaseUnavailable,
    EquaUnavailable,
    ForbiddenOrigin,
    InvalidRequest,
    MattermostFull,
    MattermostNotConfigured,
    MattermostRefused,
    MattermostUnavailable,
    NotSignedIn,
    PayloadTooLarge,
    RequestTimeout,
    TooManyRequests,
    Unavailable,
    UnsupportedMediaType,
)

Schema = Mapping[str, Any]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

Caller = Literal["anyone", "peer", "platform", "platform or peer", "person"]
"""`peer` and `platform` bring a bearer token, a `person` the cookie of their Equa session."""

JSON, HTML, TEXT = "application/json", "text/html", "text/plain"

CHANGE_ERRORS: tuple[type[BridgeError], ...] = (
    InvalidRequest,
    NotSignedIn,
    ForbiddenOrigin,
    RequestTimeout,
    PayloadTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    MattermostNotConfigured,
    BridgeError,
    MattermostRefused,
    MattermostUnavailable,
    EquaUnavailable,
    DatabaseUnavailable,
    Unavailable,
    MattermostFull,
)
"""Of a request by which a person changes something in Mattermost."""

_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that a route may give."""

    description: str
    model: Any = None
    """A type that pydantic knows, None for a response without a body."""
    content_types: tuple[str, ...] = (JSON,)
    text_types: tuple[str, ...] = ()
    """Content types of a text that says the same."""
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    """Name → description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method of a path, its handler, and everything that its description needs."""

    method: str
    path: str
    handler: Handler
    operation: str
    """Its name in the OpenAPI document."""
    summary: str
    replies: Mapping[int, Reply]
    errors: tuple[type[BridgeError], ...] = ()
    """Responses of `{"error": code, "message": sentence}`."""
    error_page: bool = False
    """Whether a browser gets a page instead of the JSON of an error."""
    description: str = ""
    path_model: type[BaseModel] | None = None
    query_model: type[BaseModel] | None = None
    header_model: type[BaseModel] | None = None
    body: Mapping[str, Schema] | type[BaseModel] | None = None
    """What the body has to be: a model of JSON, or a schema for each content type."""
    caller: Caller = "anyone"
    cors: bool = False
    """Whether pages of `WEB_ORIGINS` may call it with the person's cookies."""
    internal: bool = False
    """Whether it is for probes and Prometheus: a request that a proxy passed on gets 404."""
    head: bool = True
    """Whether a GET answers HEAD too."""

    @property
    def changes(self) -> bool:
        """Whether a request of its method may change something."""
        return self.method not in ("GET", "HEAD", "OPTIONS")
