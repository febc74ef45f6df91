"""A policy document: the terms as plain data, which a file or an event holds. Zone, currency and version are not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

from aggregates.programme.rate import rate_text
from aggregates.programme.terms import Programme
from aggregates.programme.validity import Validity, validity_text

Path: TypeAlias = tuple[str | int, ...]
"""Where in a document: field names, and places in lists from 0."""

Document: TypeAlias = Mapping[str, Any]


class Problem(NamedTuple):
    path: Path
    reason: str


OF_THE_LOG = ("zone", "currency", "version")


@cache
def expected(kind: Any) -> dict[str, Any]:
    """What a document may say of a record: its fields by name, with their types."""
    hints = get_type_hints(kind)
    return {spec.name: hints[spec.name] for spec in fields(kind) if kind is not Programme or spec.name not in OF_THE_LOG}


def plain(terms: Programme) -> dict[str, Any]:
    """The document that states these terms, complete: no later default changes what it says."""
    return {name: stated(hint, getattr(terms, name)) for name, hint in expected(Programme).items()}


def stated(hint: Any, value: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if value is None or hint in (str, int, bool) or origin is Literal:
        return value
    if origin is UnionType:
        return stated(args[0], value)
    if origin is tuple:
        return [stated(args[0], entry) for entry in value] if args[-1] is ... else rate_text(value)
    if hint is Validity:
        return validity_text(value)
    return {name: stated(inner, getattr(value, name)) for name, inner in expected(hint).items()}
