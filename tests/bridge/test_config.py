"""The configuration: read once, every mistake at once, and no value ever shown."""

import base64
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformdirs import user_data_path

from bridge.config import Settings, load
from bridge.errors import ConfigurationError
from bridge.models.jobs import AskLimit
from bridge.models.organization_settings import Budget
from bridge.models.usage import Price, Prices
from tests.support.deployment import secrets

VARIABLES = tuple(name.upper() for name in Settings.model_fields)

TOKENS = (
    "MATTERMOST_ADMIN_BOT_TOKEN",
    "MATTERMOST_BOT_TOKEN",
    "MATTERMOST_NOTICE_TOKEN",
    "AGENT_TOKEN",
    "GATEWAY_TOKENS",
    "PLATFORM_TOKENS",
)

OWN_TOKENS = ("GATEWAY_TOKENS", "PLATFORM_TOKENS")
"""Those that callers show to us."""

KEY = base64.b64encode(bytes(32)).decode()

MARK = "hunter2SecretOfSomeLength"

WHOLE: Mapping[str, str] = {
    "MATTERMOST_URL": "https://chat.example.com",
    "MATTERMOST_BOT_TOKEN": "bot-token",
    "AGENT_URL": "http://127.0.0.1:18789",
    "EQUA_SERVICE_EMAIL": "bridge@example.com",
    "EQUA_SERVICE_PASSWORD": "a pass word",
    "TOKEN_KEYS": f"one:{KEY}",
    "DATABASE_URL": "postgresql://bridge@db/bridge",
}
"""A configuration in which everything that something else needs is there."""


def mistakes(**changed: str) -> list[str]:
    """Return what is wrong with a configuration that is otherwise whole."""
    with pytest.raises(ConfigurationError) as caught:
        load({**WHOLE, **changed})
    return caught.value.mistakes


def complaint(environ: Mapping[str, str]) -> str:
    """Return all that the error tells about a configuration, "" if there is nothing wrong with it."""
    try:
        load(environ)
    except ConfigurationError as error:
        return f"{error} {error!r} {error.mistakes} {error.__cause__!r} {error.__context__!r}"
    return ""


def loaded(variable: str, text: str) -> Any:
    """Return what a variable is read as."""
    return getattr(load({**WHOLE, variable: text}), variable.lower())


def revealed(value: Any) -> Any:
    return (
        [each.get_secret_value() for each in value] if isinstance(value, tuple) else value.get_secret_value()
    )


def test_nothing_has_to_be_set() -> None:
    """Without any variable the API alone is served, from the user's own data directory."""
    settings = load({})

    assert settings.mattermost_bot_token is None
    assert (settings.bridge_host, settings.bridge_port) == ("127.0.0.1", 8090)
    assert settings.bridge_data_dir == user_data_path("equabot-bridge")


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_variable_counts_as_unset(variable: str, empty: str) -> None:
    """What compose files leave empty is no mistake and no value."""
    assert load({variable: empty}) == load({})


