"""`GET /api/v1/mattermost/audit/{orgId}`: what was decided, changed and refused in an organization."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from bridge.db.audit import Audit
from bridge.errors import (
    DatabaseUnavailable,
    EquaUnavailable,
    InvalidRequest,
    NotAnAdmin,
    NotSignedIn,
    TooManyRequests,
)
from bridge.models import audit
from bridge.models.audit import AUDIT_KINDS
from handlers.http import visitors
from handlers.http.app_keys import SERVICES
from handlers.http.audit_csv import CSV, send_csv
from handlers.http.audit_query import AuditQuery, next_cursor, read_query
from handlers.http.models import AnyUserId, AnyUuid, Model, OfOrganization, parsed, reply
from handlers.http.route import Reply, Route

_WANTS_CSV = re.compile(rf"(^|,)\s*{CSV}\s*($|[,;])", re.IGNORECASE)


class _AuditEntry(Model):
    id: int
    at: datetime
    kind: Annotated[str, Field(description=f"What happened: {', '.join(AUDIT_KINDS)}, or a later one.")]
    outcome: Annotated[str, Field(description="A code.")]
    username: Annotated[str | None, Field(description="Of the person's account in Mattermost, as it is now.")]
    person_id: Annotated[AnyUuid | None, Field(description="In Equa; null if nobody did it, or unknown.")]
    user_id: Annotated[AnyUserId | None, Field(description="In Mattermost; likewise.")]
    role: Annotated[
        str | None,
        Field(
            description="At that time: `admin`, `member`, `none`, or `asker`; null if nobody looked it up."
        ),
    ]
    via: Annotated[str, Field(description="By which way, such as `button`; `bridge` if nobody did it.")]
    subject: Annotated[str, Field(description="What it was done to, such as `post:` and an id.")]
    details: Annotated[Mapping[str, Any], Field(description="Codes and numbers.")]


class _AuditPage(Model):
    entries: Annotated[tuple[_AuditEntry, ...], Field(description="The newest first.")]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null if there is none.")]


async def read(request: web.Request) -> web.StreamResponse:
    """Answer an administrator of the organization, with a page or with all rows as CSV."""
    of = parsed(OfOrganization, request.match_info)
    await visitors.admin(request, of.org_id)
    query = read_query(request.query)
    rows = request.app[SERVICES].audit
    assert rows is not None
    if _wants_csv(request, query):
        return await send_csv(request, rows.pages(of.org_id, query.filter))
    return reply(await _page(rows, query, of))


def _wants_csv(request: web.Request, query: AuditQuery) -> bool:
    if query.format:
        return query.format == "csv"
    return _WANTS_CSV.search(",".join(request.headers.getall("Accept", ()))) is not None


async def _page(rows: Audit, query: AuditQuery, of: OfOrganization) -> _AuditPage:
    # One more tells whether there is another page.
    found = await rows.page(of.org_id, query.filter, after=query.cursor, limit=query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    return _AuditPage(
        entries=tuple(_AuditEntry.model_validate(audit.shown(row)) for row in page),
        next=next_cursor(page[-1]) if more else None,
    )


ROUTE = Route(
    method="GET",
    path="/api/v1/mattermost/audit/{orgId}",
    handler=read,
    operation="audit",
    summary="What was decided, stopped, changed and refused in an organization",
    description="For its administrators. Rows are only ever added, kept for 13 months, and hold no text of a"
    " question or an answer. As CSV all rows come at once.",
    caller="person",
    cors=True,
    head=False,
    path_model=OfOrganization,
    query_model=AuditQuery,
    replies={200: Reply("The rows.", _AuditPage, text_types=(CSV,))},
    errors=(InvalidRequest, NotSignedIn, NotAnAdmin, TooManyRequests, EquaUnavailable, DatabaseUnavailable),
)
