"""What the daemon counts and measures, in Prometheus' words and base units."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bridge.models.answers import StopCause
from bridge.models.approvals import (
    ApprovalRequested,
    ApprovalResolved,
    ControlEvent,
    ControlState,
    Pending,
    QuestionRequested,
    QuestionResolved,
)
from bridge.models.chat import ChannelProblem
from bridge.models.jobs import RepairCause

CONTENT_TYPE = CONTENT_TYPE_LATEST

CHANGES = ("created", "added", "removed")
CHANNEL_PROBLEMS: tuple[ChannelProblem, ...] = get_args(ChannelProblem)
OUTCOMES = ("answered", "failed")
SignInOutcome = Literal["done", "refused", "client_refused"]
"""The last: somebody, probably Mattermost, has another secret than the bridge."""
STOP_CAUSES: tuple[StopCause, ...] = get_args(StopCause)
CONTROL_STATES = ("on", "off")
SOCKET_STATES = ("connecting", "connected", "disconnected", "unauthorised", "closed")

_CONTROL_EVENTS: Mapping[type[ControlEvent], str] = {
    ApprovalRequested: "approval_requested",
    ApprovalResolved: "approval_resolved",
    QuestionRequested: "question_requested",
    QuestionResolved: "question_resolved",
}

_CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ANSWERS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)


_APART = 100
"""Organizations whose ratings and usage are recorded apart; those of all others are one."""


@dataclass(frozen=True, slots=True)
class RatingCount:
    """How often an organization's answers were rated each way."""

    organization: str
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class MonthlyUsage:
    """What an organization's agent has done since the first of the month."""

    organization: str
    outcomes: Mapping[str, int]
    """Questions by what has become of them."""
    prompt_tokens: int
    completion_tokens: int
    cost: float
    """As far as it is known."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many jobs of a kind are in a state, and for how many seconds the oldest has been there."""

    kind: str
    state: str
    jobs: int
    oldest: float


_APPROVALS = ("asked", "approved", "denied", "refused", "expired", "withdrawn", "elsewhere")