def test_other_variables_are_not_ours() -> None:
    """What does not belong to the configuration is not looked at, nor is a name in small letters."""
    assert load({"PATH": "/bin", "bridge_port": "no port", "MATTERMOST": "x"}) == load({})


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("MATTERMOST_URL", "https://chat.example.com/", "https://chat.example.com"),
        ("MATTERMOST_URL", "http://127.0.0.1:8065/chat//", "http://127.0.0.1:8065/chat"),
        ("MATTERMOST_URL", "http://[::1]:8065", "http://[::1]:8065"),
        ("MATTERMOST_PUBLIC_URL", " https://chat.example.com\n", "https://chat.example.com"),
        ("EQUA_API_URL", "https://app.equa.cc/api/v1/", "https://app.equa.cc/api/v1"),
        ("EQUA_SESSION_COOKIES", " sid , connect.sid,", ("sid", "connect.sid")),
        ("EQUA_ADMIN_PERMISSIONS", "editMembers", ("editMembers",)),
        (
            "WEB_ORIGINS",
            "https://app.equa.cc/, http://localhost:3000",
            ("https://app.equa.cc", "http://localhost:3000"),
        ),
        ("AGENT_KIND", "openai", "openai"),
        ("AGENT_ID", "org-{organizationId}", "org-{organizationId}"),
        ("AGENT_ID", "{organizationId}", "{organizationId}"),
        ("AGENT_TIMEOUT", "0.5", 0.5),
        ("AGENT_TIMEOUT", "3600", 3600.0),
        ("AGENT_CHANNEL", "ask-equabot_2", "ask-equabot_2"),
        ("BRIDGE_DATA_DIR", "/var/lib/equabot", Path("/var/lib/equabot")),
        ("BRIDGE_PORT", "0", 0),
        ("BRIDGE_PORT", "65535", 65535),
        ("SESSION_TOKEN", "pat", "pat"),
        (
            "AGENT_IMAGE_HOSTS",
            " Images.Example.com , cdn-1.example.com",
            ("images.example.com", "cdn-1.example.com"),
        ),
        ("AGENT_STREAM", "off", "off"),
        ("AGENT_CONTROL", "off", "off"),
        ("AGENT_CONTROL_CLIENT", "equabot-client", "equabot-client"),
        ("AGENT_KEY_PREFIX", "peer:{agentId}:", "peer:{agentId}:"),
        ("AGENT_SUGGESTIONS", " Who are  we? |What next?| ", ("Who are we?", "What next?")),
        ("AGENT_FILES", "documents", "documents"),
        ("FOLLOW_UPS", "never", "never"),
        ("ASK_LIMIT", " 5 , 1000 ", AskLimit(at_once=5, an_hour=1000)),
        (
            "AGENT_PRICES",
            " openai/gpt=5:free=1.25/10 , *=0.000001/3,",
            Prices(
                {"openai/gpt=5:free": Price(Decimal("1.25"), Decimal(10))},
                Price(Decimal("0.000001"), Decimal(3)),
            ),
        ),
        ("BUDGET", " 2000000 tokens ", Budget(tokens=2_000_000)),
        (
            "NO_PROXY",
            ".example.com, 10.0.0.0/8,localhost:8065",
            (".example.com", "10.0.0.0/8", "localhost:8065"),
        ),
        ("LOG_LEVEL", "debug", "debug"),
        ("LOG_FORMAT", "json", "json"),
    ],
)
def test_a_variable_is_read_as_it_is_meant(variable: str, text: str, value: Any) -> None:
    """URLs lose their last slash, lists their blanks and empty parts, numbers are numbers."""
    assert loaded(variable, text) == value


def test_lists_of_secrets_are_read_and_hidden() -> None:
    """Each token of the list counts, without the blanks around it, and none is printed."""
    tokens = loaded("GATEWAY_TOKENS", " the-first-peers-token,the-second-peers-token ,,")

    assert revealed(tokens) == ["the-first-peers-token", "the-second-peers-token"]
    assert "first" not in repr(tokens)


@pytest.mark.parametrize("variable", OWN_TOKENS)
def test_a_token_that_can_be_guessed_is_refused(variable: str) -> None:
    """The shortest has 16 characters, and one short token spoils the list."""
    assert revealed(loaded(variable, "x" * 16)) == ["x" * 16]
    assert mistakes(**{variable: f"{'x' * 32},{'y' * 15}"}) == [
        f"{variable}: must be at least 16 characters long; `openssl rand -hex 32` makes a token"
    ]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://proxy.example.com:3128/", "http://proxy.example.com:3128"),
        ("proxy.example.com:3128", "http://proxy.example.com:3128"),
        (" https://user:hunter2@[::1]:3128\n", "https://user:hunter2@[::1]:3128"),
    ],
)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY"])
def test_a_proxy_is_a_url_with_or_without_a_scheme(variable: str, text: str, url: str) -> None:
    """As curl takes it; a password in it is a secret."""
    assert loaded(variable, text).get_secret_value() == url
    assert "hunter2" not in repr(load({variable: text}))


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"])
def test_a_proxy_may_be_given_in_small_letters(variable: str) -> None:
    """As everywhere; given in both ways the small letters win, unless they are empty."""
    small = {variable.lower(): "one.example.com"}
    large = {variable: "two.example.com"}

    assert load(small) == load({variable: "one.example.com"})
    assert load({**large, **small}) == load(small)
    assert load({**large, variable.lower(): " "}) == load(large)


