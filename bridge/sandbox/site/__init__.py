"""The demo's web app: pages of the sandbox's Equa, where one is somebody and opens Messaging.

    equa = Server(pages=site.pages(demo_data.COMPANIES, bridge_url="http://127.0.0.1:8090", token="…"))

Who picks a person gets Equa's session cookie; on one host it reaches the bridge too, whatever the port. The
buttons do what Equa's own forms would: they change the sandbox's Equa and tell the bridge, as the platform
does, with a bearer token that the browser never sees.
"""

from bridge.sandbox.site.routes import pages

__all__ = ["pages"]