class Metrics:
    """One registry with everything in it; labels take only values from small fixed sets.

    What alerts take an increase of is there from the start: of a series that begins with its first count
    Prometheus' increase() sees nothing.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._define_websocket()
        self._define_jobs()
        self._define_calls()
        self._define_teams()
        self._start_at_zero()

    def _define_websocket(self) -> None:
        self._socket = self._gauge("socket_state", "1 for the state that the websocket is in.", "state")
        self._connections = self._counter("socket_connections", "Times the websocket has become connected.")
        self._queue = self._gauge("socket_queue", "Events of the websocket that wait to be taken.")
        self._frame = self._gauge(
            "socket_last_frame_timestamp_seconds", "When the websocket was last heard; 0 if never."
        )
        self._unread = self._gauge(
            "catch_up_unread_channels",
            "Channels in which posts may be unread; without those that Mattermost does not let the bot read.",
        )
        self._runs = self._counter("catch_up_runs", "Times missed posts were fetched over REST.")
        self._posts = self._counter("catch_up_posts", "Posts fetched by that.")

    def _define_jobs(self) -> None:
        self._inbox = self._gauge("inbox_jobs", "Jobs in the inbox.", "kind", "state")
        self._oldest = self._gauge("inbox_oldest_age_seconds", "Age of the oldest job.", "kind", "state")
        self._jobs = self._counter("jobs_finished", "Ends of attempts at jobs.", "kind", "outcome")
        self._answers = self._histogram("answer_latency_seconds", "From post to reply.", _ANSWERS, "outcome")

        self._ratings = self._gauge(
            "answers_rated",
            "Answers of the last 90 days that people rate, by the 100 organizations with the most ratings.",
            "organization",
            "rating",
        )
        month = "since the first of the month (UTC), by the 100 organizations with the most tokens."
        self._questions = self._gauge("usage_questions", f"Questions {month}", "organization", "outcome")
        self._tokens = self._gauge("usage_tokens", f"Reported tokens {month}", "organization", "direction")
        self._cost = self._gauge("usage_cost", f"Cost by AGENT_PRICES {month}", "organization")
        self._slowest = self._gauge(
            "slowest_organization_seconds",
            "Half of this organization's answers of the last hour took longer: of no other was it so long.",
            "organization",
        )
        self._growing = self._gauge("answers_growing", "Answers that come in at the moment.")
        self._edits = self._counter("answer_edits", "Edits of posts of answers that were not whole yet.")
        self._approvals = self._counter(
            "approvals", "Tool calls that people were asked about, and what came of it.", "outcome"
        )
        self._pending = self._gauge("approvals_pending", "Tool calls that wait for a decision.")
        self._pending_age = self._gauge(
            "approvals_pending_oldest_seconds", "How long the oldest of them has waited."
        )
        self._presses = self._counter(
            "button_presses", "Presses of buttons, by whether they are ours.", "button"
        )
        self._stops = self._counter("answers_stopped", "Answers that a person stopped or corrected.", "cause")

    def _define_calls(self) -> None:
        self._agent = self._histogram("agent_call_seconds", "Calls of the agent.", _ANSWERS, "outcome")
        self._rest = self._histogram(
            "mattermost_call_seconds", "Calls of Mattermost's REST interface.", _CALLS, "endpoint", "status"
        )
        self._http = self._histogram("http_request_seconds", "Requests served.", _CALLS, "route", "status")
        self._served: dict[tuple[str, int], Histogram] = {}
        self._control = self._gauge(
            "agent_control_state",
            "1 for the state of the side channel to the gateway; nothing where none is wanted.",
            "state",
        )
        self._control_events = self._counter(
            "agent_control_events",
            "Approvals and questions of agents, as the gateway reported them.",
            "event",
        )
        self._files = self._counter("files_read", "Files that people have attached to questions.", "outcome")
        self._sign_ins = self._counter(
            "sign_ins", "Times Mattermost asked who signs in, by what it was told.", "outcome"
        )
        self._processes = self._gauge("processes", "Bridges on the database that are alive.")
        self._failovers = self._counter(
            "database_failovers", "Times another server has become the primary of the database."
        )
        self._visitors = self._gauge(
            "visitors",
            "Different people since the start, and their addresses; 1,000 at most.",
            "of",
        )

    def _define_teams(self) -> None:
        self._drift = self._counter(
            "reconcile_people", "People that reconciling added or removed because no event had.", "change"
        )
        self._reconciled = self._counter(
            "reconcile_organizations",
            "Organizations whose teams were compared with their rosters.",
            "outcome",
        )
        self._success = self._gauge(
            "reconcile_success_timestamp_seconds", "When all organizations were last reconciled; 0 if never."
        )
        self._begun = self._gauge(
            "reconcile_begun_timestamp_seconds", "Since when organizations are to be reconciled; 0 if not."
        )
        self._channel_problems = self._gauge(
            "default_channel_problems",
            "Default channels that the bridge could not put right: private, or another has their name.",
            "problem",
        )
        self._repairs = self._counter(
            "repairs", "Repairs of teams after somebody changed a default channel or the bot in it.", "cause"
        )

    def _start_at_zero(self) -> None:
        """Create every series that an alert takes an increase of."""
        for problem in CHANNEL_PROBLEMS:
            self._channel_problems.labels(problem).set(0)
        self.visitors(people=0, addresses=0)
        for cause in get_args(RepairCause):
            self._repairs.labels(cause)
        for change in CHANGES:
            self._drift.labels(change)
        for stop in STOP_CAUSES:
            self._stops.labels(stop)
        for event in _CONTROL_EVENTS.values():
            self._control_events.labels(event)
        for outcome in OUTCOMES:
            self._answers.labels(outcome)
        for told in get_args(SignInOutcome):
            self._sign_ins.labels(told)
        self._start_approvals()

    def _start_approvals(self) -> None:
        for outcome in _APPROVALS:
            self._approvals.labels(outcome)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def socket_state(self, state: str) -> None:
        """Record the state that the websocket has changed to."""
        for known in SOCKET_STATES:
            self._socket.labels(known).set(known == state)
        if state == "connected":
            self._connections.inc()

    def watch(self, waiting: Callable[[], float], last_frame: Callable[[], float]) -> None:
        """Look at the websocket whenever the figures are asked for: its queue, when it was last heard."""
        self._queue.set_function(waiting)
        self._frame.set_function(last_frame)

    def unread(self, channels: int) -> None:
        """Record in how many channels something may be unread."""
        self._unread.set(channels)

    @property
    def unread_channels(self) -> int:
        """In how many channels something may be unread."""
        return int(self.registry.get_sample_value("equabot_bridge_catch_up_unread_channels") or 0)

    def file_read(self, outcome: str) -> None:
        """Count a file of a question: read, cut, or why it was not read."""
        self._files.labels(outcome).inc()

    def caught_up(self, posts: int) -> None:
        """Count a run of the catch-up and the posts that it read."""
        self._runs.inc()
        self._posts.inc(posts)

    def inbox(self, backlogs: Iterable[Backlog]) -> None:
        """Record what the inbox holds now; kinds and states not named hold nothing."""
        self._inbox.clear()
        self._oldest.clear()
        for backlog in backlogs:
            self._inbox.labels(backlog.kind, backlog.state).set(backlog.jobs)
            self._oldest.labels(backlog.kind, backlog.state).set(backlog.oldest)

    def ratings(self, counts: Iterable[RatingCount]) -> None:
        """Record how answers are rated, given by organization, those with the most ratings first."""
        self._ratings.clear()
        for number, count in enumerate(counts):
            organization = count.organization if number < _APART else "other"
            self._ratings.labels(organization, "up").inc(count.up)
            self._ratings.labels(organization, "down").inc(count.down)

    def slowest(self, organization: str, seconds: float) -> None:
        """Record the organization whose answers take longest; none if it is empty."""
        self._slowest.clear()
        if organization:
            self._slowest.labels(organization).set(seconds)

    def usage(self, months: Iterable[MonthlyUsage]) -> None:
        """Record what agents have done this month, given by organization, the most tokens first."""
        for gauge in (self._questions, self._tokens, self._cost):
            gauge.clear()
        for number, month in enumerate(months):
            organization = month.organization if number < _APART else "other"
            for outcome, questions in month.outcomes.items():
                self._questions.labels(organization, outcome).inc(questions)
            self._tokens.labels(organization, "in").inc(month.prompt_tokens)
            self._tokens.labels(organization, "out").inc(month.completion_tokens)
            self._cost.labels(organization).inc(month.cost)

    def job(self, kind: str, outcome: str) -> None:
        """Count the end of an attempt at a job."""
        self._jobs.labels(kind, outcome).inc()

    def answered(self, outcome: str, create_at: int) -> None:
        """Measure how long somebody waited, given when they posted (milliseconds, by Mattermost's clock)."""
        self._answers.labels(outcome).observe(max(0.0, time.time() - create_at / 1000))

    def growing(self) -> AbstractContextManager[None]:
        """Count an answer for as long as it comes in."""
        return self._growing.track_inprogress()

    def edited(self) -> None:
        """Count an edit of an answer that is not whole yet."""
        self._edits.inc()

    def stopped(self, cause: StopCause) -> None:
        """Count an answer that a person has stopped, or corrected the question of."""
        self._stops.labels(cause).inc()

    def approval(self, outcome: str) -> None:
        """Count an approval that was asked for, a try to decide that was refused, or an end."""
        self._approvals.labels(outcome).inc()

    def approvals_pending(self, number: int, oldest: float) -> None:
        """Record how many approvals wait, and for how many seconds the oldest does."""
        self._pending.set(number)
        self._pending_age.set(oldest)

    def press(self, button: Literal["known", "unknown"]) -> None:
        """Count the press of a button."""
        self._presses.labels(button).inc()

    def agent_call(self, outcome: str, seconds: float) -> None:
        """Measure a call of the agent."""
        self._agent.labels(outcome).observe(seconds)

    def control_state(self, state: ControlState) -> None:
        """Record whether the side channel to the gateway is of use."""
        for known in CONTROL_STATES:
            self._control.labels(known).set((known == "on") == state.is_on)

    def control_event(self, event: ControlEvent) -> None:
        """Count what a gateway reports of approvals and questions, but for its lists."""
        if not isinstance(event, Pending):
            self._control_events.labels(_CONTROL_EVENTS[type(event)]).inc()

    def rest_call(self, endpoint: str, status: int | str, seconds: float) -> None:
        """Measure a call of Mattermost; the endpoint without ids, the status or why there was none."""
        self._rest.labels(endpoint, status).observe(seconds)

    def http_request(self, route: str, status: int, seconds: float) -> None:
        """Measure a request that was served; the route is its template."""
        served = self._served.get((route, status))
        if served is None:
            served = self._served[route, status] = self._http.labels(route, status)
        served.observe(seconds)

    def channel_problems(self, problems: Mapping[ChannelProblem, int]) -> None:
        """Record how many default channels have each problem; one that is not named has none."""
        for problem in CHANNEL_PROBLEMS:
            self._channel_problems.labels(problem).set(problems.get(problem, 0))

    def signed_in(self, outcome: SignInOutcome) -> None:
        """Count an answer to Mattermost about who signs in."""
        self._sign_ins.labels(outcome).inc()

    def processes(self, alive: int) -> None:
        """Record how many bridges are alive on the database."""
        self._processes.set(alive)

    def failed_over(self) -> None:
        """Count a promotion of another database server."""
        self._failovers.inc()

    def visitors(self, *, people: int, addresses: int) -> None:
        """Record how many different people came, and from how many addresses."""
        self._visitors.labels("people").set(people)
        self._visitors.labels("addresses").set(addresses)

    def drift(self, *, created: int, added: int, removed: int) -> None:
        """Count what reconciling had to change for an organization."""
        for change, people in zip(CHANGES, (created, added, removed), strict=True):
            self._drift.labels(change).inc(people)

    def repaired(self, cause: RepairCause) -> None:
        """Count the repair of a team."""
        self._repairs.labels(cause).inc()

    def reconciled(self, outcome: str) -> None:
        """Count an organization whose team was compared with its roster."""
        self._reconciled.labels(outcome).inc()

    def reconciled_all(self, seconds_ago: float) -> None:
        """Record how long ago all organizations were reconciled, by whichever process."""
        self._success.set(time.time() - seconds_ago)

    def reconcile_begun(self, seconds_ago: float) -> None:
        """Record how long ago the reconciling of organizations began to be due, for whichever process."""
        self._begun.set(time.time() - seconds_ago)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"equabot_bridge_{name}_total", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"equabot_bridge_{name}", help_text, labels, registry=self.registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"equabot_bridge_{name}", help_text, labels, buckets=buckets, registry=self.registry)
