"""The kinds of values that a line's fields hold: how each is read, and its JSON Schema. Readers raise :class:`Rejected`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aggregates.decider import LARGEST_COUNT, LONGEST_ID, LONGEST_NAME, is_id
from streams.imports.shop_log import amounts
from streams.imports.shop_log.amounts import Number, by_value, is_number, number_text, whole_number
from streams.imports.shop_log.fields import LineContext, ReadValue, Schema, ValueKind
from streams.imports.shop_log.instants import SECONDS, instant
from streams.imports.shop_log.rejected import Rejected

MOST_PIECES = 10**9
STATUSES = ("placed", "paid", "shipped", "delivered")
HALF_STARS: dict[Number, int] = {halves / 2: halves for halves in range(2, 11)}


def plain(name: str, read: ReadValue, schema: Schema) -> ValueKind:
    """Return a kind that is read in the same way in every shop."""
    return ValueKind(name, lambda _: read, schema)


def reference(kind: ValueKind) -> Schema:
    return {"$ref": f"#/$defs/{kind.name}"}


def nonempty(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if not entries:
        raise Rejected("list_empty", "The list is empty: leave it out, or the line if it needs the list.")
    return entries


def each(value: Any, read: ReadValue) -> tuple[Any, ...]:
    """Return the entries of a list. A fault names the entry, counted from 1."""
    if type(value) is not list:
        raise Rejected("list_invalid", "It must be a list.")
    try:
        return tuple(map(read, value))
    except Rejected:
        for number, entry in enumerate(value, 1):
            try:
                read(entry)
            except Rejected as rejected:
                raise rejected.within(f"entry {number}") from None
        raise


# Text and ids


def identifier(value: Any) -> str:
    """Return text as it was written, and an integer of 0 or more as its digits."""
    if type(value) is int and value >= 0:
        value = str(value)
    if type(value) is str and is_id(value):
        return value
    raise Rejected("id_invalid", f"An id is text of 1 to {LONGEST_ID} characters, none of them for control, or an integer.")


def text(value: Any) -> str:
    if type(value) is str:
        return value
    raise Rejected("text_invalid", "It must be text.")


def name(value: Any) -> str:
    """Return a short text, of which an order may have as many as it has lines."""
    if len(text(value)) > LONGEST_NAME:
        raise Rejected("text_too_long", f"It has more than {LONGEST_NAME} characters: shorten it.")
    return text(value)


def category_name(value: Any) -> tuple[str, ...]:
    path = category(value)
    name(" / ".join(path))
    return path


def category(value: Any) -> tuple[str, ...]:
    """Return the path, widest first; text is a path of one step."""
    if type(value) is str:
        return (value,) if value else ()
    path = each(value, text)
    if not all(path):
        raise Rejected("text_invalid", "No step of a category's path is empty.")
    return path


def tags(value: Any) -> str:
    """Return the tags, with commas between them."""
    if type(value) is str:
        return value
    found = each(value, text)
    if not all(found) or any("," in tag for tag in found):
        raise Rejected("tag_invalid", "A tag is not empty and has no comma, which stands between tags.")
    return ",".join(found)


def profile_value(value: Any) -> str:
    """Return text as it is, and true, false and numbers as JSON writes them."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if is_number(value):
        return number_text(value)
    raise Rejected("profile_invalid", "A profile field is text, a number, true or false: flatten lists and objects.")


def mapping(value: Any) -> dict[str, Any]:
    if type(value) is dict:
        return value
    raise Rejected("object_invalid", "It must be an object, in braces.")


def profile(value: Any) -> dict[str, str]:
    """Return profile fields by name; a value that is not an object is the field ``profile``."""
    if type(value) is not dict:
        return {"profile": profile_value(value)}
    return {name: profile_value(inner) for name, inner in value.items() if inner is not None}


def attributes(value: Any) -> dict[str, str]:
    return {name: text(inner) for name, inner in mapping(value).items()}


def status(value: Any) -> str:
    if value not in STATUSES:
        raise Rejected("status_invalid", f"A status is one of {', '.join(STATUSES)}.")
    return str(value)


def listed(kind: ValueKind, least: int = 0) -> Schema:
    return {"type": "array", "items": reference(kind), "minItems": least}


