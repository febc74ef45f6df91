"""The OpenAPI 3.1 document, made from the tables of doors and questions, and a page that shows it without any script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from inspect import cleandoc
from typing import Any

import msgspec

from streams.registry import COMMANDS
from streams.web.bodies import body_of
from streams.web.checkout_route import CHECKOUT_PATH, CHECKOUT_SCOPES, EXAMPLE, CheckoutBody
from streams.web.command_routes import acts_body, commands_body
from streams.web.doors import BEHAVIOUR_PATH, DOORS, REQUESTS_PATH, Scope
from streams.web.examples import KNOWN, TOGETHER, body_example
from streams.web.operations import Operation
from streams.web.questions.question import WAIT_FOR, WAIT_MS, Parameter, Question
from streams.web.questions.recommending import ListWanted
from streams.web.sentences import TITLES

NO_FIELDS: frozenset[str] = frozenset()
REF = "#/components/schemas/{name}"
AT_ANY_TIME = (400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 503)
OF_COMMANDS = (409, 422)

ACCEPTED = {
    "type": "object",
    "required": ["request", "position", "events", "repeated"],
    "properties": {
        "request": {"type": "string", "description": "The key by which this may be asked again."},
        "position": {"type": "integer", "description": "The log's head right after it: `wait_for` this to read your write."},
        "events": {"type": "integer", "description": "How many facts it brought about."},
        "repeated": {"type": "boolean", "description": "Whether it was asked before, and this is the first answer again."},
    },
}
PREVIEW = {
    "type": "object",
    "required": ["dry_run", "accepted", "policy", "events"],
    "properties": {
        "dry_run": {"const": True},
        "accepted": {"type": "boolean", "description": "Whether it would happen."},
        "code": {"type": ["string", "null"], "description": "The code of the refusal."},
        "detail": {"type": ["string", "null"]},
        "policy": {"type": "integer", "description": "The version of the policy by which it was decided."},
        "events": {"type": "array", "items": {"type": "object"}, "description": "The facts that it would bring about."},
    },
}
PARTIAL = {
    "type": "object",
    "required": ["request", "refused", "position", "results"],
    "properties": {
        "request": {"type": "string"},
        "refused": {"type": "integer", "description": "How many acts were refused."},
        "position": {"type": "integer"},
        "results": {"type": "array", "items": {"type": "object"}, "description": "What came of each act, in order."},
    },
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people, in the asker's language."},
        "code": {"type": "string", "description": "For programs; stable."},
        "pointer": {"type": "string", "description": "A JSON Pointer to the field it is about."},
        "request": {"type": "string"},
        "position": {"type": "integer"},
    },
}


def document(questions: tuple[Question, ...], operations: tuple[Operation, ...]) -> bytes:
    """Return the document as JSON."""
    bodies = {command: _body(command) for command in DOORS}
    extra = [acts_body(NO_FIELDS), commands_body(NO_FIELDS), ListWanted, CheckoutBody, *{one.body for one in operations}]
    _, schemas = msgspec.json.schema_components([*bodies.values(), *extra], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for command, door in DOORS.items():
        paths.setdefault(door.path, {})[door.method.lower()] = _command(command, bodies[command])
    for question in questions:
        paths.setdefault(question.path, {})["get"] = _question(question)
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    paths[BEHAVIOUR_PATH] = {"post": _batch("behaviour", "Send up to 1,000 acts of shoppers.", "Behaviour")}
    paths[REQUESTS_PATH] = {"post": _batch("requests", "Send commands that happen together or not at all.", "Requests")}
    paths[CHECKOUT_PATH] = {"post": _checkout()}
    paths["/v1/recommendations"] = {"post": _recommendations()}
    paths["/v1/tokens"] = {"post": _tokens()}
    for path, words in (("/health/live", "Whether the server runs."), ("/health/ready", "Whether log and Redis answer.")):
        paths[path] = {"get": {**_plain(path, words), "security": []}}
    paths["/metrics"] = {"get": _plain("/metrics", "Figures for Prometheus.")}
    told = {
        "openapi": "3.1.0",
        "info": {"title": "Regulars", "version": "1", "description": "Commands and questions of a shop's membership."},
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**schemas, "Accepted": ACCEPTED, "Preview": PREVIEW, "Partial": PARTIAL, "Problem": PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    return msgspec.json.encode(told)


def _body(command: type) -> type[msgspec.Struct]:
    door = DOORS[command]
    return body_of(command, frozenset(path_names(door.path)))


def path_names(path: str) -> list[str]:
    """Return the names in braces of a path.

    >>> path_names("/v1/carts/{cart}/items/{product}")
    ['cart', 'product']
    """
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _command(command: type, body: type[msgspec.Struct]) -> dict[str, Any]:
    door = DOORS[command]
    description = f"{cleandoc(command.__doc__ or '')}\n\nWho may: {_who(door.scopes)}."
    return {
        "operationId": command.__name__,
        "tags": [COMMANDS[command].decider.name],
        "summary": _words(command.__name__),
        "description": description.strip(),
        "parameters": [*_path_parameters(door.path), IDEMPOTENCY, DRY_RUN],
        "requestBody": {
            "required": any(field.required for field in msgspec.structs.fields(body)),
            "content": {
                "application/json": {"schema": {"$ref": REF.format(name=command.__name__)}, "example": body_example(body)}
            },
        },
        "responses": {**_accepted(201 if door.created else 200), **_problems((*AT_ANY_TIME, *OF_COMMANDS))},
    }


def _question(question: Question) -> dict[str, Any]:
    parameters = [*question.parameters, WAIT_FOR, WAIT_MS]
    return {
        "operationId": f"get_{question.name}".replace("-", "_"),
        "tags": ["questions"],
        "summary": question.summary,
        "description": f"{question.description or question.summary}\n\nWho may: {_who(question.scopes)}.",
        "parameters": [*_path_parameters(question.path), *map(_parameter, parameters)],
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "304": {"description": "What the asker has is current."},
            **_problems((*AT_ANY_TIME, 422, 504)),
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": REF.format(name=operation.body.__name__)}}
    if operation.example is not None:
        content["example"] = operation.example
    body = {"requestBody": {"required": operation.example is not None, "content": {"application/json": content}}}
    return {
        "operationId": operation.name,
        "tags": ["operations"],
        "summary": operation.summary,
        "description": f"{operation.summary}\n\nWho may: {_who(operation.scopes)}.",
        "parameters": _path_parameters(operation.path),
        **(body if operation.method != "GET" else {}),
        "responses": {
            str(operation.status): {
                "description": "Done.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **_problems((*AT_ANY_TIME, 409, 422)),
        },
    }


def _batch(name: str, summary: str, schema: str) -> dict[str, Any]:
    partial = (
        [_parameter(Parameter("partial", "Answer each act by itself.", {"type": "boolean"}))] if name == "behaviour" else []
    )
    return {
        "operationId": name,
        "tags": ["together"],
        "summary": summary,
        "description": summary,
        "parameters": [IDEMPOTENCY, DRY_RUN, *partial],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REF.format(name=schema)}, "example": TOGETHER[name]}},
        },
        "responses": {**_accepted(200, *(["Partial"] if partial else [])), **_problems((*AT_ANY_TIME, *OF_COMMANDS))},
    }


def _recommendations() -> dict[str, Any]:
    return {
        "operationId": "recommendations",
        "tags": ["questions"],
        "summary": "Compose a list for the moment.",
        "description": cleandoc(ListWanted.__doc__ or ""),
        "parameters": [_parameter(WAIT_FOR), _parameter(WAIT_MS)],
        "requestBody": {
            "required": False,
            "content": {
                "application/json": {"schema": {"$ref": REF.format(name="ListWanted")}, "example": TOGETHER["recommendations"]}
            },
        },
        "responses": {
            "200": {"description": "The list.", "content": {"application/json": {"schema": {"type": "object"}}}},
            **_problems((*AT_ANY_TIME, 422, 504)),
        },
    }


def _checkout() -> dict[str, Any]:
    told = "Place an order from a cart, at the price that the shopper saw or a lower one."
    return {
        "operationId": "checkout",
        "tags": ["cart"],
        "summary": told,
        "description": f"{CHECKOUT}\n\nWho may: {_who(CHECKOUT_SCOPES)}.",
        "parameters": [*_path_parameters(CHECKOUT_PATH), IDEMPOTENCY, DRY_RUN],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REF.format(name="CheckoutBody")}, "example": EXAMPLE}},
        },
        "responses": {**_accepted(201), **_problems((*AT_ANY_TIME, *OF_COMMANDS))},
    }


CHECKOUT = cleandoc(
    """
    The cart is priced by the campaigns, the prices and the policy of now, with the codes that it keeps and those of the body;
    the trace is frozen on the order, the goods and promotions are held, and the cart is closed, all at once. If it costs more
    than was `seen`, the answer is 409 `price_changed` with the new `payable` and `trace`; prices and promotions of `as_of`
    hold for the policy's `price_minutes`. With `exchange`, goods of an earlier order pay this one.
    """
)


def _tokens() -> dict[str, Any]:
    properties = {
        "member": {"type": "string", "minLength": 1, "maxLength": 200},
        "seconds": {"type": "integer", "minimum": 1, "maximum": 900},
    }
    schema = {"type": "object", "required": ["member"], "properties": properties, "additionalProperties": False}
    return {
        "operationId": "tokens",
        "tags": ["access"],
        "summary": "Make a token for one member's browser.",
        "description": "The token reads and acts for that member alone, for at most 15 minutes.\n\nWho may: storefront.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": {"member": "1057"}}}},
        "responses": {
            "201": {
                "description": "The token and when it ends.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **_problems((*AT_ANY_TIME, 422)),
        },
    }


def _plain(path: str, words: str) -> dict[str, Any]:
    return {
        "operationId": path.strip("/").replace("/", "_"),
        "tags": ["health"],
        "summary": words,
        "description": words,
        "responses": {
            "200": {"description": words, "content": {"text/plain": {"schema": {"type": "string"}}}},
            **_problems(AT_ANY_TIME),
        },
    }


DRY_RUN = {
    "name": "dry_run",
    "in": "query",
    "description": "Say what would be decided, by which policy, and write nothing.",
    "schema": {"type": "boolean"},
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The request's own name: asked again with the same content, the first answer comes back.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema, "example": str(KNOWN.get(name, f"{name}-1"))}
        for name in path_names(path)
    ]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    told = {"name": parameter.name, "in": "query", "description": parameter.description, "schema": parameter.schema}
    return told if parameter.example is None else {**told, "example": parameter.example}


def _accepted(status: int, *others: str) -> dict[str, Any]:
    """Return the answers of a success. ``others``: schemas that a query asks for in place of the usual."""
    accepted, preview, *more = ({"$ref": REF.format(name=name)} for name in ("Accepted", "Preview", *others))
    happened = {"description": "It happened, durably.", "content": {"application/json": {"schema": accepted}}}
    either = {"application/json": {"schema": {"anyOf": [accepted, preview, *more]}}}
    if status == 200:
        return {"200": {**happened, "content": either}}
    would = {"description": "With `dry_run`: what would happen.", "content": {"application/json": {"schema": preview}}}
    return {str(status): happened, "200": would}


def _problems(statuses: Iterable[int]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}
    return {str(status): {"description": TITLES[status], "content": content} for status in sorted(set(statuses))}


def _who(scopes: Sequence[Scope]) -> str:
    return ", ".join(scope.value for scope in scopes)


def _words(name: str) -> str:
    """
    >>> _words("CheckOutCart")
    'Check out cart.'
    """
    apart = "".join(" " + one.lower() if one.isupper() else one for one in name).strip()
    return apart.capitalize() + "."


STYLE = """:root{color-scheme:light dark}
body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:14px ui-monospace,monospace}
pre{overflow:auto;padding:.5rem;border:1px solid #8884}
summary{cursor:pointer}
b{display:inline-block;min-width:4rem}"""

HEAD = """<!doctype html><html lang=en><meta charset=utf-8>
<meta name=viewport content="width=device-width"><title>Regulars API</title>"""


def page(raw: bytes) -> str:
    """Return the document as one HTML page: no script, nothing from another host."""
    told = msgspec.json.decode(raw)
    operations = [
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(one['summary'])}</summary>"
        f"<p>{escape(one['description'])}</p>{_example(one)}</details>"
        for path, methods in told["paths"].items()
        for method, one in methods.items()
    ]
    words = escape(told["info"]["description"])
    intro = f"<h1>Regulars API</h1><p>{words} As a document: <a href=/openapi.json>openapi.json</a>.</p>"
    return f"{HEAD}<style>{STYLE}</style>{intro}{''.join(operations)}</html>"


def _example(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "example" not in content:
        return ""
    return f"<pre>{escape(msgspec.json.format(msgspec.json.encode(content['example'])).decode())}</pre>"
