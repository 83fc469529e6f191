"""Identifiers as requests name them, checked before anything else happens."""

import re
from uuid import UUID

from bridge.errors import InvalidRequest
from bridge.models.equa import OrganizationId

UUID_PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""The usual form only; Python's `UUID` takes others too."""


def organization_id(given: object) -> OrganizationId:
    """Return the organization's id; raise `InvalidRequest` if it is none."""
    if not isinstance(given, str) or not re.fullmatch(UUID_PATTERN, given):
        raise InvalidRequest("organizationId has to be a UUID such as 7b0a8d0e-5c8c-4b7e-9f57-2f1f3a1c0d11.")
    return OrganizationId(UUID(given))
