"""The runbook promises only what exists: files, headings, commands and variables."""

import asyncio
import re
import shlex
from pathlib import Path

import pytest

from bridge import cli
from tests.support.deployment import DEPLOY, TRACES, VARIABLES, documents, env_file

PAGE = DEPLOY / "README.md"
TEXT = PAGE.read_text()
LINKS = sorted(set(re.findall(r"\]\(([^)\s]+)\)", TEXT)))
COMMANDS = sorted(
    {
        command.strip()
        for command in re.findall(
            # Beside the program itself: services of compose.yaml that begin with it.
            r"(?:(?<!--entrypoint )equabot-bridge|--no-deps(?: -T)? bridge|equabot-bridge setup(?= setup)) "
            r"((?:serve|demo|doctor|setup(?! setup)|migrate|sync|why|audit|keys)\b[^`#)\n|;&]*)",
            re.sub(r"\s\\\n\s*", " ", TEXT),
        )
    }
)

ELSEWHERE = {
    "MM_SQLSETTINGS_DATASOURCE",
    "MM_GITLABSETTINGS_SECRET",
    "MM_SERVICESETTINGS_ENABLELOCALMODE",
    "MM_FILESETTINGS_DRIVERNAME",
    "MM_PRIVACYSETTINGS_SHOWFULLNAME",
    "MM_SERVICESETTINGS_ENABLEUSERSTATUSES",
    # Named because they are wrong.
    "MM_SERVICESETTINGS_ENABLEPERSONALACCESSTOKENS",
    "MM_CACHEETTINGS_CACHETYPE",
}
"""Mattermost's, besides those of mattermost.env."""

PLACEHOLDERS = {"POST_ID", "NEW_TARGET"}

DOCKER = r"(?:\bdc|compose\.yaml) (?:exec|run|up|stop|restart|create|logs)\b(?: -\S+| (?<=--entrypoint )\S+)*"
SECRETS = r"\$\{?(TOKEN|OLD|NEW|PASSWORD|key|\w+_TOKEN)\b"


@pytest.mark.parametrize("link", LINKS)
def test_link_leads_somewhere(link: str) -> None:
    """To a file that is there, and to a heading in it."""
    target, _, heading = link.partition("#")
    path = PAGE if not target else (DEPLOY / target)

    assert path.exists()
    assert not heading or heading in _headings(path.read_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_one_that_the_bridge_has(command: str) -> None:
    """With its options and arguments."""
    words = ["0" * 26 if word == "ID" else word for word in shlex.split(command)]

    assert cli.parser().parse_args(words).command == words[0]


def test_commands_were_found() -> None:
    """The pattern above sees what it should."""
    assert {command.split()[0] for command in COMMANDS} >= {
        "doctor",
        "setup",
        "sync",
        "keys",
        "why",
        "migrate",
    }


def test_variables_exist() -> None:
    """In the bridge, in the proxy, in compose.yaml or in Mattermost."""
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", TEXT))
    proxy = set(re.findall(r"^\| `(\w+)`", (DEPLOY / "proxy" / "README.md").read_text(), re.MULTILINE))
    compose = set(re.findall(r"\$\{(\w+):", (DEPLOY / "compose.yaml").read_text()))
    mattermost = set(env_file(DEPLOY / "mattermost.env")) | ELSEWHERE

    assert named <= VARIABLES | TRACES | proxy | compose | mattermost | PLACEHOLDERS


def test_variables_of_compose_are_told() -> None:
    """Whoever may set something learns of it."""
    asked = set(re.findall(r"\$\{(\w+):", (DEPLOY / "compose.yaml").read_text()))

    assert {name for name in asked if f"`{name}`" not in TEXT} == set()


def test_services_of_compose_exist() -> None:
    """What is restarted, run or entered by name."""
    named = re.findall(rf"{DOCKER} ([a-z]+)\b", TEXT)

    assert {"bridge", "databases", "mattermost", "postgres", "proxy", "setup"} == set(named)
    assert set(named) <= set(documents(DEPLOY / "compose.yaml")[0]["services"])


async def test_new_key_is_put_in_front_of_the_others(tmp_path: Path) -> None:
    """And the old one is taken out when it has sealed nothing any more."""
    kept = tmp_path / "bridge.env"
    kept.write_text("TOKEN_KEYS=k1:a/b+c=\nMATTERMOST_BOT_TOKEN=abc\n")
    lines = [line for line in TEXT.splitlines() if "--entrypoint sed setup" in line]
    added, dropped = (shlex.split(line.partition(" setup ")[2].removesuffix(" &&")) for line in lines)
    script = re.findall(r'<<< "(.*)"', lines[0])[0].replace("$key", "k2:d/e+f=")

    assert added.pop() == script.replace("k2:d/e+f=", "$key")
    assert added.pop() == "<<<"

    await _sed([*added[:-1], str(kept)], script)
    assert kept.read_text() == "TOKEN_KEYS=k2:d/e+f=,k1:a/b+c=\nMATTERMOST_BOT_TOKEN=abc\n"
    await _sed([*dropped[:-1], str(kept)], "")
    assert kept.read_text() == "TOKEN_KEYS=k2:d/e+f=\nMATTERMOST_BOT_TOKEN=abc\n"


@pytest.mark.parametrize("page", ["README.md", "platform.md"])
def test_no_secret_is_an_argument(page: str) -> None:
    """Everybody on the machine sees arguments, but neither standard input nor what the shell does itself."""
    for block in re.findall(r"```(?:sh|bash)\n(.*?)```", (DEPLOY / page).read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            shown = re.sub(r"<<<.*|@<\(printf .*?\)|^key=.*", "", line)
            assert not re.search(SECRETS, shown)
            assert "--password" not in shown


def test_proxy_behind_an_edge_knows_it() -> None:
    """On Railway all requests come from its edge."""
    row = next(line for line in TEXT.splitlines() if line.startswith("| proxy | this repository"))

    assert "`TRUSTED_PROXIES=100.64.0.0/10`" in row


async def _sed(arguments: list[str], script: str) -> None:
    process = await asyncio.create_subprocess_exec("sed", *arguments, stdin=asyncio.subprocess.PIPE)
    await process.communicate(script.encode())
    assert process.returncode == 0


def _headings(text: str) -> set[str]:
    """Return the anchors that GitHub gives to headings."""
    lines = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}
