"""Every variable, read once and here only; all mistakes at once, no value ever printed."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from bridge.config_values import (
    AgentId,
    AgentUrl,
    DatabaseUrl,
    Hosts,
    ModelPrices,
    MonthlyBudget,
    Names,
    Origins,
    OwnToken,
    OwnTokens,
    ProxyUrl,
    QuestionLimit,
    Suggestions,
    Token,
    TokenKeys,
    Url,
)
from bridge.errors import ConfigurationError
from bridge.models.agent import AgentKind, FilesForAgent
from bridge.models.ids import CHANNEL_NAME
from bridge.models.jobs import AskLimit
from bridge.models.organization_settings import Approvers, FollowUps
from bridge.models.proxies import Proxies

_NEEDED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"mattermost_bot_token"}), "mattermost_url"),
    (frozenset({"mattermost_bot_token"}), "agent_url"),
    (frozenset({"mattermost_admin_bot_token"}), "mattermost_url"),
    (frozenset({"mattermost_admin_bot_token", "database_url"}), "token_keys"),
    (frozenset({"sign_in_secret"}), "mattermost_admin_bot_token"),
    (frozenset({"equa_service_email"}), "equa_service_password"),
    (frozenset({"equa_service_password"}), "equa_service_email"),
)
"""Where all of the first are set, the second has to be."""

_PROXIES = frozenset({"http_proxy", "https_proxy", "no_proxy"})


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
    agent_kind: AgentKind = "gateway"
    agent_url: AgentUrl | None = None
    agent_token: Token | None = None
    agent_id: AgentId = "main"
    agent_model: str = "equabot"
    agent_timeout: Annotated[float, Field(gt=0, le=3600)] = 120
    agent_control: Literal["auto", "off"] = "auto"
    agent_control_client: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "gateway-client"
    agent_key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9:._{}-]{0,128}$")] = "agent:{agentId}:"
    agent_channel: Annotated[str, Field(pattern=f"^{CHANNEL_NAME}$")] = "agent"
    agent_files: FilesForAgent = "all"
    agent_image_hosts: Hosts = ()
    agent_prices: ModelPrices | None = None
    agent_stream: Literal["on", "off"] = "on"
    agent_suggestions: Suggestions = ()
    follow_ups: FollowUps = "alone"
    approvers: Approvers = "admins"
    ask_limit: QuestionLimit = AskLimit(at_once=20, an_hour=60)
    budget: MonthlyBudget | None = None
    gateway_tokens: OwnTokens = ()
    platform_tokens: OwnTokens = ()
    token_keys: TokenKeys | None = None
    database_url: DatabaseUrl | None = None
    bridge_data_dir: Path = Field(default_factory=lambda: user_data_path("equabot-bridge"))
    bridge_host: str = "127.0.0.1"
    bridge_port: Annotated[int, Field(ge=0, le=65535)] = 8090
    bridge_url: Url | None = None
    web_origins: Origins = ()
    sign_in_secret: OwnToken | None = None
    session_token: Literal["ticket", "pat"] = "ticket"  # noqa: S105  # a kind, not a secret
    http_proxy: ProxyUrl | None = None
    https_proxy: ProxyUrl | None = None
    no_proxy: Names = ()
    otel_exporter_otlp_endpoint: Url | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    @property
    def proxies(self) -> Proxies:
        """The proxies for outgoing requests."""
        http, https = (
            proxy.get_secret_value() if proxy else None for proxy in (self.http_proxy, self.https_proxy)
        )
        return Proxies(http, https, self.no_proxy)


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings out of the environment; an empty variable counts as unset.

    Raises `ConfigurationError` with a line for each mistake.
    """
    values = dict(_values(environ))
    mistakes = _absent(values.keys())
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        mistakes = _mistakes(error) + mistakes
    else:
        mistakes += _unpriced(settings)
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def _values(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the fields that are set, with their text.

    The proxies' small letters count too and come first, as in curl and in `urllib`.
    """
    for field in Settings.model_fields:
        texts = (environ.get(name, "") for name in _spellings(field))
        if text := next((text for text in texts if text.strip()), ""):
            yield field, text


def _spellings(field: str) -> tuple[str, ...]:
    return (field, field.upper()) if field in _PROXIES else (field.upper(),)


def _absent(present: Collection[str]) -> list[str]:
    return [
        f"{needed.upper()}: missing, needed because {' and '.join(sorted(causes)).upper()} is set"
        for causes, needed in _NEEDED
        if causes.issubset(present) and needed not in present
    ]


def _unpriced(settings: Settings) -> list[str]:
    if settings.budget is None or settings.budget.cost is None or settings.agent_prices:
        return []
    return ["AGENT_PRICES: missing, needed because BUDGET names a cost"]


def _mistakes(error: ValidationError) -> list[str]:
    lines = (
        f"{str(mistake['loc'][0]).upper()}: {mistake['msg'].removeprefix('Value error, ')}"
        for mistake in error.errors(include_input=False, include_url=False, include_context=False)
    )
    return list(dict.fromkeys(lines))  # the same is said once, of however many entries of a list
