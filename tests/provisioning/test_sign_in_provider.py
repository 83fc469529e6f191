"""A sign-in may break off at any moment: the next one succeeds, and nothing is good twice."""

import asyncio
from dataclasses import replace

import pytest

from bridge.db.sign_ins import Client
from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import RestFault
from provisioning.sign_in_provider import SignInProvider
from tests.support.crashes import Crash, Crashes, When
from tests.support.provisioning import Chat, Process, a_person

CLIENT = Client("equabot-bridge", "https://chat.example.com/signup/gitlab/complete")
STATE = "a-state"


@pytest.fixture
async def provider(process: Process, ada: Person, acme: Organization) -> SignInProvider:
    """A provider for which somebody has an account."""
    provisioner = replace(process.provisioner, provider=True)
    await provisioner.open_session(ada, acme)
    return SignInProvider(provisioner.admin, provisioner.tables)


async def signed_in(provider: SignInProvider, person: Person, used: list[str] | None = None) -> str | None:
    """Do what the redirects and Mattermost's two calls do; return the username that Mattermost hears."""
    kept = await provider.remember(person.id)
    code = await provider.code_of_browser(kept, CLIENT, STATE) or ""
    token = await provider.access_token(code, CLIENT) or ""
    if used is not None:
        used += [kept, code, token]
    profile = await provider.profile(token)
    return profile.username if profile else None


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_step_costs_one_try(
    process: Process, provider: SignInProvider, ada: Person, when: When
) -> None:
    for at in range(1, 12):
        crashes = Crashes(at, when)
        broken = crashes.provisioner(replace(process.provisioner, provider=True))
        fragile = SignInProvider(broken.admin, broken.tables)
        work = asyncio.ensure_future(signed_in(fragile, ada))
        await asyncio.wait({work})
        assert await signed_in(provider, ada) == "ada"
        if not crashes.happened:
            break
        assert isinstance(work.exception(), Crash)
    assert at > 5


async def test_after_a_sign_in_nothing_of_it_is_good(provider: SignInProvider, ada: Person) -> None:
    used: list[str] = []
    assert await signed_in(provider, ada, used) == "ada"
    kept, code, token = used

    assert await provider.code_of_browser(kept, CLIENT, STATE) is None
    assert await provider.access_token(code, CLIENT) is None
    assert await provider.profile(token) is None
    assert not await provider.is_for(code, STATE)


async def test_a_new_name_in_equa_comes_with_the_next_sign_in(
    chat: Chat, process: Process, provider: SignInProvider, acme: Organization
) -> None:
    """Mattermost takes it from nobody else; no visit fails, also none that switches an account of before."""
    ben = a_person("Ben Okafor")
    await process.provisioner.open_session(ben, acme)
    with_sign_in = replace(process.provisioner, provider=True)

    for name in ("Ben Stone", "Ben Maria Lind"):
        await with_sign_in.open_session(replace(ben, name=name), acme)
        assert await _told(provider, ben) == (name, ben.email)
    (user,) = [user for user in chat.people() if user.email == ben.email]
    user.email = "ben@elsewhere.example"
    assert await _told(provider, ben) == ("Ben Maria Lind", "ben@elsewhere.example")


async def _told(provider: SignInProvider, person: Person) -> tuple[str, str]:
    """Return the name and the address that Mattermost hears at a sign-in."""
    profile = await provider.profile(await provider.access_token(await _code(provider, person), CLIENT) or "")
    assert profile
    return profile.name, profile.email


async def _code(provider: SignInProvider, person: Person) -> str:
    code = await provider.code_of_browser(await provider.remember(person.id), CLIENT, STATE)
    assert code
    return code


async def test_a_session_that_cannot_be_asked_about_counts_as_none(
    chat: Chat, provider: SignInProvider, ada: Person
) -> None:
    """Then the browser simply gets a new one."""
    (user,) = chat.people()
    session = chat.tokens(user)[0]
    assert await provider.is_session_of(session, ada.id)
    chat.server.faults.rest(RestFault(status=500, method="GET", path="/users/me", times=9))

    assert not await provider.is_session_of(session, ada.id)
    assert not await provider.is_session_of("../x", ada.id)
