"""A policy document: the terms as plain data, which a file or an event holds. Zone, currency and version are not in it.

Scalars may be text, as a file has them: the expected type says how they are read, so ``1.5`` never becomes a float. Reading
raises nothing: what does not fit is a problem, and reads as if it were not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

from aggregates.decider import is_id
from aggregates.programme.terms import Programme
from aggregates.programme.text_values import Validity, rate, rate_text, validity, validity_text

Path: TypeAlias = tuple[str | int, ...]
"""Where in a document: field names, and places in lists from 0."""

Document: TypeAlias = Mapping[str, Any]


class Flaw(NamedTuple):
    path: Path
    reason: str


OF_THE_LOG = ("zone", "currency", "version", "digits")


@cache
def expected(kind: Any) -> dict[str, Any]:
    """Return what a document may say of a record: its fields by name, with their types."""
    hints = get_type_hints(kind)
    return {spec.name: hints[spec.name] for spec in fields(kind) if kind is not Programme or spec.name not in OF_THE_LOG}


def plain(terms: Programme) -> dict[str, Any]:
    """Return the complete document of these terms: no later default changes what it states."""
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


# DocumentReader

WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
WORDS = {"true": True, "yes": True, "false": False, "no": False}
ABSENT: Any = object()


def read(document: object, zone: str = "UTC", currency: str = "USD") -> tuple[Programme, list[Flaw]]:
    """Return the terms that a document states, and its problems. What it does not mention has its default.

    >>> terms, problems = read({"return_days": "30", "teirs": []})
    >>> terms.return_days, problems
    (30, [Flaw(path=('teirs',), reason="'teirs' is not known here; did you mean 'tiers'?")])
    """
    reading = DocumentReader()
    found = reading.record(Programme, document, ())
    terms = {} if found is ABSENT else {name: getattr(found, name) for name in expected(Programme)}
    return Programme(zone, currency, **terms), reading.problems


class DocumentReader:
    def __init__(self) -> None:
        self.problems: list[Flaw] = []

    def no(self, path: Path, reason: str) -> Any:
        self.problems.append(Flaw(path, reason))
        return ABSENT

    def record(self, kind: Any, plain: object, path: Path) -> Any:
        if not isinstance(plain, Mapping):
            return self.no(path, f"expected fields ({', '.join(expected(kind))}), not {shown(plain)}")
        known = expected(kind)
        for name in plain:
            if name not in known:
                self.no((*path, name), unknown(name, known, kind))
        told = {name: self.value(hint, plain[name], (*path, name)) for name, hint in known.items() if name in plain}
        values = {name: value for name, value in told.items() if value is not ABSENT}
        required = [spec.name for spec in fields(kind) if spec.default is MISSING]
        for name in required:
            if name not in told:
                self.no(path, f"{name!r} is missing")
        return kind(**values) if all(name in values for name in required) else ABSENT

    def value(self, hint: Any, plain: object, path: Path) -> Any:
        origin, args = get_origin(hint), get_args(hint)
        if origin is UnionType:
            return None if plain is None else self.value(args[0], plain, path)
        if origin is tuple and args[-1] is ...:
            return self.several(args[0], plain, path)
        if hint is Validity:
            return self.text_of(validity, plain, path, "expected never, 90 days, 6 months, end of month or end of year")
        if is_dataclass(hint):
            return self.record(hint, plain, path)
        if origin is Literal:
            choices = ", ".join(args)
            return plain if plain in args else self.no(path, f"expected one of {choices}, not {shown(plain)}")
        return self.scalar(hint, plain, path)

    def several(self, hint: Any, plain: object, path: Path) -> Any:
        if hint is str and isinstance(plain, str):
            plain = [plain]  # one is written without the brackets
        if not isinstance(plain, list | tuple):
            return self.no(path, f"expected a list, not {shown(plain)}")
        told = [self.value(hint, entry, (*path, place)) for place, entry in enumerate(plain)]
        return tuple(value for value in told if value is not ABSENT)

    def scalar(self, hint: Any, plain: object, path: Path) -> Any:
        if hint is str:
            fits = isinstance(plain, str) and is_id(plain)
            return plain if fits else self.no(path, f"expected a text of 1 to 200 characters, not {shown(plain)}")
        if hint is bool:
            told = plain if isinstance(plain, bool) else WORDS.get(plain) if isinstance(plain, str) else None
            return self.no(path, f"expected true or false, not {shown(plain)}") if told is None else told
        if hint is int:
            if isinstance(plain, str) and WHOLE.fullmatch(plain):
                return int(plain)
            whole = isinstance(plain, int) and not isinstance(plain, bool)
            return plain if whole else self.no(path, f"expected a whole number, not {shown(plain)}")
        return self.text_of(rate, plain, path, "expected a rate such as 2, 1.5, 3/2 or 50 %")

    def text_of(self, read: Any, plain: object, path: Path, wanted: str) -> Any:
        told = read(str(plain)) if isinstance(plain, str) or type(plain) is int else None
        return self.no(path, f"{wanted}, not {shown(plain)}") if told is None else told


def unknown(name: str, known: Mapping[str, Any], kind: type) -> str:
    if kind is Programme and name in OF_THE_LOG:
        return f"{name!r} is not said here: it belongs to the log"
    close = get_close_matches(str(name), known, 1)
    return f"{shown(name)} is not known here; " + (f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}")


def shown(plain: object) -> str:
    match plain:
        case None:
            return "nothing"
        case Mapping():
            return "fields"
        case list() | tuple():
            return "a list"
        case _:
            return repr(plain)[:80]


# What differs between two documents


def changes(before: object, after: object, path: Path = ()) -> Iterator[tuple[Path, object, object]]:
    """Yield what differs between two documents: the path, the value before and after (None: not there).

    Rules are matched by id or name; a change of their order is a difference, too.

    >>> list(changes({"tiers": [{"name": "a", "keep": 1}]}, {"tiers": [{"name": "b", "keep": 9}, {"name": "a", "keep": 2}]}))
    [(('tiers', 'b'), None, {'name': 'b', 'keep': 9}), (('tiers', 'a', 'keep'), 1, 2)]
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**after, **before}:
            yield from changes(before.get(name), after.get(name), (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and named(before) and named(after):
        old, new = by_name(before), by_name(after)
        yield from changes(old, new, path)
        if [name for name in old if name in new] != [name for name in new if name in old]:
            yield path, list(old), list(new)
    elif before != after:
        yield path, before, after


def dropped(before: Programme, after: Programme) -> Iterator[str]:
    """Yield what members may hold that the new terms do not have, and what becomes of it.

    >>> [said.split(":")[0] for said in dropped(Programme(), Programme(tiers=()))]
    ['Tier silver is gone', 'Tier gold is gone']
    """
    for wallet in before.wallets:
        if after.wallet(wallet.name) is None:
            yield (
                f"Wallet {wallet.name} is gone: members keep its points until they expire, but these cannot be spent, "
                "held, sent or given by hand until a version has it again."
            )
    for tier in before.tiers:
        if not after.rank(tier.name):
            yield (
                f"Tier {tier.name} is gone: who holds it earns as one without a tier, rises with the next purchase that "
                "reaches another, and has none after the next review."
            )


def named(entries: list[Any]) -> bool:
    return all(isinstance(entry, Mapping) and ("id" in entry or "name" in entry) for entry in entries)


def by_name(entries: list[Any]) -> dict[str, Any]:
    return {str(entry.get("id", entry.get("name"))): entry for entry in entries}
