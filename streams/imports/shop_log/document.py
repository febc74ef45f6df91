"""Strict JSON: one object a line. Numbers keep every digit, and a key that stands twice is rejected.

orjson keeps the last of two equal keys and rounds numbers to floats. Both are noticed cheaply: every pair has one colon, and
only a number of many digits or with an exponent is read again, exactly.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from streams.imports.shop_log.archive import LONGEST
from streams.imports.shop_log.rejected import Rejected

DEEPEST = 32
"""How deep objects and lists may be nested, counting the line's own object."""

LONG_NUMBER = re.compile(rb"[:,\[\s]-?(?:[0-9.]{17}|[0-9.]+[eE])")
"""A number that a float may not hold exactly; fifteen digits and a point always fit."""

ESCAPED_COLON = re.compile(rb"\\u003[aA]")


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the object that a line holds: a number is an int, a float that prints as it was written, or a Decimal.

    Raises :class:`Rejected`.
    """
    if len(raw) > LONGEST:
        raise Rejected("line_too_long", f"A line has at most {LONGEST} bytes: split it.")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise not_json(raw, error) from None
    if type(document) is not dict:
        raise Rejected("not_an_object", "A line is one JSON object, in braces.")
    colons, floats = survey(document)
    if colons != raw.count(b":") or (b"\\" in raw and ESCAPED_COLON.search(raw)) or (floats and LONG_NUMBER.search(raw)):
        return parse_exactly(raw)
    return document


def survey(document: dict[str, Any]) -> tuple[int, bool]:
    """Return how many colons the document was written with, if no key was dropped, and whether it has floats."""
    colons, floats = 0, False
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for held in level:
            if type(held) is dict:
                colons += len(held) + "".join(held).count(":")
                held = held.values()
            for value in held:
                kind = type(value)
                if kind is str:
                    colons += value.count(":")
                elif kind is float:
                    floats = True
                elif kind is dict or kind is list:
                    inner.append(value)
        if not inner:
            return colons, floats
        level = inner
    raise too_deep()


def too_deep() -> Rejected:
    return Rejected("nested_too_deep", f"Objects and lists may be nested {DEEPEST} deep: flatten this line.")


def parse_exactly(raw: bytes) -> dict[str, Any]:
    """Return the same, slowly. The line is known to be JSON of bounded depth."""
    document: dict[str, Any] = json.loads(raw, object_pairs_hook=without_repeats, parse_float=exact)
    return document


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in pairs:
        if name in told:
            raise Rejected("key_repeated", f"The key {name[:80]!r} stands twice in one object: keep one.")
        told[name] = value
    return told


def exact(written: str) -> float | Decimal:
    try:
        value, near = Decimal(written), float(written)
        return near if Decimal(repr(near)) == value else value
    except InvalidOperation:
        raise Rejected("number_invalid", "A number's exponent is out of any range: write the number out.") from None


def not_json(raw: bytes, error: orjson.JSONDecodeError) -> Rejected:
    try:
        raw.decode()
    except UnicodeDecodeError as wrong:
        return Rejected("utf8_invalid", f"Byte {wrong.start + 1} of the line is not UTF-8: export the file as UTF-8.")
    if error.msg.startswith("depth limit"):
        return too_deep()
    return Rejected("json_invalid", f"The line is not JSON: {error.msg} at character {error.pos + 1}.")
