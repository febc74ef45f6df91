"""The base of events, commands, read models and their parts."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, TypeVar, cast, dataclass_transform

import msgspec

V = TypeVar("V")


@dataclass_transform(frozen_default=True)
class Value(msgspec.Struct, frozen=True, gc=False):
    """An immutable value: two of the same class and content are equal.

    A struct and not a dataclass, because values are made, stored and read at every event (decision 0003). No field may refer
    back to its own value: such a cycle is never collected.
    """


def replace(value: V, /, **changes: Any) -> V:
    """Return a copy of a value or a dataclass with ``changes``, as ``copy.replace`` does from Python 3.13 on.

    Raises :class:`TypeError` for a field that it does not have.
    """
    if isinstance(value, Value):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]


def field_names(kind: type) -> tuple[str, ...]:
    """Return the fields of a class of values, in order."""
    return cast("type[Value]", kind).__struct_fields__


def annotations_of(kind: type) -> dict[str, Any]:
    """Return the annotations of a class of values, as they are written, with those it inherits, in the order of its fields."""
    return {name: hint for base in reversed(kind.__mro__) for name, hint in inspect.get_annotations(base).items()}


def asdict(value: Value) -> dict[str, Any]:
    """Return the value of each field, not copied."""
    return msgspec.structs.asdict(value)
