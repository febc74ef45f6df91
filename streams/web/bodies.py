"""Strict JSON bodies, made from the annotations of the commands.

A body has a command's fields without those that the path names, that the server fills in (``actor``), or that the asker's scope
may not say. ``at`` may be left out: then it is the moment the server took the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from aggregates.value import Value
from streams.web.problems import HttpProblem, pointer_of

FILLED_IN = frozenset({"actor"})
"""Fields of a command that the server fills in: who asks."""


def body_of(command: type, left_out: frozenset[str] = frozenset()) -> type[msgspec.Struct]:
    """Return the struct of a command's body, without the fields of ``left_out``."""
    return _body(command, frozenset(left_out) & set(get_type_hints(command)))


@cache
def _body(command: type, left_out: frozenset[str]) -> type[msgspec.Struct]:
    fields = [
        (name, hint, default) for name, hint, default in _fields(command) if name not in left_out and name not in FILLED_IN
    ]
    return _struct(command.__name__, command.__doc__, fields, optional_instant=True)


@cache
def _record(kind: type) -> type[msgspec.Struct]:
    """Return the strict counterpart of a value that is part of a command."""
    return _struct(kind.__name__, kind.__doc__, list(_fields(kind)))


def _struct(
    name: str, doc: str | None, fields: list[tuple[str, Any, Any]], optional_instant: bool = False
) -> type[msgspec.Struct]:
    made: list[Any] = []
    for field, hint, default in fields:
        if optional_instant and field == "at":
            made.append((field, int | None, None))
        elif default is msgspec.NODEFAULT and type(None) in get_args(hint):
            made.append((field, _strict(hint), None))
        elif default is msgspec.NODEFAULT:
            made.append((field, _strict(hint)))
        else:
            made.append((field, _strict(hint), default))
    struct = msgspec.defstruct(name, made, kw_only=True, frozen=True, forbid_unknown_fields=True, omit_defaults=True)
    struct.__doc__ = doc or ""
    return struct


def _fields(kind: type) -> list[tuple[str, Any, Any]]:
    """Return name, annotation and default of each field."""
    hints = get_type_hints(kind)
    return [
        (
            found.name,
            hints[found.name],
            found.default_factory() if found.default_factory is not msgspec.NODEFAULT else found.default,
        )
        for found in msgspec.structs.fields(kind)
    ]


def _strict(hint: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        made: Any = Union[tuple(_strict(one) for one in args)]  # noqa: UP007 - the members are known at run time
        return made
    if origin is tuple:
        return tuple[tuple(_strict(one) for one in args)]  # type: ignore[misc]
    if origin is Mapping:
        return dict[args[0], args[1]]  # type: ignore[valid-type]
    if isinstance(hint, type) and issubclass(hint, Value):
        return _record(hint)
    return hint


def decode(struct: type[msgspec.Struct], raw: bytes) -> Any:
    """Decode a body; no bytes are an empty body.

    Raises :class:`HttpProblem` 422 ``body_invalid`` with a JSON Pointer to what is wrong.
    """
    try:
        return _decoder(struct).decode(raw or b"{}")
    except msgspec.ValidationError as fault:
        sentence, pointer = pointer_of(str(fault))
        raise HttpProblem(422, "body_invalid", sentence, pointer=pointer) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise HttpProblem(400, "json_invalid", f"The body is not JSON: {str(fault).rstrip('.')}.") from None


@cache
def _decoder(struct: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(struct)


def command_from(command: type, body: msgspec.Struct, filled: Mapping[str, Any]) -> Any:
    """Return the command that a body says, with what the path and the server fill in."""
    told = {name: getattr(body, name) for name in body.__struct_fields__}
    known = hints_of(command)
    values = {name: value for name, value in {**nothing(command), **told, **filled}.items() if name in known}
    return command(**{name: _as(known[name], value) for name, value in values.items()})


@cache
def nothing(command: type) -> dict[str, None]:
    """Return the fields that may be None and have no default: what the scope left out of the body is not there."""
    fields = msgspec.structs.fields(command)
    return {one.name: None for one in fields if one.required and type(None) in get_args(hints_of(command)[one.name])}


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """Return the annotations of a value's fields, resolved."""
    return get_type_hints(kind)


def _as(hint: Any, value: Any) -> Any:
    """Return a value with strict records in it turned into the command's own."""
    origin, args = get_origin(hint), get_args(hint)
    if value is None:
        return None
    if origin in (UnionType, Union):
        return _as(next(one for one in args if one is not type(None)), value)
    if origin is tuple and isinstance(value, tuple) and args:
        return tuple([_as(args[0], one) for one in value])
    if isinstance(hint, type) and issubclass(hint, Value):
        hints = hints_of(hint)
        return hint(**{name: _as(hints[name], getattr(value, name)) for name in value.__struct_fields__})
    return value
