"""The first administrator, made over the local socket."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import StartupError
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops.findings import Finding
from bridge.ops.setup import local
from bridge.ops.setup.local import VARIABLE, LocalSetup
from bridge.ops.setup.tokens import Tokens
from bridge.sandbox.mattermost import Store
from tests.support.mattermost import running_mattermost
from tests.support.operator import QUICK, local_mode, operating, server_settings


class Fresh:
    """A server without any token yet."""

    def __init__(self, store: Store, locally: RestOperator, remote: RestOperator) -> None:
        self.store, self.local, self.remote = store, locally, remote
        self.made: list[str] = []

    async def run(
        self, name: str = "equa-admin", *, present: str = "", dry_run: bool = False, **how: Any
    ) -> list[Finding]:
        tokens = Tokens(
            {VARIABLE: present} if present else {}, lambda _, token: self.made.append(token), **how
        )
        return await LocalSetup(self.local, self.remote, tokens, dry_run).administrator(name)


@pytest.fixture
def pinned() -> tuple[str, ...]:
    """What the server has from its environment."""
    return ()


@pytest.fixture
async def fresh(pinned: tuple[str, ...], tmp_path: Path) -> AsyncIterator[Fresh]:
    store = Store(server_settings(*pinned))
    store.settings.sections["ServiceSettings"]["EnableUserAccessTokens"] = False
    async with (
        local_mode(store, tmp_path / "mm.socket") as socket,
        local.connect(socket, QUICK) as locally,
        running_mattermost(store) as server,
        operating(server.url, "") as remote,
    ):
        yield Fresh(store, locally, remote)


async def test_an_administrator_is_made(fresh: Fresh) -> None:
    """With a token that works, tokens switched on, and a password that is not shown."""
    found = await fresh.run()

    user = fresh.store.user_by_name["equa-admin"]
    assert [each.mark for each in found] == ["changed", "changed"]
    assert user.roles == "system_user system_admin"
    assert (await fresh.remote.holder(fresh.made[0])).username == "equa-admin"
    assert len(user.password) > 40
    assert user.password not in str(found)


async def test_a_repeat_makes_nothing(fresh: Fresh) -> None:
    """Neither with the token nor without it."""
    await fresh.run()

    assert [each.mark for each in await fresh.run(present=fresh.made[0])] == ["good"]
    assert [each.mark for each in await fresh.run()] == ["good", "warning"]
    assert len(fresh.made) == 1


async def test_a_lost_token_is_replaced(fresh: Fresh) -> None:
    """When asked for, or when it should have been where tokens are kept."""
    await fresh.run()
    await fresh.run(renew=True)
    await fresh.run(kept_here=True)

    assert len(set(fresh.made)) == 3
    assert len([name for name in fresh.store.user_by_name if name == "equa-admin"]) == 1


async def test_another_administrators_token_will_do(fresh: Fresh) -> None:
    """Then no account is made."""
    fresh.store.settings.patch({"ServiceSettings": {"EnableUserAccessTokens": True}})

    assert [each.found for each in await fresh.run(present=fresh.store.admin_token)] == ["@admin"]
    assert "equa-admin" not in fresh.store.user_by_name


@pytest.mark.parametrize("kind", ["person", "bot", "deactivated"])
async def test_nobody_is_made_an_administrator_for_a_name(fresh: Fresh, kind: str) -> None:
    """An account of that name may be anybody's."""
    match kind:
        case "person":
            user = fresh.store.create_user("equa-admin")
        case "bot":
            user = fresh.store.create_bot("equa-admin")
        case _:
            user = fresh.store.create_user("equa-admin", roles="system_user system_admin")
            user.delete_at = 1
    before = user.roles

    with pytest.raises(StartupError, match="choose another --admin-name"):
        await fresh.run()

    assert (user.roles, fresh.made) == (before, [])


async def test_a_dry_run_makes_nothing(fresh: Fresh) -> None:
    """And switches nothing on."""
    assert [each.mark for each in await fresh.run(dry_run=True)] == ["planned", "planned"]
    assert "equa-admin" not in fresh.store.user_by_name
    assert fresh.store.settings.get("ServiceSettings", "EnableUserAccessTokens") is False


@pytest.mark.parametrize("pinned", [("ServiceSettings.EnableUserAccessTokens",)])
async def test_tokens_switched_off_in_the_environment(fresh: Fresh) -> None:
    """Nothing can be made, and the variable is named."""
    with pytest.raises(StartupError, match="MM_SERVICESETTINGS_ENABLEUSERACCESSTOKENS=true"):
        await fresh.run()

    assert "equa-admin" not in fresh.store.user_by_name
