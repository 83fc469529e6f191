"""The audit as a file for spreadsheets, sent page by page."""

from collections.abc import AsyncIterator, Sequence

import structlog
from aiohttp import web

from bridge.errors import DatabaseUnavailable
from bridge.models.audit import COLUMNS, AuditRow, cells
from bridge.text.spreadsheet import csv_text
from handlers.http.cors import share
from handlers.http.middleware import add_headers

CSV = "text/csv"

log = structlog.get_logger(__name__)


async def send_csv(request: web.Request, pages: AsyncIterator[Sequence[AuditRow]]) -> web.StreamResponse:
    """Send all rows; a database that goes away breaks the response off, so that it is not taken for whole."""
    first = await anext(pages, ())
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{CSV}; charset=utf-8",
            "Content-Disposition": 'attachment; filename="audit.csv"',
        }
    )
    add_headers(response, structlog.contextvars.get_contextvars()["request_id"])
    share(request, response)
    await response.prepare(request)
    await response.write(csv_text([COLUMNS, *map(cells, first)]).encode())
    try:
        async for page in pages:
            await response.write(csv_text(map(cells, page)).encode())
    except DatabaseUnavailable as error:
        log.warning("csv_broken_off", reason=error.message)
        if request.transport:
            request.transport.abort()
    return response
