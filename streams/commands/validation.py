"""Validation of commands by the annotations of their fields, before anything is read or decided.

A value must have the type that its field declares, so that what is stored of it can be read again: text without half
characters, numbers that are exact in every reader of JSON, tuples for sequences. It must also keep the rules that stand beside
the type (``aggregates/fields.py``). Deciders judge only what depends on state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from math import isfinite
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

from aggregates.decider import Refusal
from aggregates.fields import Id, Instant, Rule
from aggregates.value import Value
from streams.registry import COMMANDS, REACTIONS

LARGEST = 2**53 - 1
OPTIONAL = (Union, UnionType)

Fits: TypeAlias = Callable[[Any], bool]

LONGEST_CITED = 60
"""Characters of a value that a sentence cites."""


class Form(NamedTuple):
    """What one kind of command must look like: its ``fields`` with their annotations, and a check for each."""

    values: Callable[[object], tuple[Any, ...]]
    checks: tuple[Fits, ...]
    fields: tuple[str, ...]
    hints: tuple[Any, ...]


def require_valid(command: object, by_time: bool = False) -> None:
    """Raise ``Refusal`` for an object that is not a command, for a reaction, and for a value that does not fit its field.

    ``by_time``: the command comes from a tick, which alone may record what is due.
    """
    kind = type(command)
    if kind in REACTIONS and not by_time:
        raise Refusal("reaction_only", f"{kind.__name__} follows from what happened; nobody asks for it.")
    form = FORMS.get(kind)
    if form is None:
        raise Refusal("command_unknown", f"{kind.__name__} is no command.")
    for number, value in enumerate(form.values(command)):
        if not form.checks[number](value):
            refuse(form.fields[number], form.hints[number], value, kind.__name__)


def refuse(path: str, hint: Any, value: Any, kind: str) -> None:
    """Raise the ``Refusal`` of the first part of a value that does not fit its annotation."""
    for part, wanted, found in misfits(path, hint, value):
        if isinstance(wanted, str):
            raise Refusal("command_invalid", f"{kind}: {part} must be {wanted}: got {cited(found)}.")
        wanted.refuse(found)


def misfits(path: str, hint: Any, value: Any) -> Iterator[tuple[str, str | Rule, Any]]:
    """Yield each part that does not fit: its path, the expected type or the broken rule, and what was given."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        found = list(misfits(path, args[0], value))
        yield from found or ((path, rule, value) for rule in args[1:] if not rule.accepts(value))
    elif fits_of(hint)(value):
        return
    elif origin in OPTIONAL:
        yield from misfits(path, args[0], value)
    elif origin is tuple and type(value) is tuple:
        for number, part in enumerate(value):
            if args[-1] is not ... and number >= len(args):
                yield path, "a shorter tuple", value
                return
            yield from misfits(f"{path}[{number}]", args[0] if args[-1] is ... else args[number], part)
    elif is_value(hint) and type(value) is hint:
        for name, inner in get_type_hints(hint, include_extras=True).items():
            yield from misfits(f"{path}.{name}", inner, getattr(value, name))
    else:
        yield path, described(hint), value


def described(hint: Any) -> str:
    """Return what a person calls a type.

    >>> described(int), described(tuple[str, ...])
    ('an int', 'a tuple')
    """
    names: dict[Any, str] = {str: "text", int: "an int", float: "a number", bool: "true or false"}
    origin = get_origin(hint)
    if origin is tuple:
        return "a tuple"
    if origin is Mapping:
        return "a mapping of names to values"
    if origin is Literal:
        return "text"
    return names.get(hint) or f"a {hint.__name__}"


def cited(value: object) -> str:
    """Return a value as a sentence cites it."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - whatever was given may not even have a text
        text = type(value).__name__
    return text if len(text) <= LONGEST_CITED else f"{text[: LONGEST_CITED - 1]}…"


def form_of(kind: type) -> Form:
    hints = get_type_hints(kind, include_extras=True)
    names = {name for field in COMMANDS[kind].ids for name in field.split(" | ")}
    for name, hint in hints.items():
        if name in names and get_origin(hint) is not Annotated:  # what names the stream is an id in any case
            hints[name] = Annotated[str, Id(name)] | None if get_origin(hint) in OPTIONAL else Annotated[hint, Id(name)]
        elif name == "at" and get_origin(hint) is not Annotated:
            hints[name] = Instant
    return Form(attrgetter(*hints), tuple(map(fits_of, hints.values())), tuple(hints), tuple(hints.values()))


def fits_of(hint: Any) -> Fits:
    """Return a check of values by their annotation."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return with_rules(fits_of(args[0]), args[1:])
    if origin in OPTIONAL:
        fits = fits_of(args[0])
        return lambda value: value is None or fits(value)
    if origin is tuple and args[-1] is not ...:
        each = [fits_of(arg) for arg in args]
        return lambda value: (
            type(value) is tuple and len(value) == len(each) and all(f(v) for f, v in zip(each, value, strict=True))
        )
    if origin is tuple:
        fits = fits_of(args[0])
        return lambda value: type(value) is tuple and all(map(fits, value))
    if origin is Mapping:
        fits = fits_of(args[1])
        return lambda value: isinstance(value, dict) and all(map(is_text, value)) and all(map(fits, value.values()))
    if is_value(hint):
        return of_record(hint)
    return SCALARS[str if origin is Literal else hint]


def with_rules(fits: Fits, rules: tuple[Rule, ...]) -> Fits:
    if len(rules) == 1:
        accepts = rules[0].accepts
        return lambda value: fits(value) and accepts(value)
    return lambda value: fits(value) and all(rule.accepts(value) for rule in rules)


def is_value(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Value)


def of_record(kind: Any) -> Fits:
    hints = get_type_hints(kind, include_extras=True)
    values = attrgetter(*hints)
    fit = [fits_of(hint) for hint in hints.values()]

    def fits(value: object) -> bool:
        if type(value) is not kind:
            return False
        for number, part in enumerate(values(value)):  # noqa: SIM110 - a generator would take twice as long
            if not fit[number](part):
                return False
        return True

    return fits


def is_text(value: object) -> bool:
    """Return whether a value is text that can be stored and read again.

    >>> is_text("tea"), is_text(chr(0xD800)), is_text(b"tea")
    (True, False, False)
    """
    if type(value) is not str and not (isinstance(value, str) and isinstance(value, Enum)):
        return False  # other kinds of text, such as NumPy's, would be read again as something else
    return value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value)


def is_whole(value: object) -> bool:
    return type(value) is int and -LARGEST <= value <= LARGEST


def is_number(value: object) -> bool:
    return (type(value) is float and isfinite(value)) or is_whole(value)


SCALARS: dict[Any, Fits] = {
    str: is_text,
    int: is_whole,
    float: is_number,
    bool: lambda value: isinstance(value, bool),
    Any: lambda _: True,
}

FORMS = {kind: form_of(kind) for kind in COMMANDS}