@pytest.mark.parametrize("variable", TOKENS)
def test_blanks_around_a_token_are_not_part_of_it(variable: str) -> None:
    """A token that was read from a file often ends with a line break."""
    token = "a-token-of-some-length"

    assert revealed(loaded(variable, f" {token}\n")) in (token, [token])


def test_a_password_stays_as_it_is() -> None:
    """It goes into JSON, where every character is allowed."""
    assert revealed(loaded("EQUA_SERVICE_PASSWORD", " wörd\n")) == " wörd\n"


@pytest.mark.parametrize("variable", TOKENS)
@pytest.mark.parametrize("text", ["two words", "one\r\nX-Admin: yes", "a\ttab", "töken", "a…b", "\x7f"])
def test_a_token_that_no_header_can_carry_is_refused(variable: str, text: str) -> None:
    """aiohttp would raise it at every request; here it is one sentence at the start."""
    assert mistakes(**{variable: text}) == [
        f"{variable}: must be visible ASCII characters, without spaces and line breaks"
    ]


@pytest.mark.parametrize("variable", ["MATTERMOST_URL", "MATTERMOST_PUBLIC_URL", "EQUA_API_URL", "AGENT_URL"])
@pytest.mark.parametrize(
    "text",
    [
        "chat.example.com",
        "ftp://chat.example.com",
        "https://",
        "https://?",
        "https://chat.example.com/#top",
        "https://chat example.com",
        "https://chat.example.com:port",
        "https://chat.example.com:0",
        "https://chat.example.com:65536",
        "https://[chat]/",
        "https://chat\u2100.example.com",
    ],
)
def test_what_is_no_url_is_refused(variable: str, text: str) -> None:
    """Only http and https, with a host, and nothing that a path cannot be added to."""
    assert mistakes(**{variable: text}) == [f"{variable}: must be a URL such as https://chat.example.com"]


@pytest.mark.parametrize("variable", ["MATTERMOST_URL", "MATTERMOST_PUBLIC_URL", "EQUA_API_URL"])
@pytest.mark.parametrize("text", ["https://chat.example.com/?team=1", "https://chat.example.com?"])
def test_a_query_is_refused_where_a_path_is_added(variable: str, text: str) -> None:
    assert mistakes(**{variable: text}) == [f"{variable}: must be a URL such as https://chat.example.com"]


def test_the_agents_address_may_have_a_query() -> None:
    """Servers of models want an API version there."""
    text = "https://models.example.com/openai/v1?api-version=2026-01-01"

    assert loaded("AGENT_URL", text) == text
    assert mistakes(AGENT_URL=f"{text}#top") != []
    assert mistakes(AGENT_URL=f"{text} x") != []


