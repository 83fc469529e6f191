"""What an agent wants from people, from the gateway's websocket to the thread."""

from pathlib import Path

from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts


async def test_silence_does_not_count_while_somebody_has_to_approve(
    hosts: Hosts, acme: Company, tmp_path: Path
) -> None:
    """The answer comes after the decision, long after the agent would have been given up."""
    environ = {**hosts.environ, "AGENT_TIMEOUT": "3"}
    control = hosts.agent.control
    control.approval_seconds = 7
    async with running(environ, tmp_path / "daemon.log") as daemon:
        await daemon.until_parts(lambda parts: parts["approvals"]["state"].startswith("on"))
        question = hosts.ask(acme, "@equabot please pay 100")
        await hosts.answered(question)

    assert "it was not approved" in hosts.answers(question)[0].message


async def test_readyz_says_why_there_are_no_approvals(daemon: Daemon, hosts: Hosts) -> None:
    await daemon.until_parts(lambda parts: parts["approvals"]["state"].startswith("on"))

    hosts.agent.control.starting = True
    hosts.agent.control.cut()

    parts = await daemon.until_parts(lambda parts: not parts["approvals"]["ok"])
    assert parts["approvals"]["state"].startswith("off, because the gateway")
