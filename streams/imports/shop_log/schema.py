"""The JSON Schema of one line, from the table that the reader reads by.

It knows a line's shape. What it cannot say is for the reader alone: keys that stand twice, the currency's decimals, the hours
of the world, what is in the future, what a discount leaves.
"""

from __future__ import annotations

from streams.imports.shop_log import kinds
from streams.imports.shop_log.kinds import reference
from streams.imports.shop_log.order_lines import NESTED, ORDER_LINES, REFUND_LINES
from streams.imports.shop_log.shape import Field, Kind, Schema, Shape
from streams.imports.shop_log.table import TABLE

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """JSON Schema, draft 2020-12: a line is of exactly one type."""
    valued = [*(kind for kind in vars(kinds).values() if isinstance(kind, Kind)), ORDER_LINES, REFUND_LINES]
    return {
        "$schema": DIALECT,
        "title": "A line of a shop log",
        "description": "JSON Lines, UTF-8, one object a line. Fields that are not named here are ignored.",
        "type": "object",
        "required": ["type", "at"],
        "oneOf": [{"$ref": f"#/$defs/line_{name}"} for name in TABLE],
        "$defs": {kind.name: kind.schema for kind in valued}
        | {name: of_shape(shape) for name, shape in NESTED.items()}
        | {f"line_{name}": of_type(name, row.shape) for name, row in TABLE.items()},
    }


def of_type(name: str, shape: Shape) -> Schema:
    described = of_shape(shape)
    properties = described["properties"] | {"type": {"const": name}}
    return described | {"title": name, "properties": properties, "required": ["type", *described["required"]]}


def of_shape(shape: Shape) -> Schema:
    """A field that is needed has a value; any other may be null."""
    alone = [names[0] for names in shape.needs if len(names) == 1]
    choices = [{"anyOf": [told(name, shape.fields[name]) for name in names]} for names in shape.needs if len(names) > 1]
    return (
        {
            "description": shape.about,
            "type": "object",
            "properties": {name: of_field(field, name in alone) for name, field in shape.fields.items()},
            "required": alone,
        }
        | ({"allOf": choices} if choices else {})
        | ({"additionalProperties": reference(shape.rest)} if shape.rest else {})
    )


def told(name: str, field: Field) -> Schema:
    return {"required": [name], "properties": {name: reference(field.kind)}}


def of_field(field: Field, needed: bool) -> Schema:
    about = f"{field.about} (Regulars writes this.)" if field.ours else field.about
    value = reference(field.kind)
    return {"description": about} | (value if needed else {"anyOf": [value, {"type": "null"}]})
