"""Setup lets people sign in with Equa: made once, repeated without a change, never in place of another."""

from dataclasses import replace

import pytest

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops.findings import Finding, Mark
from bridge.ops.settings import Site
from bridge.ops.setup.sign_in import Choices, Secret, SignInSetup
from bridge.sandbox.mattermost import Store
from tests.support.mattermost import running_mattermost
from tests.support.operator import operating, server_settings

SITE = Site("http://mm:8065", "https://chat.example.com", ("https://app.example.com",), ("agent",))
INSIDE = "http://bridge:8090"
SECRET = "s" * 32


def no_answer() -> str:
    return ""


NAMED = Choices(INSIDE, no_passwords=True, ask_bridge_url=no_answer, ask_no_passwords=lambda: False)
UNNAMED = replace(NAMED, bridge_url="", no_passwords=False)


class Kept(dict[str, str]):
    """Where new secrets go."""

    def secret(self, present: str = "", *, kept_here: bool = False, renew: bool = False) -> Secret:
        return Secret(present, self.__setitem__, kept_here=kept_here, renew=renew)


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def ensured(
    operator: RestOperator, secret: Secret, choices: Choices = NAMED, *, dry_run: bool = False
) -> dict[str, Finding]:
    found = await SignInSetup(operator, secret, choices, dry_run).ensure(SITE)
    return {each.subject: each for each in found}


def marks(found: dict[str, Finding]) -> set[Mark]:
    return {each.mark for each in found.values()}


async def test_it_is_set_up_once(store: Store, operator: RestOperator, kept: Kept) -> None:
    """With a secret that both sides have; a repeat with it changes nothing and asks nothing."""
    first = await ensured(operator, kept.secret())
    made = kept["SIGN_IN_SECRET"]
    second = await ensured(operator, kept.secret(made), UNNAMED)

    gitlab = store.settings.sections["GitLabSettings"]
    assert marks(first) == {"changed"}
    assert marks(second) == {"good"}
    assert gitlab["Enable"] is True
    assert gitlab["Secret"] == made
    assert len(made) >= 32
    assert gitlab["AuthEndpoint"] == "https://chat.example.com/login/equa/authorize"
    assert gitlab["TokenEndpoint"] == f"{INSIDE}/login/equa/token"
    assert store.settings.get("EmailSettings", "EnableSignInWithUsername") is False
    assert made not in str(first) + str(second)


async def test_a_given_secret_is_kept(store: Store, operator: RestOperator, kept: Kept) -> None:
    """Mattermost gets it, also in place of another that it has."""
    await ensured(operator, kept.secret("another" * 4))
    await ensured(operator, kept.secret(SECRET))

    assert store.settings.get("GitLabSettings", "Secret") == SECRET
    assert kept == {}


async def test_a_dry_run_changes_nothing(store: Store, operator: RestOperator, kept: Kept) -> None:
    """It reports what the run that changes does."""
    before = store.settings.masked()
    planned = await ensured(operator, kept.secret(), dry_run=True)
    given = await ensured(operator, kept.secret(SECRET), dry_run=True)

    assert marks(planned) == marks(given) == {"planned"}
    assert store.settings.masked() == before
    assert kept == {}
    assert (await ensured(operator, kept.secret())).keys() == planned.keys()


async def test_a_secret_that_only_mattermost_has(store: Store, operator: RestOperator, kept: Kept) -> None:
    """The bridge may be using it: another is made only where the kept ones are, or when asked for."""
    await ensured(operator, kept.secret(SECRET))

    elsewhere = await ensured(operator, kept.secret())
    assert elsewhere["SIGN_IN_SECRET"].mark == "warning"
    assert "--new-sign-in-secret" in elsewhere["SIGN_IN_SECRET"].todo
    assert store.settings.get("GitLabSettings", "Secret") == SECRET

    for secret in (kept.secret(kept_here=True), kept.secret(renew=True), kept.secret(SECRET, renew=True)):
        before = store.settings.get("GitLabSettings", "Secret")
        await ensured(operator, secret)
        assert store.settings.get("GitLabSettings", "Secret") == kept["SIGN_IN_SECRET"] != before


