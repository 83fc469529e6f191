"""The doctor looks at both sides of sign-in with Equa, and lets Mattermost try the way to the bridge."""

from collections.abc import AsyncIterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.mattermost.rest.transport import client_session
from bridge.ops.doctor.sign_in import SCRIPT, both_sides
from bridge.ops.doctor.sign_in_trial import trial
from bridge.ops.findings import Finding, Mark
from tests.support.sign_in import CHAT, SignIn, signing_in

MASK = "*" * 32
ON: Mapping[str, dict[str, Any]] = {
    "GitLabSettings": {
        "Enable": True,
        "Id": "equabot-bridge",
        "Secret": MASK,
        "Scope": "",
        "AuthEndpoint": f"{CHAT}/login/equa/authorize",
        "TokenEndpoint": "http://bridge:8090/login/equa/token",
        "UserAPIEndpoint": "http://bridge:8090/login/equa/user",
        "ButtonText": "Sign in with Equa",
    },
    "ServiceSettings": {"SessionLengthSSOInHours": 168, "SessionIdleTimeoutInMinutes": 43_200},
    "EmailSettings": {"EnableSignInWithEmail": False, "EnableSignInWithUsername": False},
}
BUTTON = {"EnableSignUpWithGitLab": "true"}


def seen(
    path: str = "", value: object = None, *, client: Mapping[str, object] = BUTTON, has_secret: bool = True
) -> dict[str, Finding]:
    """Look at a server that is well but for one setting."""
    config = deepcopy(dict(ON))
    if path:
        section, name = path.split(".")
        config[section][name] = value
    found = both_sides(config, client, CHAT, has_secret=has_secret)
    assert all(each.todo for each in found if each.mark == "bad")
    return {each.subject: each for each in found}


def not_well(found: dict[str, Finding]) -> dict[str, Mark]:
    return {subject: each.mark for subject, each in found.items() if each.mark != "good"}


def test_on_at_both_sides() -> None:
    """It says by which address."""
    found = seen()

    assert not_well(found) == {}
    assert "http://bridge:8090" in found["sign-in with Equa"].found


def test_off_at_both_sides() -> None:
    """What is missed without it, and how to have it."""
    found = seen("GitLabSettings.Enable", value=False, has_secret=False)["sign-in with Equa"]

    assert found.mark == "absent"
    assert "Mattermost's apps let nobody in" in found.found
    assert "setup --bridge-url" in found.todo


def test_on_at_mattermost_alone() -> None:
    """People are sent to a bridge that does not answer."""
    assert not_well(seen(has_secret=False)) == {"sign-in with Equa": "bad"}


@pytest.mark.parametrize(
    ("path", "value", "subject", "mark"),
    [
        ("GitLabSettings.Enable", False, "sign-in with Equa", "bad"),
        ("GitLabSettings.Id", "0123abc", "sign-in with Equa", "bad"),
        ("GitLabSettings.Secret", "", "SIGN_IN_SECRET", "bad"),
        ("GitLabSettings.AuthEndpoint", "https://old/login/equa/authorize", None, "bad"),
        ("GitLabSettings.UserAPIEndpoint", "http://other:8090/login/equa/user", None, "bad"),
        ("GitLabSettings.Scope", "openid", None, "bad"),
        ("GitLabSettings.ButtonText", "", None, "warning"),
        ("EmailSettings.EnableSignInWithEmail", True, None, "warning"),
        ("ServiceSettings.SessionLengthSSOInHours", 720, None, "warning"),
        ("ServiceSettings.SessionIdleTimeoutInMinutes", 5, None, "warning"),
    ],
)
def test_half_on(path: str, value: object, subject: str | None, mark: Mark) -> None:
    """Each difference alone is found, and is bad where nobody gets in with it."""
    assert not_well(seen(path, value)) == {subject or path: mark}


def test_an_address_inside_that_leads_nowhere() -> None:
    """The other address inside is compared with it, and the advice names no host that was guessed."""
    found = seen("GitLabSettings.TokenEndpoint", "https://gitlab.com/oauth/token")

    assert not_well(found)["GitLabSettings.TokenEndpoint"] == "bad"


def test_a_page_without_a_button() -> None:
    """From 11.0 on, without a licence; the proxy's script shows one."""
    assert not_well(seen(client={})) == {"sign-in page": "warning"}
    assert not_well(seen(client={SCRIPT: True})) == {}


@pytest.fixture
async def on(dsn: str) -> AsyncIterator[SignIn]:
    async with signing_in(dsn) as sign_in:
        yield sign_in


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with client_session() as session:
        yield session


async def tried(on: SignIn, session: ClientSession) -> list[tuple[Mark, str]]:
    return [(each.mark, each.found) for each in await trial(session, on.front.chat.server.url)]


async def test_a_trial_of_the_way(on: SignIn, session: ClientSession) -> None:
    """Mattermost reaches the bridge with the right secret; nobody is signed in and no account made."""
    users, sessions = len(on.front.chat.store.users), len(on.front.chat.store.sessions)

    assert await tried(on, session) == [("good", "Mattermost reaches the bridge, with the same secret")]
    assert (len(on.front.chat.store.users), len(on.front.chat.store.sessions)) == (users, sessions)


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("Secret", "another-secret-than-ours", "refuses Mattermost"),
        ("Id", "another-client", "refuses Mattermost"),
        ("TokenEndpoint", "http://127.0.0.1:9/login/equa/token", "does not reach the bridge"),
        ("UserAPIEndpoint", "http://127.0.0.1:9/login/equa/user", "does not reach the bridge"),
    ],
)
async def test_a_trial_that_fails(
    on: SignIn, session: ClientSession, setting: str, value: str, says: str
) -> None:
    """It tells a wrong secret from a wrong address."""
    on.front.chat.set("GitLabSettings", **{setting: value})

    ((mark, found),) = await tried(on, session)

    assert mark == "bad"
    assert says in found


async def test_no_trial_while_it_is_off(on: SignIn, session: ClientSession) -> None:
    """The settings say that already."""
    on.front.chat.set("GitLabSettings", Enable=False)

    assert await tried(on, session) == []


async def test_the_code_of_a_trial_is_good_for_nothing(on: SignIn) -> None:
    """Without the secret it is refused like any other; with it the token stands for nobody."""
    async with await on.exchange("trial", client_secret="guessed-guessed-guessed") as refused:
        assert refused.status == 401
    async with await on.exchange("trial") as response:
        token = (await response.json())["access_token"]
    async with await on.user(token) as nobody:
        assert nobody.status == 401
