"""Alerts and dashboard ask for what the bridge measures: names, labels and their values."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.metrics import CONTROL_STATES, SOCKET_STATES, Backlog, Metrics, MonthlyUsage, RatingCount
from bridge.models.approvals import ControlState
from bridge.models.jobs import ASKING, JobKind
from handlers.http.app import ROUTES
from tests.support.deployment import DEPLOY, documents
from tests.support.programs import required_program

RULES: list[Any] = documents(DEPLOY / "monitoring" / "alerts.yaml")[0]["groups"][0]["rules"]
SCRAPES: list[Any] = documents(DEPLOY / "monitoring" / "scrape.yaml")[0]["scrape_configs"]
DASHBOARD: Any = json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    },
}

CASES = Path(__file__).with_name("alerts.test.yaml")

FROM_PROMETHEUS = {"job", "instance"}
"""Labels that a scrape adds."""

expressions = pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)


@pytest.fixture(scope="module")
def measured() -> dict[str, set[str]]:
    """What /metrics shows after everything has happened once: each sample's labels by its name."""
    metrics = Metrics()
    metrics.socket_state("connected")
    metrics.control_state(ControlState(is_on=True))
    metrics.caught_up(1)
    metrics.inbox([Backlog("mention", "waiting", 1, 1.0)])
    metrics.job("mention", "done")
    metrics.answered("answered", 0)
    metrics.rest_call("/users/me", 200, 0.1)
    metrics.http_request("/healthz", 200, 0.1)
    metrics.drift(created=1, added=1, removed=1)
    metrics.reconciled("done")
    metrics.reconciled_all(0)
    metrics.reconcile_begun(0)
    metrics.channel_problems({"private": 1})
    metrics.visitors(people=1, addresses=1)
    metrics.signed_in("done")
    metrics.repaired("renamed")
    metrics.file_read("read")
    metrics.slowest("an organization", 1)
    metrics.ratings([RatingCount("an organization", 1, 1)])
    metrics.usage([MonthlyUsage("an organization", {"answered": 1}, 1, 1, 0.1)])
    families = text_string_to_metric_families(metrics.render().decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


@expressions
def test_asks_for_what_is_measured(expression: str, measured: dict[str, set[str]]) -> None:
    """Every name exists, with its suffix, and every label belongs to it."""
    asked = list(_asked(expression))

    assert asked
    for name, labels in asked:
        assert name == "up" or name in measured
        assert set(labels) <= measured.get(name, set()) | FROM_PROMETHEUS


@expressions
def test_asks_for_values_that_occur(expression: str) -> None:
    """Kinds, states and routes are the bridge's own words."""
    known = {
        "kind": set(get_args(JobKind)),
        "state": {*SOCKET_STATES, *CONTROL_STATES, "waiting", "running"},
        "route": {route.path for route in ROUTES},
    }
    for _, labels in _asked(expression):
        for label, value in labels.items():
            assert set(value.split("|")) <= known.get(label, set(value.split("|")))


@expressions
def test_asks_for_all_questions(expression: str) -> None:
    """Whoever waits for an answer of the agent counts, whatever kind of job it is."""
    kinds = [set(labels["kind"].split("|")) for _, labels in _asked(expression) if "kind" in labels]

    assert [each for each in kinds if each & {*ASKING} and not each >= {*ASKING}] == []


@expressions
def test_groups_by_labels_that_are_there(expression: str, measured: dict[str, set[str]]) -> None:
    """A sum by a label that no series has would put everything together in silence."""
    grouped = {
        label.strip()
        for labels in re.findall(r"\b(?:by|on) ?\(([^)]*)\)", expression)
        for label in labels.split(",")
    }
    there = set().union(*(measured.get(name, set()) for name, _ in _asked(expression)))

    assert grouped <= there | FROM_PROMETHEUS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alert_says_how_bad_it_is_and_what_it_means(rule: Any) -> None:
    """In one sentence, and the runbook has the rest."""
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    assert f"| `{rule['alert']}` |" in (DEPLOY / "README.md").read_text()


async def test_alerts_begin_and_end_when_they_should() -> None:
    """Also with the first count of a series, and with what has never worked."""
    process = await asyncio.create_subprocess_exec(
        *(required_program("promtool"), "test", "rules", str(CASES)), stderr=asyncio.subprocess.PIPE
    )
    _, failures = await process.communicate()

    assert (process.returncode, failures.decode()) == (0, "")


def test_alerts_find_what_is_scraped() -> None:
    """Every series that a scrape brings has the job name that the rules ask for."""
    asked = {name for rule in RULES for name in re.findall(r'job="([^"]*)"', rule["expr"])}

    assert {_job(scrape) for scrape in SCRAPES} == asked == {"equabot-bridge"}
    assert len({scrape["job_name"] for scrape in SCRAPES}) == len(SCRAPES)


def test_pods_are_found_by_what_the_manifest_gives_them() -> None:
    """Their label and the name of their port; no annotation makes another job of them."""
    manifests = documents(DEPLOY / "kubernetes" / "bridge.yaml")
    pod = next(each["spec"]["template"] for each in manifests if each["kind"] == "Deployment")
    port = pod["spec"]["containers"][0]["ports"][0]["name"]
    keep = next(rule for scrape in SCRAPES for rule in _relabellings(scrape) if rule.get("action") == "keep")

    assert keep["source_labels"] == [
        "__meta_kubernetes_pod_label_app_kubernetes_io_name",
        "__meta_kubernetes_pod_container_port_name",
    ]
    assert keep["regex"] == f"{pod['metadata']['labels']['app.kubernetes.io/name']};{port}"
    assert "annotations" not in pod["metadata"]


def test_dashboard_can_be_imported_anywhere() -> None:
    """It names no data source of its own, and its panels lie side by side."""
    cells = [cell for panel in DASHBOARD["panels"] for cell in _cells(panel["gridPos"])]

    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {"${source}"}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def _asked(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each metric that is asked for, with the values of its labels."""
    found = re.findall(r"\b(equabot_bridge_\w+|process_\w+|up)\b(?:\{([^}]*)\})?", expression)
    for name, matchers in found:
        yield name, dict(re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"', matchers))


def _relabellings(scrape: Any) -> list[Any]:
    return list(scrape.get("relabel_configs", ()))


def _job(scrape: Any) -> str:
    """Return the job that a target's series name: the scrape's own unless it is relabelled."""
    named = [rule["replacement"] for rule in _relabellings(scrape) if rule.get("target_label") == "job"]
    return str((named or [scrape["job_name"]])[-1])


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y
