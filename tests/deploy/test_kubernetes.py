"""The manifests: two bridges that may be replaced one by one, and nothing outside that belongs inside."""

import re
from typing import Any

import pytest

from bridge.worker import WorkerConfig
from handlers.http.app import ROUTES
from tests.support.deployment import DEPLOY, VARIABLES, documents, secrets

FILES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
ALL: list[Any] = [document for path in FILES for document in documents(path)]
DEPLOYMENTS: dict[str, Any] = {each["metadata"]["name"]: each for each in ALL if each["kind"] == "Deployment"}
INSIDE = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
OF_THE_CHAT = {"/login/token"} | {
    f"/login/equa/{each}" for each in ("authorize", "completion", "token", "user")
}
"""They come through the chat's proxy, whose cookies some set, or from Mattermost itself."""

deployments = pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS)


def _one(kind: str, name: str) -> Any:
    return next(each for each in ALL if (each["kind"], each["metadata"]["name"]) == (kind, name))


def _container(deployment: Any) -> Any:
    return deployment["spec"]["template"]["spec"]["containers"][0]


@deployments
def test_two_run_and_one_may_go(deployment: Any) -> None:
    """An update or a drained node leaves one that works."""
    name, labels = deployment["metadata"]["name"], deployment["spec"]["selector"]["matchLabels"]
    budget = _one("PodDisruptionBudget", name)["spec"]

    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert budget == {"minAvailable": 1, "selector": {"matchLabels": labels}}
    assert deployment["spec"]["template"]["metadata"]["labels"] == labels


@deployments
def test_service_sends_to_a_port_that_the_container_has(deployment: Any) -> None:
    """A Service finds the pods by their label, and the port by its name."""
    service = _one("Service", deployment["metadata"]["name"])["spec"]
    ports = {port["name"] for port in _container(deployment)["ports"]}

    assert service["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert {port["targetPort"] for port in service["ports"]} <= ports


@deployments
def test_container_has_few_rights_and_a_share_of_the_node(deployment: Any) -> None:
    """No root, no capability, no writable file system, no token of the cluster, an end to its memory."""
    pod, container = deployment["spec"]["template"]["spec"], _container(deployment)

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert "memory" in container["resources"]["limits"]
    assert re.search(r":\d+\.\d+\.\d+$", container["image"])


@deployments
def test_is_told_to_stop_only_after_requests_have_stopped(deployment: Any) -> None:
    """It waits before SIGTERM, and is not killed before it had time to finish."""
    pod, container = deployment["spec"]["template"]["spec"], _container(deployment)
    program, seconds = container["lifecycle"]["preStop"]["exec"]["command"]

    assert (program, int(seconds) > 0) == ("sleep", True)
    assert pod["terminationGracePeriodSeconds"] > int(seconds) + WorkerConfig().stop


def test_bridge_gets_requests_as_long_as_its_api_answers() -> None:
    """A refused bot token makes /readyz 503 in all replicas at once; team mappings must still be answered."""
    container = _container(DEPLOYMENTS["equabot-bridge"])
    probes = [container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]

    assert probes == [{"path": "/healthz", "port": "http"}] * 3
    assert "/healthz" in _paths()


def test_bridge_gets_variables_that_it_reads_and_secrets_from_the_secret() -> None:
    """Its ConfigMap holds nothing that must not be seen."""
    given = set(_one("ConfigMap", "equabot-bridge")["data"])

    assert given <= VARIABLES - secrets()
    assert _container(DEPLOYMENTS["equabot-bridge"])["envFrom"] == [
        {"configMapRef": {"name": "equabot-bridge"}},
        {"secretRef": {"name": "equabot-bridge"}},
    ]
    assert not [each for each in ALL if each["kind"] == "Secret"]


def test_proxy_gets_variables_that_it_reads() -> None:
    """Among them the addresses of the ingress controller, which names the browser's address."""
    known = re.findall(r"^\| `(\w+)`", (DEPLOY / "proxy" / "README.md").read_text(), re.MULTILINE)
    given = {each["name"] for each in _container(DEPLOYMENTS["mattermost-proxy"])["env"]}

    assert "TRUSTED_PROXIES" in given
    assert given <= set(known)


def test_ingress_lets_out_what_is_public_and_nothing_else() -> None:
    """The web app's host has three prefixes of the bridge, the chat's host has the proxy."""
    rules = {each["metadata"]["name"]: each["spec"]["rules"][0] for each in ALL if each["kind"] == "Ingress"}
    public = [path["path"] for path in rules["equabot-bridge"]["http"]["paths"]]
    chat = rules["chat"]["http"]["paths"]

    assert public == ["/api/v1/mattermost", "/messaging", "/static"]
    elsewhere = {path for path in _paths() if not path.startswith(tuple(f"{each}/" for each in public))}
    assert elsewhere == INSIDE | OF_THE_CHAT
    assert [each["backend"]["service"]["name"] for each in chat] == ["mattermost-proxy"]


def test_manifests_use_no_merge_keys() -> None:
    """kubectl refuses a key that a merge and the map itself both have."""
    assert not [path.name for path in FILES if "<<:" in path.read_text()]


def _paths() -> set[str]:
    return {route.path for route in ROUTES}
