"""The fields of a line: declared once, as annotations of a msgspec struct, for the reader and for the JSON Schema.

A field is ``name: Annotated[type, KIND, "What it says."]``; with ``OURS`` behind that, only Regulars writes it. A field with a
default may be left out. msgspec's own decoder and schema generator do not fit: each kind rejects with codes and sentences of
its own, equal values may be written in several ways, and the printed schema must stay the same to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeAlias, TypeVar, dataclass_transform, get_args, get_type_hints

import msgspec

from streams.imports.shop_log.rejected import Rejected

Schema: TypeAlias = dict[str, Any]
ReadValue: TypeAlias = Callable[[Any], Any]

OURS: Final = "ours"
"""Marks a field that only Regulars writes."""

JSON_NAMES = {
    "product": "product_id",
    "products": "product_ids",
    "shown": "product_ids",
    "member": "member_id",
    "session": "session_id",
    "order": "order_id",
    "campaign": "campaign_id",
    "order_position": "position",
    "parts": "lines",
}
"""What the file calls an attribute that has another name here."""


@dataclass(frozen=True)
class LineContext:
    """What a value is read by: the currency's decimals, the zone of text without one, the latest instant that is taken.

    ``unknown`` collects the names of fields that nothing reads.
    """

    digits: int
    zone: tzinfo | None
    latest: int
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ValueKind:
    """A kind of value and its JSON Schema. What ``reader`` returns reads one value, and raises :class:`Rejected`."""

    name: str
    reader: Callable[[LineContext], ReadValue]
    schema: Schema


class Field(NamedTuple):
    attribute: str
    kind: ValueKind
    about: str
    ours: bool
    required: bool


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Line(msgspec.Struct, frozen=True, kw_only=True, rename=JSON_NAMES):
    """What one object of the file says.

    ``any_of``: attributes of which at least one must be there. ``rest``: what a field that is not declared holds; without it,
    such a field is ignored and counted.
    """

    any_of: ClassVar[tuple[str, ...]] = ()
    rest: ClassVar[ValueKind | None] = None

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the line with these values, by attribute. Raises :class:`Rejected`."""
        return cls(**values)

    def content(self) -> dict[str, Any]:
        """Return what the line says, as it is hashed: its names are stored in logs, so they never change."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


L = TypeVar("L", bound=Line)


@cache
def fields_of(line: type[Line]) -> dict[str, Field]:
    """Return the fields of a kind of line by their names in the file, in the order of the schema."""
    hints = get_type_hints(line, include_extras=True)
    found = {}
    for spec in msgspec.structs.fields(line):
        _, *notes = get_args(hints[spec.name]) or (None,)
        if notes and isinstance(notes[0], ValueKind):
            found[spec.encode_name] = Field(spec.name, notes[0], notes[1], OURS in notes[2:], spec.required)
    return found


@cache
def needs_of(line: type[Line]) -> tuple[tuple[str, ...], ...]:
    """Return groups of names in the file, in the order of the fields: of each, at least one must be there."""
    found: list[tuple[str, ...]] = []
    choice = tuple(JSON_NAMES.get(name, name) for name in line.any_of)
    for name, known in fields_of(line).items():
        if known.required:
            found.append((name,))
        elif choice and name == choice[0]:
            found.append(choice)
    return tuple(found)


def object_reader(name: str, line: type[L], context: LineContext) -> Callable[[Mapping[str, Any]], L]:
    """Return what reads an object of the file as a line; its unknown fields are noted under ``name``.

    Null means that a field is not there. What returns raises :class:`Rejected`, which names the field.
    """
    readers = {field: (known.attribute, known.kind.reader(context)) for field, known in fields_of(line).items()}
    needs = [(names, {readers[name][0] for name in names}) for names in needs_of(line)]
    read_rest = line.rest.reader(context) if line.rest else None
    unknown = context.unknown

    def read(document: Mapping[str, Any]) -> L:
        values: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        field = ""
        try:
            for field, value in document.items():
                if field not in readers:
                    if read_rest is None:
                        unknown.append(f"{name}.{field}")
                    elif value is not None:
                        rest[field] = read_rest(value)
                elif value is not None:
                    attribute, read_value = readers[field]
                    values[attribute] = read_value(value)
        except Rejected as rejected:
            raise rejected.within(field[:80] if field.isprintable() else repr(field[:80])) from None
        for names, attributes in needs:
            if attributes.isdisjoint(values):
                raise Rejected("field_missing", f"{' or '.join(names)} is missing.")
        if read_rest is not None:
            values["rest"] = rest
        return line.of(values)

    return read


def list_of(kind: str, name: str, line: type[Line]) -> ValueKind:
    """Return the kind ``kind``: a list of such objects that is not empty. A fault names the entry, counted from 1."""

    def reader(context: LineContext) -> ReadValue:
        read_object = object_reader(name, line, context)

        def read(value: Any) -> tuple[Line, ...]:
            if type(value) is not list or not value:
                raise Rejected("lines_empty" if value == [] else "list_invalid", "It must be a list of at least one object.")
            entries = []
            for number, entry in enumerate(value, 1):
                try:
                    if type(entry) is not dict:
                        raise Rejected("object_invalid", "It must be an object, in braces.")
                    entries.append(read_object(entry))
                except Rejected as rejected:
                    raise rejected.within(f"entry {number}") from None
            return tuple(entries)

        return read

    items = {"$ref": f"#/$defs/{kind.removesuffix('s')}"}
    return ValueKind(kind, reader, {"type": "array", "items": items, "minItems": 1})
