"""compose.yaml: what it starts, what may talk to what, and what `setup` leaves behind."""

import asyncio
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge import cli, config
from tests.support.deployment import (
    DEPLOY,
    TRACES,
    VARIABLES,
    documents,
    env_file,
    instructions,
    interpolated,
    secrets,
)

PASSWORD_FILE = {"PGPASSFILE"}
"""PostgreSQL's own variable."""

STORE = "/var/lib/equabot-bridge"
RAW: Any = documents(DEPLOY / "compose.yaml")[0]
SERVICES: Mapping[str, Any] = interpolated(RAW)["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_as_few_rights_as_it_needs(name: str) -> None:
    """No capability, no way to more of them, and a file system of its own only where it must write."""
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["CHOWN"] if name == "databases" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("read_only", False) is (name != "mattermost")


def test_ports_are_open_on_this_machine_only() -> None:
    """Nothing is reached from another machine before somebody decides so."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"proxy": ["127.0.0.1:8065:8080"], "bridge": ["127.0.0.1:8090:8090"]}


def test_images_have_a_version() -> None:
    """What is not built here is named with a version, and Mattermost with one that takes many people."""
    fetched = {name: service["image"] for name, service in SERVICES.items() if "build" not in service}

    assert fetched["mattermost"].startswith("mattermost/mattermost-team-edition:release-10.")
    others = [image for name, image in fetched.items() if name != "mattermost"]
    assert all(re.search(r":\d+\.\d+-", image) for image in others)


def test_builds_from_files_that_are_there() -> None:
    """Contexts and Dockerfiles are found from where the file stands."""
    for service in (each for each in SERVICES.values() if "build" in each):
        match service["build"]:
            case str(context):
                assert (DEPLOY / context / "Dockerfile").is_file()
            case {"context": context, "dockerfile": dockerfile}:
                assert (DEPLOY / context / dockerfile).is_file()
    assert all((DEPLOY / each["file"]).is_file() for each in RAW["configs"].values())


def test_bridge_and_setup_get_variables_that_they_read() -> None:
    """A name that the bridge does not know would do nothing."""
    variables = {*SERVICES["bridge"]["environment"], *SERVICES["setup"]["environment"]}

    assert variables <= VARIABLES | TRACES | PASSWORD_FILE


def test_every_variable_can_be_set() -> None:
    """Through compose, but for what `setup` makes and what the image has fixed."""
    made = {
        "TOKEN_KEYS",
        "SIGN_IN_SECRET",
        *(name for name in VARIABLES if re.fullmatch("MATTERMOST_.*TOKEN", name)),
    }
    image = {name for name in VARIABLES if name.startswith("BRIDGE_")} - {"BRIDGE_URL"}

    assert VARIABLES - made - image == SERVICES["bridge"]["environment"].keys() - TRACES - PASSWORD_FILE | {
        "OTEL_EXPORTER_OTLP_ENDPOINT"
    }


def test_no_secret_has_a_value_in_the_file() -> None:
    """A secret comes from outside or is made; the database's address holds none."""
    given = {**SERVICES["setup"]["environment"], **SERVICES["bridge"]["environment"]}
    held = {name: value for name, value in given.items() if name in secrets() and value}

    assert held == {"DATABASE_URL": "postgresql://bridge@/bridge?host=/var/run/postgresql"}


def test_bridge_accepts_its_environment() -> None:
    """With its defaults, and the tokens that setup makes, the configuration is right."""
    made = dict.fromkeys(("MATTERMOST_ADMIN_BOT_TOKEN", "MATTERMOST_BOT_TOKEN"), "x" * 26)
    keys = {"TOKEN_KEYS": f"k1:{'A' * 43}="}

    settings = config.load({**SERVICES["bridge"]["environment"], **made, **keys})

    assert settings.mattermost_url == "http://mattermost:8065"


def test_only_those_that_need_it_reach_the_database() -> None:
    """It is on no network; its socket is mounted by the two programs, and by what sets their passwords."""
    mounting = {name for name in SERVICES if "postgres-socket" in _volumes(name)}

    assert SERVICES["postgres"]["network_mode"] == "none"
    assert SERVICES["databases"]["network_mode"] == "none"
    assert SERVICES["postgres"]["command"][:3] == ["postgres", "-c", "listen_addresses="]
    assert mounting == {"postgres", "databases", "mattermost", "bridge"}


@pytest.mark.parametrize("name", ["mattermost", "bridge"])
def test_a_password_is_seen_by_its_program_alone(name: str) -> None:
    """Which cannot change it; both drivers read it from there."""
    mounting = {each for each in SERVICES if f"{name}-database" in _volumes(each)}

    assert mounting == {"databases", name}
    assert f"{name}-database:/run/database:ro" in SERVICES[name]["volumes"]
    assert SERVICES[name]["environment"]["PGPASSFILE"] == "/run/database/pgpass"
    assert f"{name}-database:/run/databases/{name}" in SERVICES["databases"]["volumes"]


def test_tokens_are_seen_by_setup_and_the_bridge_alone() -> None:
    """And the bridge cannot change them."""
    mounting = {name for name in SERVICES if "bridge-secrets" in _volumes(name)}
    volumes = [each for each in SERVICES["bridge"]["volumes"] if isinstance(each, dict)]
    seen = next(each for each in volumes if each["source"] == "bridge-secrets")

    assert mounting == {"setup", "bridge"}
    assert seen == {"type": "volume", "source": "bridge-secrets", "target": STORE, "read_only": True}


def test_local_socket_is_opened_by_setup_alone() -> None:
    """Whoever can open it administers Mattermost; both sides run as the same user."""
    user = [arguments for name, arguments in instructions(DEPLOY / "Dockerfile") if name == "USER"][-1]
    options = RAW["volumes"]["mattermost-socket"]["driver_opts"]["o"]

    assert {name for name in SERVICES if "mattermost-socket" in _volumes(name)} == {"mattermost", "setup"}
    assert SERVICES["mattermost"]["environment"]["MM_SERVICESETTINGS_ENABLELOCALMODE"] == "true"
    assert user == "2000:2000"
    assert "uid=2000,gid=2000,mode=0700" in options


def test_starts_in_an_order_in_which_each_finds_what_it_needs() -> None:
    """The bridge comes after setup has made its tokens, that after Mattermost, that after its database."""
    waits = {
        name: {other: each["condition"] for other, each in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }

    assert waits["databases"] == {"postgres": "service_healthy"}
    assert waits["mattermost"] == {"databases": "service_completed_successfully"}
    assert waits["bridge"]["databases"] == "service_completed_successfully"
    assert waits["setup"] == {"mattermost": "service_healthy"}
    assert waits["bridge"]["setup"] == "service_completed_successfully"
    assert waits["proxy"] == {"mattermost": "service_healthy"}


def test_every_volume_is_declared() -> None:
    """And none is declared that nobody mounts."""
    used = {volume for name in SERVICES for volume in _volumes(name)}

    assert used == set(RAW["volumes"])


def test_databases_are_those_that_are_asked_for() -> None:
    """The names in both addresses are created before the programs start."""
    names = re.findall(
        r"^for name in (.*); do$", (DEPLOY / RAW["configs"]["databases"]["file"]).read_text(), re.MULTILINE
    )
    created = [(name, name) for name in names[0].split()]
    addresses = (
        SERVICES["mattermost"]["environment"]["MM_SQLSETTINGS_DATASOURCE"],
        SERVICES["bridge"]["environment"]["DATABASE_URL"],
    )

    assert [re.findall(r"//(\w+)@/(\w+)\?", address)[0] for address in addresses] == created


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://localhost:8065"),
        ({"CHAT_PORT": "9065"}, "http://localhost:9065"),
        (
            {"CHAT_PORT": "9065", "MATTERMOST_PUBLIC_URL": "https://chat.example.com"},
            "https://chat.example.com",
        ),
    ],
)
def test_chat_has_one_address(given: Mapping[str, str], address: str) -> None:
    """The port that is open is in the address that Mattermost, setup and the bridge go by."""
    services = interpolated(RAW, given)["services"]

    assert services["proxy"]["ports"] == [f"127.0.0.1:{given.get('CHAT_PORT', '8065')}:8080"]
    assert services["mattermost"]["environment"]["MM_SERVICESETTINGS_SITEURL"] == address
    assert {services[name]["environment"]["MATTERMOST_PUBLIC_URL"] for name in ("setup", "bridge")} == {
        address
    }


