"""Every six hours all teams are made to match their rosters, by one process for all of them.

What was told and missed, or never told, is put right then; how much that was shows whether the platform's
events arrive.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from bridge.db.chores import Chores
from bridge.errors import BridgeError, DatabaseUnavailable, Unavailable
from bridge.metrics import Drift, Metrics
from bridge.models import OrganizationId
from bridge.retry import spread
from provisioning.readings import Readings
from provisioning.report import Report
from provisioning.sync import TeamSync

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=6)

_CHORE = "reconcile"
_LOOK_EVERY = timedelta(minutes=10)