TEXT = plain("text", text, {"type": "string"})
ID = plain(
    "id",
    identifier,
    {
        "anyOf": [
            {"type": "string", "pattern": f"^[^\\u0000-\\u001f\\u007f-\\u009f]{{1,{LONGEST_ID}}}$"},
            {"type": "integer", "minimum": 0},
        ]
    },
)
IDS = plain("ids", lambda value: each(value, identifier), listed(ID))
SOME_IDS = plain("some_ids", lambda value: nonempty(each(value, identifier)), listed(ID, 1))
CATEGORY = plain(
    "category", category, {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
)
NAME = plain("name", name, {"type": "string", "maxLength": LONGEST_NAME})
CATEGORY_NAME = plain("category_name", category_name, CATEGORY.schema)
TAGS = plain(
    "tags", tags, {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "pattern": "^[^,]+$"}}]}
)
PROFILE_VALUE = plain("profile_value", profile_value, {"type": ["string", "number", "boolean", "null"]})
PROFILE = plain(
    "profile",
    profile,
    {"type": ["object", "string", "number", "boolean"], "additionalProperties": reference(PROFILE_VALUE)},
)
ATTRIBUTES = plain("attributes", attributes, {"type": "object", "additionalProperties": {"type": "string"}})
OBJECT = plain("object", lambda value: by_value(mapping(value)), {"type": "object"})

# Numbers


def whole(name: str, least: int, most: int, code: str) -> ValueKind:
    """Return the kind of whole numbers from ``least`` to ``most``."""
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return plain(name, lambda value: whole_number(value, least, most, code), schema)


def half_stars(value: Any) -> int:
    """Return 2 to 10 for a rating of 1 to 5."""
    halves = HALF_STARS.get(value) if is_number(value) else None
    if halves is None:
        raise Rejected("rating_invalid", "A rating is a number from 1 to 5 in steps of a half.")
    return halves


def real(value: Any) -> float:
    if not is_number(value):
        raise Rejected("number_invalid", "It must be a number.")
    return float(value) + 0.0  # one zero, without a sign


def propensity(value: Any) -> float:
    chance = real(value)
    if not 0 < chance <= 1:
        raise Rejected("propensity_invalid", "A propensity is above 0 and at most 1.")
    return chance


COUNT = whole("count", 0, LARGEST_COUNT, "count_invalid")
PLACE = whole("place", 1, LARGEST_COUNT, "count_invalid")
QUANTITY = whole("quantity", 0, MOST_PIECES, "quantity_invalid")
PIECES = whole("pieces", 1, MOST_PIECES, "quantity_invalid")
RATING = plain("rating", half_stars, {"type": "number", "minimum": 1, "maximum": 5, "multipleOf": 0.5})
EMBEDDING = plain(
    "embedding",
    lambda value: nonempty(each(value, real)),
    {"type": "array", "items": {"type": "number"}, "minItems": 1},
)
PROPENSITIES = plain(
    "propensities",
    lambda value: each(value, propensity),
    {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}},
)
STATUS = plain("status", status, {"enum": list(STATUSES)})

# Instants and money: read by the shop's zone and currency


def past_instant(context: LineContext) -> ReadValue:
    def read(value: Any) -> int:
        at = instant(value, context.zone)
        if at > context.latest:
            raise Rejected("instant_in_future", "The instant is more than a day in the future: it must have happened.")
        return at

    return read


def amount(name: str, read: Callable[[Any, int], Any], signed: bool = False) -> ValueKind:
    """Return a kind of money, in the shop's currency."""
    text = {"type": "string", "pattern": f"^{'-?' if signed else ''}[0-9]+(\\.[0-9]+)?$"}
    number = {"type": "number"} | ({} if signed else {"minimum": 0})
    return ValueKind(name, lambda context: lambda value: read(value, context.digits), {"anyOf": [number, text]})


WRITTEN_INSTANT: Schema = {"anyOf": [{"type": "string", "minLength": 8}, {"type": "integer", "minimum": SECONDS}]}
AT = ValueKind("at", past_instant, WRITTEN_INSTANT)
INSTANT = ValueKind("instant", lambda context: lambda value: instant(value, context.zone), WRITTEN_INSTANT)
MONEY = amount("money", amounts.money)
TENDER = amount("tender", amounts.tender, signed=True)
UNIT_PRICE = amount("unit_price", amounts.unit_price)
