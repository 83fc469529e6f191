"""Every variable, read once and here only; all mistakes at once, no value ever printed."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from bridge.errors import ConfigurationError
from bridge.secrets.key_ring import KeyRing

_NEEDED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"mattermost_bot_token"}), "mattermost_url"),
    (frozenset({"mattermost_bot_token"}), "agent_url"),
    (frozenset({"mattermost_admin_bot_token"}), "mattermost_url"),
    (frozenset({"mattermost_admin_bot_token", "database_url"}), "token_keys"),
    (frozenset({"equa_service_email"}), "equa_service_password"),
    (frozenset({"equa_service_password"}), "equa_service_email"),
)
"""Where all of the first are set, the second has to be."""

_ORIGIN = re.compile(r"((https?)://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]))(?::([0-9]+))?")
_OWN_PORT = {"http": "80", "https": "443"}
_AGENT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NOT_IN_URL = re.compile(r"[\s?#]")
_VISIBLE = re.compile(r"[!-~]+")


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # its text holds a part of the value
        complete = False
    if not complete or _NOT_IN_URL.search(value):
        raise ValueError("must be a URL such as https://chat.example.com")
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password")
    return value.rstrip("/")


def _origin(value: str) -> str:
    """Return the origin as browsers write it: in small letters and without the scheme's own port."""
    match = _ORIGIN.fullmatch(_url(value).lower())
    if not match:
        raise ValueError("must be origins such as https://app.example.com, without a path")
    origin, scheme, port = match.groups()
    return origin if port in (None, _OWN_PORT[scheme]) else f"{origin}:{port}"


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _database(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgres://", "postgresql://")):
        raise ValueError("must be a URL such as postgresql://user@host/database")
    return value


def _agent_id(value: str) -> str:
    if not _AGENT_ID.fullmatch(value.replace("{organizationId}", "0")):
        raise ValueError("may contain a-z 0-9 _ - and {organizationId}, and starts with a letter or digit")
    return value


def _token(value: SecretStr) -> SecretStr:
    if not _VISIBLE.fullmatch(value.get_secret_value()):
        raise ValueError("must be visible ASCII characters, without spaces and line breaks")
    return value


def _token_keys(value: SecretStr) -> SecretStr:
    try:
        KeyRing.parse(value.get_secret_value())
    except ConfigurationError as error:
        raise ValueError("; ".join([*error.mistakes, "`equabot-bridge keys new` makes one"])) from None
    return value


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Url = Annotated[str, BeforeValidator(_stripped), AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_origin)]
Names = Annotated[tuple[str, ...], BeforeValidator(_comma_separated)]
Token = Annotated[SecretStr, BeforeValidator(_stripped), AfterValidator(_token)]
"""A token that becomes an HTTP header, in which anything else is an error only when it is sent."""
Tokens = Annotated[tuple[Token, ...], BeforeValidator(_comma_separated)]


class Settings(BaseModel):
    """The configuration; a field is the variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")

    mattermost_url: Url | None = None
    mattermost_public_url: Url | None = None
    mattermost_admin_bot_token: Token | None = None
    mattermost_bot_token: Token | None = None
    mattermost_notice_token: Token | None = None
    equa_api_url: Url | None = None
    equa_session_cookies: Names = ("connect.sid", "session")
    equa_admin_permissions: Names = ("editMembers", "editOrganizationDetails")
    equa_service_email: str | None = None
    equa_service_password: SecretStr | None = None
    agent_kind: Literal["gateway", "openai"] = "gateway"
    agent_url: Url | None = None
    agent_token: Token | None = None
    agent_id: Annotated[str, AfterValidator(_agent_id)] = "main"
    agent_model: str = "equabot"
    agent_timeout: Annotated[float, Field(gt=0, le=3600)] = 120
    agent_channel: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = "agent"
    gateway_tokens: Tokens = ()
    token_keys: Annotated[SecretStr, AfterValidator(_token_keys)] | None = None
    database_url: Annotated[SecretStr, AfterValidator(_database)] | None = None
    bridge_data_dir: Path = Field(default_factory=lambda: user_data_path("equabot-bridge"))
    bridge_host: str = "127.0.0.1"
    bridge_port: Annotated[int, Field(ge=0, le=65535)] = 8090
    web_origins: Annotated[tuple[Origin, ...], BeforeValidator(_comma_separated)] = ()
    session_token: Literal["ticket", "pat"] = "ticket"  # noqa: S105  # a kind, not a secret
    otel_exporter_otlp_endpoint: Url | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings out of the environment; an empty variable counts as unset.

    Raises `ConfigurationError` with a line for each mistake.
    """
    names = {name.upper(): name for name in Settings.model_fields}
    given = {names[key]: value for key, value in environ.items() if key in names and value.strip()}
    mistakes = _absent(given.keys())
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        mistakes = _mistakes(error) + mistakes
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def _absent(given: Collection[str]) -> list[str]:
    return [
        f"{needed.upper()}: missing, needed because {' and '.join(sorted(causes)).upper()} is set"
        for causes, needed in _NEEDED
        if causes.issubset(given) and needed not in given
    ]


def _mistakes(error: ValidationError) -> list[str]:
    lines = (
        f"{str(mistake['loc'][0]).upper()}: {mistake['msg'].removeprefix('Value error, ')}"
        for mistake in error.errors(include_input=False, include_url=False, include_context=False)
    )
    return list(dict.fromkeys(lines))  # the same is said once, of however many entries of a list
