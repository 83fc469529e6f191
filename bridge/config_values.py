"""What the variables' texts mean: URLs, tokens, lists, limits. An error's text never holds a value."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from bridge.db.hosts import hosts
from bridge.errors import ConfigurationError
from bridge.models.jobs import AskLimit
from bridge.models.organization_settings import Budget
from bridge.models.usage import Price, Prices
from bridge.secrets.key_ring import KeyRing

SHORTEST_TOKEN = 16
"""Characters; a shorter token of our own could be guessed."""

_ORIGIN = re.compile(r"((https?)://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]))(?::([0-9]+))?")
_OWN_PORT = {"http": "80", "https": "443"}
_AGENT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NOT_IN_URL = re.compile(r"[\s?#]")
_NOT_IN_QUERY = re.compile(r"[\s#]")
_VISIBLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_ASK_LIMIT = re.compile(r"\s*([1-9][0-9]{0,5})\s*,\s*([1-9][0-9]{0,5})\s*")
_AMOUNT = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_PRICE = re.compile(rf"([!-~]{{1,100}})=({_AMOUNT})/({_AMOUNT})")
_BUDGET = re.compile(rf"([1-9][0-9]{{0,14}}) +tokens|((?=[0-9.]*[1-9]){_AMOUNT}) +cost")

_WRITABLE = frozenset({"read-write", "primary"})

_SUGGESTIONS, _LONGEST_SUGGESTION = 3, 200


def _parts(value: str) -> SplitResult | None:
    """Return the parts of an HTTP URL to which a path can be added; None if it is none."""
    try:
        parts = urlsplit(value)
        complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # its text holds a part of the value
        return None
    return parts if complete and not _NOT_IN_URL.search(value) else None


def _url(value: str) -> str:
    parts = _parts(value)
    if parts is None:
        raise ValueError("must be a URL such as https://chat.example.com")
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password")
    return value.rstrip("/")


def _agent_url(value: str) -> str:
    """Return the URL; some servers of models want a query, such as `?api-version=…`."""
    address, mark, query = value.partition("?")
    if _NOT_IN_QUERY.search(query):
        raise ValueError("must be a URL such as https://chat.example.com")
    return _url(address) + mark + query


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
    address = value.get_secret_value()
    if not address.startswith(("postgres://", "postgresql://")):
        raise ValueError("must be a URL such as postgresql://user@host/database")
    try:
        several = len(hosts(address)) > 1
    except ValueError:  # its text holds a part of the value
        raise ValueError("must have one port for each host, or one for all") from None
    target = parse_qs(urlsplit(address).query).get("target_session_attrs", ["read-write"])[-1]
    if target not in _WRITABLE and (several or target != "any"):
        raise ValueError("must have target_session_attrs=read-write or none: the bridge writes")
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


def _own_token(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_TOKEN:
        raise ValueError(
            f"must be at least {SHORTEST_TOKEN} characters long; `openssl rand -hex 32` makes a token"
        )
    return value


def _host(value: str) -> str:
    name = value.lower()
    if not _HOST.fullmatch(name):
        raise ValueError("must be host names such as images.example.com, without scheme, port and path")
    return name


def _suggestions(value: object) -> object:
    """Return up to three questions, separated by `|`."""
    if not isinstance(value, str):
        return value
    lines = tuple(" ".join(part.split()) for part in value.split("|") if part.strip())
    if len(lines) > _SUGGESTIONS or any(len(each) > _LONGEST_SUGGESTION for each in lines):
        raise ValueError(f"must be up to three questions of {_LONGEST_SUGGESTION} characters, separated by |")
    return lines


def _ask_limit(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _ASK_LIMIT.fullmatch(value)
    if not match:
        raise ValueError("must be two numbers such as 20,60: questions of a person at once and an hour")
    return AskLimit(at_once=int(match[1]), an_hour=int(match[2]))


def _prices(value: object) -> object:
    """Return the prices of models; `*` is any other model."""
    if not isinstance(value, str):
        return value
    by_model = dict(_priced(value))
    others = by_model.pop("*", None)
    return Prices(by_model, others)


def _priced(text: str) -> Iterator[tuple[str, Price]]:
    for part in filter(None, map(str.strip, text.split(","))):
        match = _PRICE.fullmatch(part)
        if not match:
            raise ValueError(
                "must be prices of a million tokens such as claude-sonnet=3/15,*=5/25:"
                " in / out by model, and * for every other one"
            )
        yield match[1], Price(Decimal(match[2]), Decimal(match[3]))


def _budget(value: object) -> object:
    """Return what an organization may use in a month; of two budgets of a kind the last counts."""
    if not isinstance(value, str):
        return value
    tokens, cost = None, None
    for part in filter(None, map(str.strip, value.split(","))):
        match = _BUDGET.fullmatch(part)
        if not match:
            raise ValueError("must be a number and its unit: 2000000 tokens, 50 cost, or both with a comma")
        tokens, cost = (int(match[1]), cost) if match[1] else (tokens, Decimal(match[2]))
    return Budget(tokens, cost)


def _proxy(value: SecretStr) -> SecretStr:
    """Return the proxy's URL; without a scheme it is HTTP, as curl has it."""
    text = value.get_secret_value()
    url = text if "://" in text else f"http://{text}"
    parts = _parts(url)
    if parts is None or parts.path not in ("", "/"):
        raise ValueError("must be a URL such as http://proxy.example.com:3128")
    return SecretStr(url.rstrip("/"))


Url = Annotated[str, BeforeValidator(_stripped), AfterValidator(_url)]
AgentUrl = Annotated[str, BeforeValidator(_stripped), AfterValidator(_agent_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
ProxyUrl = Annotated[SecretStr, BeforeValidator(_stripped), AfterValidator(_proxy)]
"""The URL of an HTTP proxy; secret because it may hold a password."""
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_comma_separated)]
Names = Annotated[tuple[str, ...], BeforeValidator(_comma_separated)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], BeforeValidator(_comma_separated)]
Suggestions = Annotated[tuple[str, ...], BeforeValidator(_suggestions)]
AgentId = Annotated[str, AfterValidator(_agent_id)]
QuestionLimit = Annotated[AskLimit, BeforeValidator(_ask_limit)]
ModelPrices = Annotated[Prices, BeforeValidator(_prices)]
MonthlyBudget = Annotated[Budget, BeforeValidator(_budget)]
TokenKeys = Annotated[SecretStr, AfterValidator(_token_keys)]
Token = Annotated[SecretStr, BeforeValidator(_stripped), AfterValidator(_token)]
"""A token that becomes an HTTP header, in which anything else is an error only when it is sent."""
OwnToken = Annotated[Token, AfterValidator(_own_token)]
"""A token that callers of our API have to show."""
OwnTokens = Annotated[tuple[OwnToken, ...], BeforeValidator(_comma_separated)]
