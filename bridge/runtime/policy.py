"""What the operator's settings say about questions, and what organizations can choose."""

from bridge.config import Settings
from bridge.models.organization_settings import NO_BUDGET, Bounds
from bridge.routing import Policy


def question_policy(settings: Settings) -> Policy:
    limit = settings.ask_limit
    return Policy(settings.follow_ups, limit.at_once, limit.an_hour)


def organization_bounds(settings: Settings) -> Bounds:
    """Return what organizations can choose at most."""
    costs_known = settings.agent_prices is not None
    return Bounds(settings.approvers, settings.follow_ups, settings.budget or NO_BUDGET, costs_known)
