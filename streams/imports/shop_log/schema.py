"""The JSON Schema of one line, made from the declarations that the reader goes by.

It describes a line's shape. It cannot say what the reader also checks: repeated keys, too many decimals for the currency, text
that is not an instant, dates in the future, and discounts above the price.
"""

from __future__ import annotations

from streams.imports.shop_log import values
from streams.imports.shop_log.fields import Field, Line, Schema, ValueKind, fields_of, needs_of
from streams.imports.shop_log.lines import NESTED, ORDER_LINES, REFUND_LINES, TABLE
from streams.imports.shop_log.values import reference

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """Return the JSON Schema (draft 2020-12): a line is of exactly one type."""
    kinds = [*(kind for kind in vars(values).values() if isinstance(kind, ValueKind)), ORDER_LINES, REFUND_LINES]
    return {
        "$schema": DIALECT,
        "title": "A line of a shop log",
        "description": "JSON Lines, UTF-8, one object a line. Fields that are not named here are ignored.",
        "type": "object",
        "required": ["type", "at"],
        "oneOf": [{"$ref": f"#/$defs/line_{name}"} for name in TABLE],
        "$defs": {kind.name: kind.schema for kind in kinds}
        | {name: of_object(line, about) for name, (line, about) in NESTED.items()}
        | {f"line_{name}": of_type(name, line, about) for name, (line, about) in TABLE.items()},
    }


def of_type(name: str, line: type[Line], about: str) -> Schema:
    described = of_object(line, about)
    return described | {"properties": described["properties"] | {"type": {"const": name}}, "title": name}


def of_object(line: type[Line], about: str) -> Schema:
    """Return the schema of one object. A field that is needed has a value; any other may be null."""
    fields, needs = fields_of(line), needs_of(line)
    choices = [{"anyOf": [present(name, fields[name]) for name in names]} for names in needs if len(names) > 1]
    return (
        {
            "description": about,
            "type": "object",
            "properties": {name: of_field(field) for name, field in fields.items()},
            "required": [names[0] for names in needs if len(names) == 1],
        }
        | ({"allOf": choices} if choices else {})
        | ({"additionalProperties": reference(line.rest)} if line.rest else {})
    )


def present(name: str, field: Field) -> Schema:
    return {"required": [name], "properties": {name: reference(field.kind)}}


def of_field(field: Field) -> Schema:
    about = f"{field.about} (Regulars writes this.)" if field.ours else field.about
    value = reference(field.kind)
    return {"description": about} | (value if field.required else {"anyOf": [value, {"type": "null"}]})
