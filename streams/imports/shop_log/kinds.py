"""The kinds of values that fields hold, each with the JSON Schema that says what it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aggregates.decider import LARGEST_COUNT, LONGEST_ID
from streams.imports.shop_log import amounts, values
from streams.imports.shop_log.instants import SECONDS, instant
from streams.imports.shop_log.rejected import Rejected
from streams.imports.shop_log.shape import Kind, Schema, Terms

STATUSES = ("placed", "paid", "shipped", "delivered")


def plain(name: str, read: Callable[[Any], Any], schema: Schema) -> Kind:
    """A kind that is read the same in every shop."""

    def read_anywhere(value: Any, _: Terms) -> Any:
        return read(value)

    return Kind(name, read_anywhere, schema)


def reference(kind: Kind) -> Schema:
    return {"$ref": f"#/$defs/{kind.name}"}


def listed(kind: Kind, least: int = 0) -> Schema:
    return {"type": "array", "items": reference(kind), "minItems": least}


def happened(value: Any, terms: Terms) -> int:
    at = instant(value, terms.zone)
    if at > terms.latest:
        raise Rejected("instant_in_future", "The instant is more than a day in the future: it must have happened.")
    return at


def status(value: Any) -> str:
    if value not in STATUSES:
        raise Rejected("status_invalid", f"A status is one of {', '.join(STATUSES)}.")
    return str(value)


def decimal(signed: bool) -> Schema:
    text = {"type": "string", "pattern": f"^{'-?' if signed else ''}[0-9]+(\\.[0-9]+)?$"}
    return {"anyOf": [{"type": "number"} | ({} if signed else {"minimum": 0}), text]}


def whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


TEXT = plain("text", values.text, {"type": "string"})
ID = plain(
    "id",
    values.identifier,
    {
        "anyOf": [
            {"type": "string", "pattern": f"^[^\\u0000-\\u001f\\u007f-\\u009f]{{1,{LONGEST_ID}}}$"},
            {"type": "integer", "minimum": 0},
        ]
    },
)
IDS = plain("ids", values.identifiers, listed(ID))
SOME_IDS = plain("some_ids", values.some_identifiers, listed(ID, 1))
CATEGORY = plain(
    "category", values.category, {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
)
TAGS = plain(
    "tags", values.tags, {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "pattern": "^[^,]+$"}}]}
)
PROFILE_VALUE = plain("profile_value", values.profile_value, {"type": ["string", "number", "boolean", "null"]})
PROFILE = plain(
    "profile",
    values.profile,
    {"type": ["object", "string", "number", "boolean"], "additionalProperties": reference(PROFILE_VALUE)},
)
ATTRIBUTES = plain("attributes", values.attributes, {"type": "object", "additionalProperties": {"type": "string"}})
OBJECT = plain("object", values.mapping, {"type": "object"})
COUNT = plain("count", values.count, whole(0, LARGEST_COUNT))
PLACE = plain("place", values.place, whole(1, LARGEST_COUNT))
QUANTITY = plain("quantity", values.quantity, whole(0, values.MOST_PIECES))
PIECES = plain("pieces", values.pieces, whole(1, values.MOST_PIECES))
RATING = plain("rating", values.half_stars, {"type": "number", "minimum": 1, "maximum": 5, "multipleOf": 0.5})
EMBEDDING = plain("embedding", values.reals, {"type": "array", "items": {"type": "number"}, "minItems": 1})
PROPENSITIES = plain(
    "propensities", values.propensities, {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}}
)
STATUS = plain("status", status, {"enum": list(STATUSES)})

WRITTEN_INSTANT: Schema = {"anyOf": [{"type": "string", "minLength": 8}, {"type": "integer", "minimum": SECONDS}]}
AT = Kind("at", happened, WRITTEN_INSTANT)
INSTANT = Kind("instant", lambda value, terms: instant(value, terms.zone), WRITTEN_INSTANT)

MONEY = Kind("money", lambda value, terms: amounts.money(value, terms.digits), decimal(signed=False))
TENDER = Kind("tender", lambda value, terms: amounts.tender(value, terms.digits), decimal(signed=True))
UNIT_PRICE = Kind("unit_price", lambda value, terms: amounts.unit_price(value, terms.digits), decimal(signed=False))
