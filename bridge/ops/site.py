"""How the configuration describes the Mattermost server."""

from bridge.config import Settings
from bridge.ops.settings import Site
from provisioning.default_channels import NOTICES, TOWN_SQUARE


def site_of(settings: Settings, url: str) -> Site:
    """Return the description of the server at `url`."""
    channels = dict.fromkeys((*NOTICES, settings.agent_channel))
    channels.pop(TOWN_SQUARE)
    return Site(url, settings.mattermost_public_url, settings.web_origins, tuple(channels))
