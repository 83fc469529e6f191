"""The variables of a bridge that lets people in."""

from bridge.sandbox import equa
from bridge.sandbox.mattermost import Server
from bridge.secrets.key_ring import new_key


def environ_of(dsn: str, mattermost: Server, platform: equa.Server, **more: str) -> dict[str, str]:
    """Return what such a bridge needs, with a bot of its own; it never asks the agent."""
    store = mattermost.store
    return {
        "DATABASE_URL": dsn,
        "TOKEN_KEYS": f"k1:{new_key()}",
        "MATTERMOST_URL": mattermost.url,
        "MATTERMOST_ADMIN_BOT_TOKEN": store.admin_token,
        "MATTERMOST_BOT_TOKEN": store.create_token(store.create_bot("equabot")).token,
        "EQUA_API_URL": platform.api_url,
        "AGENT_URL": "http://127.0.0.1:9",
        **more,
    }
