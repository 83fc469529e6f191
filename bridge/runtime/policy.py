"""What the operator's settings say about questions."""

from bridge.config import Settings
from bridge.routing import Policy


def question_policy(settings: Settings) -> Policy:
    limit = settings.ask_limit
    return Policy(settings.follow_ups, limit.at_once, limit.an_hour)
