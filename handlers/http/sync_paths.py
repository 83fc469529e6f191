"""What the document says of `handlers.http.sync`."""

from handlers.http.identifiers import UUID_PATTERN
from handlers.http.openapi import CHANGE_ERRORS, COOKIE, WAIT, Paths, Schema, answer, error
from handlers.http.sync import PATH, PATH_OF_ONE

_UUID: Schema = {"type": "string", "pattern": f"^{UUID_PATTERN}$"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def _parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": _UUID}


_FAILURE: Schema = {
    "type": "object",
    "required": ["personId", "error", "message"],
    "properties": {
        "personId": {
            "type": ["string", "null"],
            "description": "The person's id in Equa; null for what is about the roster as a whole.",
        },
        "error": {
            "type": "string",
            "description": "A stable code: `no_email`, `two_emails`, `duplicate`, `duplicate_email`, `left`,"
            " `not_in_channel`, `roster_unreadable`, `nobody_removed`, or one of this API's.",
        },
        "message": {"type": "string", "description": "A sentence for people."},
    },
    "additionalProperties": False,
}

_REPORT: Schema = {
    "organizationId": _UUID,
    "created": {**_COUNT, "description": "Accounts."},
    "added": {**_COUNT, "description": "People put into the team, those with new accounts included."},
    "removed": _COUNT,
    "unchanged": _COUNT,
    "failed": {"type": "array", "items": _FAILURE},
}


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


_STARTED = _object({"status": {"const": "running"}, "job": _UUID})

_STATES: Schema = {
    "oneOf": [
        _object(
            {
                "status": {"const": "running"},
                "job": _UUID,
                "done": {**_COUNT, "description": "People dealt with."},
                "total": {**_COUNT, "description": "People whom it is about; 0 until that is known."},
            }
        ),
        _object({"status": {"const": "done"}, "job": _UUID, **_REPORT}),
        _object(
            {
                "status": {"const": "failed"},
                "job": _UUID,
                "error": {"type": "string"},
                "message": {"type": "string"},
            }
        ),
    ]
}


def _preflight(operation: str) -> Schema:
    return {
        "summary": "What a page of another origin may send here",
        "operationId": operation,
        "responses": {
            "204": {"description": "Pages of `WEB_ORIGINS` may call it with the person's cookies."},
            "400": error("invalid_request"),
            "403": error("forbidden_origin"),
        },
    }


PATHS: Paths = {
    PATH: {
        "parameters": [_parameter("orgId")],
        "options": _preflight("syncPreflight"),
        "post": {
            "summary": "Make an organization's team match its roster",
            "description": "For its administrators. While one goes on, another request joins it. Nobody is"
            " removed whom the bridge has not put there, or while the roster may be incomplete.",
            "operationId": "syncOrganization",
            **COOKIE,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "responses": {
                "200": answer("What was done.", _object(_REPORT)),
                "202": answer("It takes longer; ask at `…/{job}`.", _STARTED),
                **CHANGE_ERRORS,
                "403": error("not_an_admin", "not_a_member", "forbidden_origin"),
                "409": error("sync_refused"),
            },
        },
    },
    PATH_OF_ONE: {
        "parameters": [_parameter("orgId"), _parameter("job")],
        "options": _preflight("syncStatePreflight"),
        "get": {
            "summary": "How far a sync is, and what it has come to",
            "operationId": "syncState",
            **COOKIE,
            "responses": {
                "200": answer("The sync.", _STATES),
                "400": error("invalid_request"),
                "401": error("not_signed_in"),
                "403": error("not_an_admin"),
                "404": error("not_found"),
                "429": error("too_many_requests", Retry_After=WAIT),
                "500": error("mattermost_not_configured"),
                "503": error("equa_unavailable", "database_unavailable", Retry_After=WAIT),
            },
        },
    },
}
