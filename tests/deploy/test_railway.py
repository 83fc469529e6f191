"""railway.toml: what is built, what is asked, and how one bridge follows another."""

import tomllib

from bridge.worker import WorkerConfig
from handlers.http.app import ROUTES
from tests.support.deployment import DEPLOY, ROOT

CONFIG = tomllib.loads((DEPLOY / "railway.toml").read_text())


def test_builds_the_bridge_from_what_is_there() -> None:
    """The Dockerfile exists, and so does everything whose change leads to a new deployment."""
    build = CONFIG["build"]
    watched = [pattern.removesuffix("/**").removeprefix("/") for pattern in build["watchPatterns"]]

    assert build["builder"] == "DOCKERFILE"
    assert (ROOT / build["dockerfilePath"]).is_file()
    assert all((ROOT / path).exists() for path in watched)


def test_asks_a_route_that_needs_nobody_else() -> None:
    """While Mattermost is away a new bridge is as good as the old one."""
    assert CONFIG["deploy"]["healthcheckPath"] == "/healthz"
    assert "/healthz" in {route.path for route in ROUTES}


def test_old_bridge_has_time_for_what_is_in_hand() -> None:
    """It is killed only after its own deadline."""
    assert CONFIG["deploy"]["drainingSeconds"] > WorkerConfig().stop
