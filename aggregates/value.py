"""What events, commands, read models and their parts are made of."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, cast, dataclass_transform

import msgspec

V = TypeVar("V")


@dataclass_transform(frozen_default=True)
class Value(msgspec.Struct, frozen=True, gc=False):
    """A value object: it stays what it is, and two of one class and content are equal.

    A struct and not a dataclass, because these are made, stored and read at every event (decision 0003). No field may lead
    back to its own value: nobody collects such a ring.
    """


def replace(value: V, /, **changes: Any) -> V:
    """A value or a dataclass like this one but for ``changes``; what ``copy.replace`` is from Python 3.13 on.

    Raises :class:`TypeError` for a field that it does not have.
    """
    if isinstance(value, Value):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]


def field_names(kind: type) -> tuple[str, ...]:
    """The fields of a class of values, in their order."""
    return cast("type[Value]", kind).__struct_fields__


def asdict(value: Value) -> dict[str, Any]:
    """What a value has in each field, itself and not a copy."""
    return msgspec.structs.asdict(value)
