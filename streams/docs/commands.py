"""Generates ``docs/commands.md`` from the registry: ``python -m streams.docs.commands``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from inspect import cleandoc, isclass
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from aggregates.value import Value
from streams.registry import COMMANDS, CONSOLE_ONLY, REACTIONS

INSTANT = 1_700_000_000_000
WORDS = {"currency": "USD", "birthday": "1990-12-31", "email": "ada@example.org", "query": "green tea", "tier": "gold"}
"""Values of the examples by field; other texts are made from the field's name."""
NUMBERS = {"half_stars": 9, "points": 100, "price": 499, "gross": 998, "total": 998, "paid": 998, "net": 998, "quantity": 2}

IN_WORDS = {str: "text", int: "whole number", bool: "`true` or `false`", float: "number", bytes: "bytes"}


def page() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "<!-- generated from the registry by `make docs`; a test keeps it up to date -->"
    yield ""
    yield "A command is a frozen struct. A program sends it in a `Request` to `Handler.handle`, as"
    yield "[the first program](first-program.md) does. Instants are UTC epoch milliseconds, money is in minor units."
    yield "A command may be refused, with one of [these codes](refusals.md); else it makes [events](events.md)."
    yield ""
    yield "| command | stream | |"
    yield "|---|---|---|"
    for command, route in COMMANDS.items():
        stream = "-".join((route.decider.name, *("{" + name + "}" for name in route.ids))).replace("|", "\\|")
        note = "follows by itself: nobody may send it" if command in REACTIONS else ""
        note = "the console alone sends it" if command in CONSOLE_ONLY else note
        yield f"| [`{command.__name__}`](#{command.__name__.lower()}) | `{stream}` | {note} |"
    yield ""
    for command in COMMANDS:
        yield from section(command)


def section(command: type) -> Iterator[str]:
    """Yield the part of the page about one command."""
    yield f"## {command.__name__}"
    yield ""
    if command.__doc__:
        yield cleandoc(command.__doc__)
        yield ""
    if command in REACTIONS:
        yield "Follows by itself: a request that asks for it is refused as `reaction_only`."
        yield ""
    else:
        yield "```"
        yield example_of(command)
        yield "```"
        yield ""
    yield "| field | type | default |"
    yield "|---|---|---|"
    hints = get_type_hints(command)
    for field in fields_of(command):
        yield f"| `{field.name}` | {type_text(hints[field.name])} | {default_text(field)} |"
    yield ""


def fields_of(kind: type) -> list[Any]:
    """Return the fields of a struct, in their order."""
    return list(msgspec.structs.fields(kind))


def is_required(field: Any) -> bool:
    return field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT


def default_text(field: Any) -> str:
    """Return a default as text, ``required`` if there is none."""
    if is_required(field):
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return {None: "none", (): "empty"}.get(value, f"`{value!r}`") if value.__hash__ and value != {} else "empty"


def type_text(hint: Any) -> str:
    """Return a type in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return " or ".join("none" if one is NoneType else type_text(one) for one in arguments)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return f"list of {type_text(arguments[0])}"
        return "(" + ", ".join(map(type_text, arguments)) + ")"
    if origin is not None and isclass(origin) and issubclass(origin, Mapping):
        return "object"
    if isclass(hint) and issubclass(hint, Value):
        return f"`{hint.__name__}({', '.join(field.name for field in fields_of(hint))})`"
    if isclass(hint) and issubclass(hint, Enum):
        return ", ".join(f"`{choice.value}`" for choice in hint)
    return IN_WORDS.get(hint, "any JSON")


def example_of(kind: type) -> str:
    """Return Python that makes a command with its required fields."""
    hints = get_type_hints(kind)
    given = [f"{field.name}={example_value(field.name, hints[field.name])}" for field in fields_of(kind) if is_required(field)]
    return f"{kind.__name__}({', '.join(given)})"


def example_value(name: str, hint: Any) -> str:
    """Return Python for a value of a field."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return example_value(name, arguments[0])
    if origin is Literal:
        return f'"{arguments[0]}"'
    if origin is tuple:
        several = len(arguments) == 2 and arguments[1] is Ellipsis
        parts = [example_value(name.removesuffix("s"), one) for one in (arguments[:1] if several else arguments)]
        return f"({', '.join(parts)},)"
    if isclass(hint) and issubclass(hint, Value):
        return example_of(hint)
    if hint is int:
        instant = name in ("at", "effective", "until", "starts", "ends")
        return f"{INSTANT:_}" if instant else str(NUMBERS.get(name, 1))
    if hint is bool:
        return "True"
    if hint is float:
        return "0.5"
    return f'"{WORDS.get(name, f"{name}-1")}"' if hint is str else "{}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - it is what this module is run for
