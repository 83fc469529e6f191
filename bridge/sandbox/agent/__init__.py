"""An agent gateway for tests and the demo, with faults that can be switched on."""

from bridge.sandbox.agent.knowledge import Organization, Stake
from bridge.sandbox.agent.requests import Call
from bridge.sandbox.agent.server import SandboxAgent, create_app

__all__ = ["Call", "Organization", "SandboxAgent", "Stake", "create_app"]
