"""Setup lets Mattermost ask the bridge and nobody else."""

import pytest

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops.button_settings import NAME
from bridge.ops.findings import Finding
from bridge.ops.setup.buttons import ButtonSetup
from bridge.sandbox.mattermost import Store


async def ensured(operator: RestOperator, url: str, *, dry_run: bool = False) -> list[Finding]:
    return await ButtonSetup(operator, url, is_set=True, dry_run=dry_run).ensure()


def allow(store: Store, hosts: str) -> None:
    store.settings.patch({"ServiceSettings": {NAME: hosts}})


@pytest.mark.parametrize(
    ("before", "url", "after"),
    [
        ("", "http://bridge:8090", "bridge"),
        ("db.internal, 10.0.0.0/8", "http://bridge:8090", "db.internal 10.0.0.0/8 bridge"),
        ("db.internal,bridge", "http://bridge:8090", "db.internal,bridge"),
        ("10.0.0.0/8", "http://10.1.2.3:8090", "10.0.0.0/8"),
        ("10.0.0.0/8", "http://192.168.2.3:8090", "10.0.0.0/8 192.168.2.3"),
        ("", "https://8.8.8.8", ""),
    ],
)
async def test_mattermost_may_ask_the_bridge_and_whom_it_could_before(
    store: Store, operator: RestOperator, before: str, url: str, after: str
) -> None:
    """A repeat changes nothing; a dry run neither."""
    allow(store, before)
    await ensured(operator, url, dry_run=True)
    assert store.settings.get("ServiceSettings", NAME) == before

    await ensured(operator, url)
    (again,) = await ensured(operator, url)

    assert store.settings.get("ServiceSettings", NAME) == after
    assert again.mark == "good"


async def test_the_variable_is_asked_for(operator: RestOperator) -> None:
    """Without it the bridge offers no buttons, whatever Mattermost may do."""
    found = await ButtonSetup(operator, "http://bridge:8090", is_set=False, dry_run=False).ensure()
    assert found[-1].todo == "set BRIDGE_URL=http://bridge:8090"

    (nowhere,) = await ButtonSetup(operator, "", is_set=False, dry_run=False).ensure()
    assert nowhere.mark == "absent"