@pytest.mark.parametrize("login", ["user@", "user:password@", ":password@"])
def test_a_url_with_a_login_is_refused(login: str) -> None:
    """It would end in logs and in browsers."""
    assert mistakes(AGENT_URL=f"https://{login}agent.example.com") == [
        "AGENT_URL: must not contain a user name or password"
    ]


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("WEB_ORIGINS", "https://app.equa.cc/app", "without a path"),
        ("WEB_ORIGINS", "https://app.equa.cc, *", "must be a URL"),
        ("AGENT_KIND", "Gateway", "'gateway' or 'openai'"),
        ("AGENT_ID", "Main", "may contain a-z 0-9 _ -"),
        ("AGENT_ID", "{organization}", "may contain a-z 0-9 _ -"),
        ("AGENT_ID", "a\nb", "may contain a-z 0-9 _ -"),
        ("AGENT_TIMEOUT", "0", "greater than 0"),
        ("AGENT_TIMEOUT", "3601", "less than or equal to 3600"),
        ("AGENT_TIMEOUT", "nan", "less than or equal to 3600"),
        ("AGENT_TIMEOUT", "2 minutes", "valid number"),
        ("AGENT_CHANNEL", "Agent", "match pattern"),
        ("AGENT_CHANNEL", "~agent", "match pattern"),
        ("BRIDGE_PORT", "-1", "greater than or equal to 0"),
        ("BRIDGE_PORT", "65536", "less than or equal to 65535"),
        ("BRIDGE_PORT", "http", "valid integer"),
        ("SESSION_TOKEN", "cookie", "'ticket' or 'pat'"),
        ("AGENT_IMAGE_HOSTS", "https://images.example.com", "without scheme, port and path"),
        ("AGENT_IMAGE_HOSTS", "images.example.com:8443", "without scheme, port and path"),
        ("AGENT_IMAGE_HOSTS", "*.example.com", "without scheme, port and path"),
        ("AGENT_IMAGE_HOSTS", "bücher.example", "without scheme, port and path"),
        ("AGENT_SUGGESTIONS", "a|b|c|d", "up to three questions"),
        ("AGENT_SUGGESTIONS", "x" * 201, "up to three questions"),
        ("AGENT_FILES", "some", "'all', 'documents' or 'none'"),
        ("FOLLOW_UPS", "sometimes", "'always', 'alone' or 'never'"),
        ("AGENT_PRICES", "sonnet", "such as claude-sonnet=3/15"),
        ("AGENT_PRICES", "sonnet=3", "such as claude-sonnet=3/15"),
        ("AGENT_PRICES", "sonnet=-3/15", "such as claude-sonnet=3/15"),
        ("AGENT_PRICES", "son net=3/15", "such as claude-sonnet=3/15"),
        ("AGENT_PRICES", "sonnet=3/1e9", "such as claude-sonnet=3/15"),
        ("BUDGET", "2000000", "a number and its unit"),
        ("BUDGET", "0 tokens", "a number and its unit"),
        ("BUDGET", "0.5 tokens", "a number and its unit"),
        ("BUDGET", "0.00 cost", "a number and its unit"),
        ("BUDGET", "50 USD", "a number and its unit"),
        ("ASK_LIMIT", "20", "two numbers such as 20,60"),
        ("ASK_LIMIT", "0,60", "two numbers such as 20,60"),
        ("ASK_LIMIT", "20,-1", "two numbers such as 20,60"),
        ("ASK_LIMIT", "20,60,3600", "two numbers such as 20,60"),
        ("HTTP_PROXY", "socks5://proxy.example.com", "a URL such as http://proxy.example.com:3128"),
        ("HTTPS_PROXY", "http://proxy.example.com/path", "a URL such as http://proxy.example.com:3128"),
        ("HTTPS_PROXY", "http://proxy.example.com:port", "a URL such as http://proxy.example.com:3128"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("LOG_FORMAT", "xml", "'auto', 'json' or 'console'"),
        ("DATABASE_URL", "mysql://db/bridge", "postgresql://user@host/database"),
        ("DATABASE_URL", "host=db dbname=bridge", "postgresql://user@host/database"),
        ("DATABASE_URL", "postgresql://one:1,two:x/bridge", "one port for each host"),
        (
            "DATABASE_URL",
            "postgresql://one,two/b?target_session_attrs=any",
            "target_session_attrs=read-write",
        ),
        (
            "DATABASE_URL",
            "postgresql://one/b?target_session_attrs=standby",
            "target_session_attrs=read-write",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(variable: str, text: str, reason: str) -> None:
    """The one mistake names its variable and what would be right."""
    (mistake,) = mistakes(**{variable: text})

    assert mistake.startswith(f"{variable}: ")
    assert reason in mistake


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (KEY, "entry 1 is not <id>:<base64>"),
        (f"one:{KEY},", "entry 2 is not <id>:<base64>"),
        (f"one:{KEY},a b:{KEY}", "entry 2 is not <id>:<base64>"),
        (f"one:{KEY},one:{KEY}", "entry 2 repeats the id"),
        ("one:" + base64.b64encode(bytes(16)).decode(), "entry 1 has a key that is not base64 of exactly 32"),
        ("one:kéy", "entry 1 has a key that is not base64 of exactly 32"),
    ],
)
def test_a_key_ring_that_cannot_be_used_is_refused(text: str, reason: str) -> None:
    """Wrong keys are told at the start, by their place in the list."""
    (mistake,) = mistakes(TOKEN_KEYS=text)

    assert mistake.startswith(f"TOKEN_KEYS: {reason}")
    assert "`equabot-bridge keys new`" in mistake


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"MATTERMOST_BOT_TOKEN": "t"}, ["AGENT_URL", "MATTERMOST_URL"]),
        ({"MATTERMOST_ADMIN_BOT_TOKEN": "t"}, ["MATTERMOST_URL"]),
        (
            {"MATTERMOST_ADMIN_BOT_TOKEN": "t", "DATABASE_URL": "postgres://db/x"},
            ["MATTERMOST_URL", "TOKEN_KEYS"],
        ),
        ({"EQUA_SERVICE_EMAIL": "a@b"}, ["EQUA_SERVICE_PASSWORD"]),
        ({"EQUA_SERVICE_PASSWORD": "x"}, ["EQUA_SERVICE_EMAIL"]),
    ],
)
def test_what_something_else_needs_has_to_be_there(given: Mapping[str, str], missing: list[str]) -> None:
    """Each variable that is missing is named together with the one because of which it is needed."""
    with pytest.raises(ConfigurationError) as caught:
        load(given)

    assert sorted(line.partition(":")[0] for line in caught.value.mistakes) == missing
    assert all(any(name in line.partition(":")[2] for name in given) for line in caught.value.mistakes)


