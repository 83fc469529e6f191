"""The Equa platform: who somebody is, what they belong to, and who else does."""

from bridge.equa.client import EquaClient
from bridge.equa.http import make_session
from bridge.equa.service import ServiceAccount

__all__ = ["EquaClient", "ServiceAccount", "make_session"]
