"""How the command line says an event, or a rule, in words: any of them, by the names and types of its fields."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from aggregates.programme import Programme
from aggregates.programme.rate import rate_text
from streams.cli.console import instant, money

MONEY = ("net", "money", "paid")
UNTOLD = ("member", "at", "shown", "qualifying")


def said(fact: Any, terms: Programme, always: tuple[str, ...] = ()) -> str:
    """What is not at its default, and what is ``always`` told."""
    parts = []
    for spec in fields(fact):
        told = getattr(fact, spec.name)
        if spec.name in UNTOLD or told is None or told == () or (told == spec.default and spec.name not in always):
            continue
        words = spoken(spec.name, told, terms)
        parts.append(words if spec.name == "terms" else f"{spec.name.replace('_', ' ')} {words}")
    return ", ".join(parts)


def spoken(name: str, told: Any, terms: Programme) -> str:
    if name == "terms":
        return f"version {told}"
    if name in MONEY and isinstance(told, int):
        return money(told, terms)
    if name in ("multiplier", "rate"):
        return f"×{rate_text(told)}"
    if name in ("until", "began") or name.endswith(("_until", "_from", "_at")):
        return instant(told, terms)
    if is_dataclass(told):
        return f"({said(told, terms)})"
    if name == "bonuses" and is_pair(told[0]):
        return "; ".join(f"{points:,} from {money(threshold, terms)}" for threshold, points in told)
    if isinstance(told, tuple):
        return "; ".join(f"{one[0]} {one[1]:,}" if is_pair(one) else spoken("", one, terms) for one in told)
    return f"{told:,}" if type(told) is int else str(told)


def is_pair(told: object) -> bool:
    """Points of a lot."""
    return isinstance(told, tuple) and len(told) == 2 and isinstance(told[1], int)
