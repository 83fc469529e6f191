"""equabot-bridge: team chat on one side, the agent of each organization on the other."""

__version__ = "0.2.0"
