"""Whether a command is what its type says, before anything is looked up or decided by it.

Deciders judge what values mean. Here they are what they are declared to be, so that whatever is stored of them can be read
again: text without half characters, numbers that are exact in every reader of JSON, tuples for what has an order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from math import isfinite
from operator import attrgetter
from types import UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

from aggregates.decider import Refusal, require_id
from aggregates.programme import Policies
from aggregates.value import Value
from streams.registry import COMMANDS

LARGEST = 2**53 - 1

Fits: TypeAlias = Callable[[Any], bool]


class Form(NamedTuple):
    """``told``: a command's values, without the policies, which are the shop's to fill in; ``fits`` judges each of them.

    ``names``: the fields that name its stream.
    """

    told: Callable[[object], tuple[Any, ...]]
    fits: tuple[Fits, ...]
    fields: tuple[str, ...]
    names: tuple[str, ...]


def require_well_formed(command: object) -> None:
    """Refuse what is no command, a value of another type than its field's, and names that name no stream."""
    kind = type(command)
    if kind not in COMMANDS:
        raise Refusal("command_unknown", f"{kind.__name__} is no command.")
    form = FORMS[kind]
    for number, value in enumerate(form.told(command)):
        if not form.fits[number](value):
            name = form.fields[number]
            wanted = str(get_type_hints(kind)[name]).removeprefix("<class '").removesuffix("'>")
            raise Refusal("command_invalid", f"The {name} of a {kind.__name__} is no {wanted} that can be written down.")
    for name in form.names:
        if (value := getattr(command, name)) is not None:
            require_id(name, value)


def form_of(kind: type) -> Form:
    hints = {name: hint for name, hint in get_type_hints(kind).items() if hint is not Policies}
    named = {name for field in COMMANDS[kind].ids for name in field.split(" | ")}
    fits = tuple(fits_of(hint) for hint in hints.values())
    return Form(attrgetter(*hints), fits, tuple(hints), tuple(name for name in hints if name in named))


def fits_of(hint: Any) -> Fits:
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        fits = fits_of(args[0])
        return lambda value: value is None or fits(value)
    if origin is tuple:
        fits = fits_of(args[0])
        return lambda value: type(value) is tuple and all(map(fits, value))
    if origin is Mapping:
        fits = fits_of(args[1])
        return lambda value: isinstance(value, dict) and all(map(is_text, value)) and all(map(fits, value.values()))
    if isinstance(hint, type) and issubclass(hint, Value):
        return of_record(hint)
    return SCALARS[str if origin is Literal else hint]


def of_record(kind: Any) -> Fits:
    hints = get_type_hints(kind)
    told = attrgetter(*hints)
    fit = [fits_of(hint) for hint in hints.values()]

    def fits(value: object) -> bool:
        if type(value) is not kind:
            return False
        for number, part in enumerate(told(value)):  # noqa: SIM110 - a generator would take twice as long
            if not fit[number](part):
                return False
        return True

    return fits


def is_text(value: object) -> bool:
    """
    >>> is_text("tea"), is_text(chr(0xD800)), is_text(b"tea")
    (True, False, False)
    """
    if type(value) is not str and not (isinstance(value, str) and isinstance(value, Enum)):
        return False  # other kinds of text, such as NumPy's, are not what would be read again
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
