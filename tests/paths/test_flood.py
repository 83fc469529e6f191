"""One member's flood does not hold up another organization."""

import time
from math import inf
from statistics import median

import structlog

from bridge.sandbox.mattermost import Post
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts

log = structlog.get_logger(__name__)

HOSTILE = "* a\n" * 4090 + "\n@equabot hi"


async def waited(hosts: Hosts, company: Company) -> float:
    """Return how long an answer takes."""
    began = time.monotonic()
    await hosts.answered(hosts.ask(company, "@equabot hello"), seconds=30)
    return time.monotonic() - began


async def waited_behind(flood: list[Post], hosts: Hosts, hostile: Company, other: Company) -> float:
    """Return how long an answer takes behind 250 more hostile posts, of which some are answered too."""
    flood += [hosts.ask(hostile, HOSTILE) for _ in range(250)]
    taken = await waited(hosts, other)
    await hosts.until(lambda: sum(map(bool, map(hosts.answers, flood))) >= 20, seconds=60)
    return taken


async def test_another_organization_waits_little_longer(
    hosts: Hosts,
    acme: Company,
    borealis: Company,
    limiting_daemon: Daemon,
) -> None:
    """Behind 250 hostile posts of a member of the first organization: a ratio, both figures of one run."""
    quiet = median([await waited(hosts, borealis) for _ in range(5)])
    enough = max(40 * quiet, 3)

    flood, flooded = list[Post](), inf
    for _ in range(3):  # what else the machine does may disturb one
        flooded = min(flooded, await waited_behind(flood, hosts, acme, borealis))
        if flooded < enough:
            break

    log.info("flood", quiet=round(quiet, 3), flooded=round(flooded, 3), ratio=round(flooded / quiet, 1))
    assert flooded < enough
