"""Reading a policy document.

Scalars may be text, as a file has them: what is expected says how they are read, so ``1.5`` never becomes a float. Nothing is
thrown: what does not fit is told as a problem and reads as if it were not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from aggregates.decider import is_id
from aggregates.programme.document import OF_THE_LOG, Path, Problem, expected
from aggregates.programme.rate import rate
from aggregates.programme.terms import Programme
from aggregates.programme.validity import Validity, validity

WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
WORDS = {"true": True, "yes": True, "false": False, "no": False}
ABSENT: Any = object()


def read(document: object, zone: str = "UTC", currency: str = "USD") -> tuple[Programme, list[Problem]]:
    """The terms that a document states, and what in it states none. Whatever it does not mention has its default.

    >>> terms, problems = read({"return_days": "30", "teirs": []})
    >>> terms.return_days, problems
    (30, [Problem(path=('teirs',), reason="'teirs' is not known here; did you mean 'tiers'?")])
    """
    reading = Reading()
    found = reading.record(Programme, document, ())
    terms = {} if found is ABSENT else {name: getattr(found, name) for name in expected(Programme)}
    return Programme(zone, currency, **terms), reading.problems


class Reading:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def no(self, path: Path, reason: str) -> Any:
        self.problems.append(Problem(path, reason))
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
