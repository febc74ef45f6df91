"""What an object of the file may hold: its fields, each of a kind, and which of them it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, TypeAlias

from streams.imports.shop_log.rejected import Rejected

Schema: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """What a value is read by: the currency's decimals, the zone of text without one, the latest instant that is taken.

    ``unknown`` collects the names of fields that nothing reads.
    """

    digits: int
    zone: tzinfo | None
    latest: int
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """A kind of value: how it is read, and its JSON Schema. ``read`` raises :class:`Rejected`."""

    name: str
    read: Callable[[Any, Terms], Any]
    schema: Schema


@dataclass(frozen=True)
class Field:
    """``ours``: only Regulars writes it."""

    kind: Kind
    about: str
    ours: bool = False


@dataclass(frozen=True)
class Shape:
    """``needs``: groups of fields, of each of which at least one must be told. ``rest``: what any other field holds.

    Without ``rest``, other fields are unknown: ignored, and noted under the shape's name.
    """

    name: str
    about: str
    fields: Mapping[str, Field]
    needs: tuple[tuple[str, ...], ...]
    rest: Kind | None = None

    def read(self, document: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
        """The told fields by name, null being untold; those of ``rest`` together, under that name. Raises :class:`Rejected`."""
        told: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        fields = self.fields
        name = ""
        try:
            for name, value in document.items():
                known = fields.get(name)
                if known is None:
                    if self.rest is None:
                        terms.unknown.append(f"{self.name}.{name}")
                    elif value is not None:
                        rest[name] = self.rest.read(value, terms)
                elif value is not None:
                    told[name] = known.kind.read(value, terms)
        except Rejected as rejected:
            raise rejected.within(name[:80] if name.isprintable() else repr(name[:80])) from None
        for names in self.needs:
            if names[0] not in told and not any(other in told for other in names[1:]):
                raise Rejected("field_missing", f"{' or '.join(names)} is missing.")
        if self.rest is not None:
            told["rest"] = rest
        return told


def list_of(shape: Shape, make: Callable[[dict[str, Any]], Any]) -> Callable[[Any, Terms], tuple[Any, ...]]:
    """Read a list of such objects, which must not be empty; a fault is told with the entry's number, from 1."""

    def read(value: Any, terms: Terms) -> tuple[Any, ...]:
        if type(value) is not list or not value:
            raise Rejected("lines_empty" if value == [] else "list_invalid", "It must be a list of at least one object.")
        made = []
        for number, entry in enumerate(value, 1):
            try:
                if type(entry) is not dict:
                    raise Rejected("object_invalid", "It must be an object, in braces.")
                made.append(make(shape.read(entry, terms)))
            except Rejected as rejected:
                raise rejected.within(f"entry {number}") from None
        return tuple(made)

    return read
