"""What Prometheus reads."""

import re
import time

from prometheus_client.parser import text_string_to_metric_families

from bridge.metrics import CHANGES, OUTCOMES, SOCKET_STATES, Backlog, Metrics, MonthlyUsage


def _samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name.removeprefix("equabot_bridge_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_events_are_counted() -> None:
    """Each method moves its own series."""
    metrics = Metrics()
    metrics.caught_up(200)
    metrics.caught_up(0)
    metrics.job("mention", "done")
    metrics.agent_call("ok", 0.4)
    metrics.rest_call("create_post", "201", 0.02)
    metrics.http_request("/healthz", 200, 0.001)

    samples = _samples(metrics)
    assert samples["catch_up_runs_total", ()] == 2
    assert samples["catch_up_posts_total", ()] == 200
    assert samples["jobs_finished_total", (("kind", "mention"), ("outcome", "done"))] == 1
    assert samples["agent_call_seconds_sum", (("outcome", "ok"),)] == 0.4
    assert samples["mattermost_call_seconds_count", (("endpoint", "create_post"), ("status", "201"))] == 1
    assert samples["http_request_seconds_count", (("route", "/healthz"), ("status", "200"))] == 1


def test_the_socket_is_in_one_state() -> None:
    """The gauge is 1 for it and 0 for the others, and every connection is counted."""
    metrics = Metrics()
    for state in ("connecting", "connected", "disconnected", "connecting", "connected"):
        metrics.socket_state(state)

    samples = _samples(metrics)
    states = {state: samples["socket_state", (("state", state),)] for state in SOCKET_STATES}
    assert states == dict.fromkeys(SOCKET_STATES, 0) | {"connected": 1}
    assert samples["socket_connections_total", ()] == 2


def test_the_socket_is_looked_at_when_figures_are_asked_for() -> None:
    """Nothing of it is sampled; before there is one, nothing waits and nothing was heard."""
    metrics, queue = Metrics(), [1, 2]
    names = "socket_queue", "socket_last_frame_timestamp_seconds"
    assert [_samples(metrics)[name, ()] for name in names] == [0, 0]

    metrics.watch(lambda: len(queue), lambda: 1_700_000_000.5)
    queue.append(3)

    assert [_samples(metrics)[name, ()] for name in names] == [3, 1_700_000_000.5]


def test_channels_that_may_be_unread_are_told() -> None:
    """None at first."""
    metrics = Metrics()
    assert _samples(metrics)["catch_up_unread_channels", ()] == 0

    metrics.unread(3)

    assert _samples(metrics)["catch_up_unread_channels", ()] == 3


def test_an_inbox_that_has_emptied_shows_nothing() -> None:
    """A kind and state without jobs keeps no old value."""
    metrics = Metrics()
    metrics.inbox([Backlog("mention", "waiting", 3, 12.5), Backlog("mention", "running", 1, 2.0)])
    metrics.inbox([Backlog("mention", "running", 2, 4.0)])

    samples = {name: value for name, value in _samples(metrics).items() if name[0].startswith("inbox")}
    running = (("kind", "mention"), ("state", "running"))
    assert samples == {("inbox_jobs", running): 2, ("inbox_oldest_age_seconds", running): 4}


def test_an_answer_is_measured_from_its_question() -> None:
    """In seconds, and never negative although the clocks differ."""
    metrics = Metrics()
    now = round(time.time() * 1000)
    metrics.answered("answered", now - 3000)
    metrics.answered("failed", now + 60_000)

    samples = _samples(metrics)
    assert 2.9 < samples["answer_latency_seconds_sum", (("outcome", "answered"),)] < 13
    assert samples["answer_latency_seconds_sum", (("outcome", "failed"),)] == 0


def test_what_alerts_count_is_there_before_it_happens() -> None:
    """At 0: Prometheus takes the first count for an increase only if it knows what was before."""
    samples = _samples(Metrics())

    assert {samples["reconcile_people_total", (("change", change),)] for change in CHANGES} == {0}
    assert {samples["answer_latency_seconds_count", (("outcome", each),)] for each in OUTCOMES} == {0}


def test_two_daemons_in_one_process_count_apart() -> None:
    """The registry is the object's own."""
    one, other = Metrics(), Metrics()
    one.job("mention", "done")

    assert ("jobs_finished_total", (("kind", "mention"), ("outcome", "done"))) not in _samples(other)


def test_names_have_a_prefix_and_base_units() -> None:
    """As Prometheus recommends; what the process and Python tell keeps its usual names."""
    names = {family.name for family in text_string_to_metric_families(Metrics().render().decode())}

    ours = {name for name in names if not name.startswith(("process_", "python_"))}
    assert len(ours) >= 12
    assert all(re.fullmatch(r"equabot_bridge_[a-z_]+", name) for name in ours)
    assert not any(re.search(r"_(ms|milliseconds|minutes)", name) for name in ours)


def test_few_organizations_have_usage_of_their_own() -> None:
    """However many there are; those behind the hundredth are one."""
    metrics = Metrics()
    metrics.usage([MonthlyUsage("gone", {"failed": 1}, 1, 1, 1.0)])
    metrics.usage(
        MonthlyUsage(f"organization-{number}", {"answered": 2}, 30, 4, 0.5) for number in range(300)
    )

    samples = _samples(metrics)
    apart = [labels for name, labels in samples if name == "usage_cost"]
    assert len(apart) == 101
    assert samples["usage_tokens", (("direction", "in"), ("organization", "other"))] == 200 * 30
    assert samples["usage_questions", (("organization", "other"), ("outcome", "answered"))] == 400
    assert samples["usage_cost", (("organization", "organization-99"),)] == 0.5
