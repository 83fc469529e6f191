"""mattermost.env: names that Mattermost has, and values that the bridge needs."""

from bridge.ops.button_settings import may_ask
from bridge.ops.settings import Setting, Site, spelled
from bridge.ops.sign_in_settings import NO_PASSWORDS, RECOMMENDED, endpoints
from provisioning.default_channels import NOTICES, TOWN_SQUARE
from tests.support.deployment import DEPLOY, env_file

GIVEN = env_file(DEPLOY / "mattermost.env")

OTHERS = {
    "MM_SQLSETTINGS_DRIVERNAME",
    "MM_SERVICESETTINGS_LISTENADDRESS",
    "MM_SERVICESETTINGS_TRUSTEDPROXYIPHEADER",
    "MM_EMAILSETTINGS_ENABLEPREVIEWMODEBANNER",
    "MM_EMAILSETTINGS_SMTPSERVER",
    "MM_EMAILSETTINGS_SENDEMAILNOTIFICATIONS",
    "MM_LOGSETTINGS_ENABLEFILE",
}
"""Fields of server/public/model/config.go, in Mattermost 10.4 and 11.6, that `setup` has no opinion on."""


def test_every_name_is_one_that_mattermost_has() -> None:
    """A name that it has not would be ignored in silence."""
    known = {setting.variable for setting in _wanted()}

    assert set(GIVEN) == known | OTHERS


def test_values_are_what_setup_would_set() -> None:
    """A server with this environment is left alone by `setup`, whose changes would have no effect there."""
    wanted = {setting.variable: spelled(setting.value) for setting in _wanted()}

    assert {name: GIVEN[name] for name in wanted} == wanted


def test_the_lines_about_the_bridge_are_what_setup_would_set() -> None:
    """Commented out: where Mattermost keeps its configuration, they are set there."""
    text = (DEPLOY / "mattermost.env").read_text()
    given = dict(line[1:].split("=", 1) for line in text.splitlines() if line.startswith("#MM_"))
    wanted = (
        *endpoints("https://chat.equa.cc", "http://bridge.railway.internal:8090"),
        *RECOMMENDED,
        *NO_PASSWORDS,
        may_ask("bridge.railway.internal"),
    )

    assert given.keys() == {each.variable for each in wanted}
    assert [each.variable for each in wanted if not each.fits(_read(given[each.variable]))] == []


def test_values_need_no_quotes() -> None:
    """Docker takes everything behind the equals sign as it is."""
    assert not [name for name, value in GIVEN.items() if value != value.strip("\"' ")]


def test_holds_no_secret() -> None:
    """The database's address has a password in it."""
    assert "MM_SQLSETTINGS_DATASOURCE" not in GIVEN


def _read(text: str) -> bool | int | str:
    """Return a value as Mattermost reads it out of its environment."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text


def _wanted() -> tuple[Setting, ...]:
    channels = tuple(name for name in (*NOTICES, "agent") if name != TOWN_SQUARE)
    return Site(
        url="http://mattermost:8065",
        public_url="https://chat.equa.cc",
        origins=("https://app.equa.cc",),
        channels=channels,
    ).settings()
