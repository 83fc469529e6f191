"""One member's flood does not hold up another organization."""

import time
from statistics import median

import structlog

from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts

log = structlog.get_logger(__name__)

HOSTILE = "* a\n" * 4090 + "\n@equabot hi"


async def waited(hosts: Hosts, company: Company) -> float:
    """Return how long an answer takes."""
    began = time.monotonic()
    await hosts.answered(hosts.ask(company, "@equabot hello"), seconds=30)
    return time.monotonic() - began


async def test_another_organization_waits_little_longer(
    hosts: Hosts,
    acme: Company,
    borealis: Company,
    limiting_daemon: Daemon,
) -> None:
    """Behind 250 hostile posts of a member of the first organization: a ratio, both figures of one run."""
    quiet = median([await waited(hosts, borealis) for _ in range(5)])

    flood = [hosts.ask(acme, HOSTILE) for _ in range(250)]
    flooded = await waited(hosts, borealis)

    await hosts.until(lambda: sum(bool(hosts.answers(post)) for post in flood) == 20, seconds=60)
    log.info("flood", quiet=round(quiet, 3), flooded=round(flooded, 3), ratio=round(flooded / quiet, 1))
    assert flooded < max(40 * quiet, 3)