def test_all_mistakes_are_told_at_once() -> None:
    """Wrong values and missing ones in one go, each on a line of its own."""
    with pytest.raises(ConfigurationError) as caught:
        load(
            {"MATTERMOST_BOT_TOKEN": "a b", "AGENT_URL": "x", "BRIDGE_PORT": "x", "GATEWAY_TOKENS": "a b,c d"}
        )

    lines = str(caught.value).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == [
        "AGENT_URL",
        "BRIDGE_PORT",
        "GATEWAY_TOKENS",
        "MATTERMOST_BOT_TOKEN",
        "MATTERMOST_URL",
    ]


def test_settings_do_not_show_their_secrets() -> None:
    """Neither repr nor str of the settings holds one."""
    valid = {"TOKEN_KEYS": f"{MARK}:{KEY}", "DATABASE_URL": f"postgresql://bridge:{MARK}@db/bridge"}
    settings = load({**WHOLE, **dict.fromkeys(secrets(), MARK), **valid})

    assert MARK not in f"{settings!r} {settings}"
    assert KEY not in f"{settings!r} {settings}"


_AROUND = st.one_of(
    st.sampled_from(
        [
            "",
            "http://",
            "https://[",
            "https://host:",
            "https://host/",
            "https://a@",
            "postgresql://",
            "one:",
            ",",
        ]
    ),
    st.text(st.characters(exclude_characters="\0"), max_size=8),
)


@given(texts=st.dictionaries(st.sampled_from(VARIABLES), st.tuples(_AROUND, _AROUND), min_size=1, max_size=6))
def test_no_mistake_ever_shows_a_value(texts: Mapping[str, tuple[str, str]]) -> None:
    """Whatever stands in whichever variable: the error names variables and reasons, not what stood there."""
    environ = {variable: before + MARK + after for variable, (before, after) in texts.items()}

    assert MARK.casefold() not in complaint(environ).casefold()


def test_a_budget_in_cost_needs_prices() -> None:
    """Both kinds of a budget may be set."""
    both = "2000000 tokens, 49.90 cost"

    assert mistakes(BUDGET=both) == ["AGENT_PRICES: missing, needed because BUDGET names a cost"]
    assert load({"BUDGET": both, "AGENT_PRICES": "*=3/15"}).budget == Budget(2_000_000, Decimal("49.90"))
