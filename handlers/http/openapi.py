"""`GET /openapi.json`: what this API is, made from the table of routes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import groupby
from operator import attrgetter
from typing import Any

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from bridge.errors import BridgeError, NoBearer, NotFound, TooManyRequests, Unavailable
from handlers.http.route import HTML, JSON, Caller, Reply, Route, Schema

_REQUEST_ID: Schema = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Stands in the answer and in every line of the log. 1 to 64 of `A-Z a-z 0-9 . _ -`; "
    "any other is replaced by one of ours.",
    "schema": {"type": "string"},
}

_ERROR: Schema = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "A stable code.", "examples": ["not_found"]},
        "message": {"type": "string", "description": "A sentence for people."},
    },
}

_SCHEMES: Mapping[Caller, tuple[str, ...]] = {
    "peer": ("peer",),
    "platform": ("platform",),
    "platform or peer": ("platform", "peer"),
    "person": ("equaSession",),
}

_SECURITY: Schema = {
    "peer": {"type": "http", "scheme": "bearer", "description": "One of `GATEWAY_TOKENS`."},
    "platform": {"type": "http", "scheme": "bearer", "description": "One of `PLATFORM_TOKENS`."},
    "equaSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "connect.sid",
        "description": "Equa's session; `EQUA_SESSION_COOKIES` names the cookies it may have.",
    },
}


class _Schemas:
    """Schemas of models; those that models refer to are collected as components."""

    def __init__(self) -> None:
        self.components: dict[str, Any] = {"Error": _ERROR}

    def of(self, model: Any, mode: JsonSchemaMode) -> Schema:
        template = "#/components/schemas/{model}"
        schema = TypeAdapter(model).json_schema(mode=mode, ref_template=template)
        self.components.update(schema.pop("$defs", {}))
        return schema


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of all these routes."""
    schemas = _Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "equabot-bridge",
            "version": version("equabot-bridge"),
            "summary": "The bridge between team chat and an organization's AI agent.",
        },
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY},
    }


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.operation,
        "parameters": [*_parameters(route, schemas), _REQUEST_ID],
        "responses": {**_errors(route), **_replies(route, schemas)},
    }
    if route.description:
        operation["description"] = route.description
    if route.caller in _SCHEMES:
        operation["security"] = [{scheme: []} for scheme in _SCHEMES[route.caller]]
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _body(route.body, schemas)}
    return operation


def _parameters(route: Route, schemas: _Schemas) -> Iterator[Schema]:
    for where, model in (
        ("path", route.path_model),
        ("query", route.query_model),
        ("header", route.header_model),
    ):
        if model is None:
            continue
        schema = schemas.of(model, "validation")
        for name, described in schema["properties"].items():
            yield {
                "name": name,
                "in": where,
                "required": name in schema.get("required", ()),
                "description": described.get("description", ""),
                "schema": described,
            }


def _body(body: Mapping[str, Schema] | type[BaseModel], schemas: _Schemas) -> Schema:
    if isinstance(body, type):
        return {JSON: {"schema": schemas.of(body, "validation")}}
    return {content_type: {"schema": schema} for content_type, schema in body.items()}


def _replies(route: Route, schemas: _Schemas) -> dict[str, Schema]:
    return {str(status): _reply(reply, schemas) for status, reply in route.replies.items()}


def _reply(reply: Reply, schemas: _Schemas) -> Schema:
    described: dict[str, Any] = {"description": reply.description}
    if reply.model is not None:
        schema = schemas.of(reply.model, "serialization")
        described["content"] = {each: {"schema": schema} for each in reply.content_types}
        described["content"] |= {each: {"schema": {"type": "string"}} for each in reply.text_types}
    if reply.headers:
        described["headers"] = _headers(reply.headers)
    return described


def _headers(headers: Mapping[str, str]) -> Schema:
    return {
        name: {"description": text, "schema": {"type": "string"}, "required": True}
        for name, text in headers.items()
    }


def _errors(route: Route) -> dict[str, Schema]:
    by_status = groupby(sorted(route.errors, key=attrgetter("status")), attrgetter("status"))
    return {str(status): _error(route, list(errors)) for status, errors in by_status}


def _error(route: Route, errors: list[type[BridgeError]]) -> Schema:
    schema: Schema = {"$ref": "#/components/schemas/Error"}
    described: dict[str, Any] = {
        "description": " · ".join(f"`{error.code}`" for error in errors),
        "content": {JSON: {"schema": schema}},
    }
    if route.error_page:
        described["content"][HTML] = {"schema": {"type": "string"}}
    headers = {}
    if all(issubclass(error, NoBearer) for error in errors):
        headers["WWW-Authenticate"] = "`Bearer`"
    if all(issubclass(error, TooManyRequests | Unavailable) for error in errors):
        headers["Retry-After"] = "Seconds."
    if headers:
        described["headers"] = _headers(headers)
    return described


def described(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return the routes and one more, which serves the document of them all."""

    async def openapi(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=JSON)

    own = Route(
        method="GET",
        path="/openapi.json",
        handler=openapi,
        operation="openapi",
        summary="This document",
        errors=(NotFound,),
        internal=True,
        replies={200: Reply("OpenAPI 3.1.", dict[str, Any])},
    )
    every = (*routes, own)
    body = json.dumps(document(every), ensure_ascii=False, indent=2).encode()
    return every
