"""How the command line says an event, or a rule, in words: any of them, by the names and types of its fields."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from aggregates.programme import Programme
from aggregates.programme.text_values import rate_text
from aggregates.value import Value
from streams.cli.console import instant, money

MONEY = ("net", "money", "paid")
UNTOLD = ("member", "at", "shown", "qualifying")


def said(fact: Any, terms: Programme, always: tuple[str, ...] = ()) -> str:
    """What is not at its default, and what is ``always`` told."""
    parts = []
    for name, default in defaults(fact).items():
        told = getattr(fact, name)
        if name in UNTOLD or told is None or told == () or (told == default and name not in always):
            continue
        words = spoken(name, told, terms)
        parts.append(words if name == "terms" else f"{name.replace('_', ' ')} {words}")
    return ", ".join(parts)


def defaults(fact: Any) -> dict[str, object]:
    """The fields of an event or a rule, in their order, and what each is where nothing is told; a mark where it must be."""
    specs = msgspec.structs.fields(fact) if isinstance(fact, Value) else dataclasses.fields(fact)
    return {spec.name: spec.default for spec in specs}


def spoken(name: str, told: Any, terms: Programme) -> str:
    if name == "terms":
        return f"version {told}"
    if name in MONEY and isinstance(told, int):
        return money(told, terms)
    if name in ("multiplier", "rate"):
        return f"×{rate_text(told)}"
    if name in ("until", "began") or name.endswith(("_until", "_from", "_at")):
        return instant(told, terms)
    if isinstance(told, Value) or dataclasses.is_dataclass(told):
        return f"({said(told, terms)})"
    if name == "bonuses" and is_pair(told[0]):
        return "; ".join(f"{points:,} from {money(threshold, terms)}" for threshold, points in told)
    if isinstance(told, tuple):
        return "; ".join(f"{one[0]} {one[1]:,}" if is_pair(one) else spoken("", one, terms) for one in told)
    return f"{told:,}" if type(told) is int else str(told)


def is_pair(told: object) -> bool:
    """Points of a lot."""
    return isinstance(told, tuple) and len(told) == 2 and isinstance(told[1], int)
