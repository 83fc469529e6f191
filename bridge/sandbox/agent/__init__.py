"""An agent gateway that one can talk to, and make fail."""

from bridge.sandbox.agent.answers import Holding, Organization
from bridge.sandbox.agent.requests import Call
from bridge.sandbox.agent.server import SandboxAgent, create_app

__all__ = ["Call", "Holding", "Organization", "SandboxAgent", "create_app"]