@pytest.mark.parametrize(("present", "mark"), [("", "absent"), (SECRET, "bad")])
async def test_without_the_bridges_address_it_is_left_out(
    store: Store, operator: RestOperator, kept: Kept, present: str, mark: Mark
) -> None:
    """That is half a sign-in if the bridge has a secret."""
    found = await ensured(operator, kept.secret(present), UNNAMED)

    assert [(each.mark, each.todo) for each in found.values()] == [
        (mark, "name the bridge, as Mattermost reaches it, with --bridge-url")
    ]
    assert store.settings.get("GitLabSettings", "Enable") is False


async def test_what_is_typed_at_a_terminal(store: Store, operator: RestOperator, kept: Kept) -> None:
    """Both questions are answered there."""
    typed = replace(UNNAMED, ask_bridge_url=lambda: INSIDE, ask_no_passwords=lambda: True)

    await ensured(operator, kept.secret(), typed)

    assert store.settings.get("GitLabSettings", "UserAPIEndpoint") == f"{INSIDE}/login/equa/user"
    assert store.settings.get("EmailSettings", "EnableSignInWithEmail") is False


async def test_passwords_stay_unless_the_operator_agrees(
    store: Store, operator: RestOperator, kept: Kept
) -> None:
    """The report says how to switch them off."""
    found = await ensured(operator, kept.secret(), replace(NAMED, no_passwords=False))

    assert store.settings.get("EmailSettings", "EnableSignInWithEmail") is True
    assert (found["passwords"].mark, found["passwords"].todo) == (
        "warning",
        "switch it off with --no-passwords",
    )


async def test_a_real_gitlab_stays(store: Store, operator: RestOperator, kept: Kept) -> None:
    """Whoever signs in by it would no longer get in."""
    gitlab = {"Enable": True, "Id": "0123abc", "Secret": "theirs", "AuthEndpoint": "https://gitlab.com/x"}
    store.settings.patch({"GitLabSettings": gitlab})

    found = await ensured(operator, kept.secret(SECRET))

    assert marks(found) == {"warning"}
    assert "https://gitlab.com/x" in str(found)
    assert store.settings.get("GitLabSettings", "Secret") == "theirs"
    assert store.settings.get("EmailSettings", "EnableSignInWithEmail") is True


async def test_the_secret_of_a_former_gitlab_is_replaced(
    store: Store, operator: RestOperator, kept: Kept
) -> None:
    """It was switched off, and its secret left behind."""
    store.settings.patch({"GitLabSettings": {"Id": "0123abc", "Secret": "theirs"}})

    found = await ensured(operator, kept.secret())

    assert marks(found) == {"changed"}
    assert store.settings.get("GitLabSettings", "Secret") == kept["SIGN_IN_SECRET"]


async def test_settings_of_the_environment_are_reported(kept: Kept) -> None:
    """With the line for it; nobody loses the password form while the sign-in is off."""
    store = Store(server_settings("GitLabSettings.Enable", "ServiceSettings.SessionLengthSSOInHours"))
    async with running_mattermost(store) as server, operating(server.url, store.admin_token) as operator:
        found = await ensured(operator, kept.secret())

    pinned = {subject: each.todo for subject, each in found.items() if each.mark == "warning"}
    assert pinned == {
        "GitLabSettings.Enable": "set MM_GITLABSETTINGS_ENABLE=true there and restart it",
        "ServiceSettings.SessionLengthSSOInHours": (
            "set MM_SERVICESETTINGS_SESSIONLENGTHSSOINHOURS=168 there and restart it"
        ),
    }
    assert store.settings.get("EmailSettings", "EnableSignInWithEmail") is True
