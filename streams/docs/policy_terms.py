"""Generates ``docs/policy-terms.md`` from the types of the terms: ``python -m streams.docs.policy_terms``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from inspect import getdoc
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import orjson

from aggregates.programme import Programme, Rate, Validity
from aggregates.programme.document import expected, stated


def page() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# Every term of a policy"
    yield ""
    yield "<!-- generated from the terms by `make docs`; a test keeps it up to date -->"
    yield ""
    yield "What a [policy file](policy.md) may say, record by record. A term without a default is required."
    yield ""
    for kind in records(Programme):
        yield from record(kind)


def records(kind: Any) -> list[Any]:
    """Return a record and the records within it, each once, in the order of their first use."""
    found = [kind]
    for hint in expected(kind).values():
        if is_dataclass(inner := inner_of(hint)) and inner is not Validity:
            found += [one for one in records(inner) if one not in found]
    return found


def inner_of(hint: Any) -> Any:
    origin = get_origin(hint)
    several = origin is UnionType or (origin is tuple and hint != Rate)
    return get_args(hint)[0] if several else hint


def record(kind: Any) -> Iterator[str]:
    """Yield the part of the page about one record."""
    yield f"## {kind.__name__}"
    yield ""
    if not (getdoc(kind) or "").startswith(f"{kind.__name__}("):  # the docstring that a dataclass makes for itself
        yield (getdoc(kind) or "").partition("\n\n>>>")[0].rstrip()
        yield ""
    yield "| term | what | default |"
    yield "|---|---|---|"
    defaults = {spec.name: spec.default for spec in fields(kind)}
    for name, hint in expected(kind).items():
        yield f"| `{name}` | {what(hint)} | {default(hint, defaults[name])} |"
    yield ""


def what(hint: Any) -> str:
    """Return a type in words."""
    origin, args = get_origin(hint), get_args(hint)
    if hint == Rate:
        return "a rate"
    if origin is UnionType:
        return f"{what(args[0])}, or `null`"
    if origin is tuple:
        return f"a list: each {what(args[0])}"
    if origin is Literal:
        return " ".join(f"`{choice}`" for choice in args)
    if is_dataclass(hint) and hint is not Validity:
        name = getattr(hint, "__name__", "")
        return f"[{name}](#{name.lower()})"
    return {str: "a text", bool: "`true` or `false`", int: "a whole number", Validity: "a validity"}[hint]


def default(hint: Any, given: Any) -> str:
    """Return a default as it is written in a policy file; nothing for a record or a list with entries."""
    told = None if given is MISSING else stated(hint, given)
    if given is MISSING or isinstance(told, dict) or (isinstance(told, list) and told):
        return ""
    return f"`{told if isinstance(told, str) else orjson.dumps(told).decode()}`"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - it is what this module is run for
