"""What the document says of `handlers.http.session`."""

from handlers.http.identifiers import UUID_PATTERN
from handlers.http.openapi import CHANGE_ERRORS, COOKIE, WAIT, Paths, Schema, answer, error

_SESSION: Schema = {
    "type": "object",
    "required": ["token", "baseUrl", "teamName", "mmUserId"],
    "properties": {
        "token": {
            "type": "string",
            "pattern": "^[a-z0-9]{26}$",
            "description": "Signs a browser in at `{baseUrl}/login/token`: once, within a minute.",
        },
        "baseUrl": {"type": "string", "format": "uri"},
        "teamName": {"type": "string", "description": "The organization's team, as it stands in addresses."},
        "mmUserId": {"type": "string", "pattern": "^[a-z0-9]{26}$"},
    },
    "additionalProperties": False,
}

_CONFIG: Schema = {
    "type": "object",
    "required": ["enabled", "baseUrl"],
    "properties": {
        "enabled": {"type": "boolean"},
        "baseUrl": {"type": ["string", "null"], "description": "Where the chat is; null unless enabled."},
    },
    "additionalProperties": False,
}


def _preflight(operation: str) -> Schema:
    return {
        "summary": "What a page of another origin may send here",
        "operationId": operation,
        "responses": {
            "204": {"description": "Pages of `WEB_ORIGINS` may call it with the person's cookies."},
            "403": error("forbidden_origin"),
        },
    }


PATHS: Paths = {
    "/api/v1/mattermost/session": {
        "options": _preflight("sessionPreflight"),
        "post": {
            "summary": "Let a member of an organization into its team",
            "description": "Founds the team and opens the account where they are missing. May be repeated.",
            "operationId": "createSession",
            **COOKIE,
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["organizationId"],
                            "properties": {
                                "organizationId": {"type": "string", "pattern": f"^{UUID_PATTERN}$"}
                            },
                        }
                    }
                },
            },
            "responses": {
                "200": answer("The session.", _SESSION),
                **CHANGE_ERRORS,
                "403": error("not_a_member", "forbidden_origin"),
                "409": error("account_conflict"),
            },
        },
    },
    "/api/v1/mattermost/config": {
        "options": _preflight("configPreflight"),
        "get": {
            "summary": "Whether there is a chat, and where",
            "operationId": "config",
            **COOKIE,
            "responses": {
                "200": answer("The configuration.", _CONFIG),
                "401": error("not_signed_in"),
                "429": error("too_many_requests", Retry_After=WAIT),
                "503": error("equa_unavailable", Retry_After=WAIT),
            },
        },
    },
}