def test_proxy_gets_variables_that_it_reads() -> None:
    """Among them the addresses that may name the browser's address."""
    known = re.findall(r"^\| `(\w+)`", (DEPLOY / "proxy" / "README.md").read_text(), re.MULTILINE)
    given = interpolated(RAW, {"TRUSTED_PROXIES": "172.16.0.0/12"})["services"]["proxy"]["environment"]

    assert set(given) <= set(known)
    assert given["TRUSTED_PROXIES"] == "172.16.0.0/12"


def test_mattermost_gets_no_variable_twice_without_reason() -> None:
    """What compose.yaml sets besides mattermost.env depends on where it runs."""
    own = set(SERVICES["mattermost"]["environment"])

    assert own & set(env_file(DEPLOY / "mattermost.env")) == {
        "MM_SERVICESETTINGS_SITEURL",
        "MM_SERVICESETTINGS_FRAMEANCESTORS",
        "MM_TEAMSETTINGS_EXPERIMENTALDEFAULTCHANNELS",
    }


async def test_setup_makes_a_key_once_and_then_runs_with_arguments_that_exist(tmp_path: Path) -> None:
    """Its script asks for a key only where there is none, and calls the command as that wants it."""
    calls = _program(tmp_path, 'if [ "$1" = keys ]; then echo "k1:a/b+c="; fi')

    for _ in range(2):
        assert await _run(SERVICES["setup"], tmp_path, *SERVICES["setup"]["command"]) == 0

    kept = tmp_path / "store" / "bridge.env"
    made = [line for line in calls.read_text().splitlines() if line != "keys new"]
    options = cli.parser().parse_args(shlex.split(made[0]))
    assert kept.read_text() == "TOKEN_KEYS=k1:a/b+c=\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert calls.read_text().splitlines().count("keys new") == 1
    assert len(made) == 2
    assert (options.command, options.local_socket) == ("setup", "/var/tmp/mattermost_local.socket")
    assert options.write_env == str(kept)
    assert options.bridge_url == SERVICES["proxy"]["environment"]["BRIDGE_UPSTREAM"]


@pytest.mark.parametrize(
    ("given", "off"),
    [
        ({}, False),
        ({"EQUA_API_URL": "https://app.example.com/api/v1"}, True),
        ({"EQUA_API_URL": "https://app.example.com/api/v1", "PASSWORD_SIGN_IN": "on"}, False),
    ],
)
async def test_passwords_go_once_people_come_from_equa(
    tmp_path: Path, given: Mapping[str, str], *, off: bool
) -> None:
    """Before that the administrator's is the only way in; and an operator may keep them."""
    calls = _program(tmp_path, "echo made")
    service = interpolated(RAW, given)["services"]["setup"]

    assert await _run(service, tmp_path, *service["command"]) == 0

    options = cli.parser().parse_args(shlex.split(calls.read_text().splitlines()[-1]))
    assert options.no_passwords is off


async def test_setup_fails_where_no_key_can_be_made(tmp_path: Path) -> None:
    """Tokens without a key would keep the bridge from starting, so none are made."""
    calls = _program(tmp_path, '[ "$1" != keys ]')

    status = await _run(SERVICES["setup"], tmp_path, *SERVICES["setup"]["command"])

    assert status != 0
    assert calls.read_text() == "keys new\n"


async def test_bridge_starts_with_what_setup_has_left(tmp_path: Path) -> None:
    """The tokens reach its environment as they are, and the command its arguments."""
    calls = _program(tmp_path, 'echo "$TOKEN_KEYS $MATTERMOST_BOT_TOKEN"')
    (tmp_path / "store" / "bridge.env").write_text("TOKEN_KEYS=k2:d/e+f=,k1:a=\nMATTERMOST_BOT_TOKEN=abc\n")

    status = await _run(SERVICES["bridge"], tmp_path, *SERVICES["bridge"]["command"])

    assert status == 0
    assert calls.read_text() == "serve\n"
    assert (tmp_path / "output").read_text() == "k2:d/e+f=,k1:a= abc\n"


def _volumes(name: str) -> set[str]:
    mounts = SERVICES[name].get("volumes", ())
    return {mount.partition(":")[0] if isinstance(mount, str) else mount["source"] for mount in mounts}


def _program(directory: Path, script: str) -> Path:
    """Put an `equabot-bridge` there that notes its arguments; return the file with the notes."""
    calls = directory / "calls"
    program = directory / "equabot-bridge"
    program.write_text(f'#!/bin/sh\necho "$*" >> {shlex.quote(str(calls))}\n{script}\n')
    program.chmod(0o700)
    (directory / "store").mkdir()
    return calls


async def _run(service: Mapping[str, Any], directory: Path, *arguments: str) -> int:
    """Run a service's entrypoint here, with the store in the directory."""
    command = [word.replace(STORE, str(directory / "store")) for word in (*service["entrypoint"], *arguments)]
    given = {name: text for name, text in service["environment"].items() if text is not None}
    with (directory / "output").open("w") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env={**given, "PATH": f"{directory}:/usr/bin:/bin"}, stdout=output
        )
        return await process.wait()
