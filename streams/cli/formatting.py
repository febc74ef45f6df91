"""How the command line writes money, instants, events and rules."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from aggregates.decider import LATEST_INSTANT
from aggregates.programme import Programme
from aggregates.programme.text_values import rate_text
from aggregates.value import Value

MONEY = ("net", "money", "paid", "price", "gross", "total", "tax", "discount")
OF_METRIC = ("missing", "leaving")
SKIPPED = ("member", "at", "shown", "qualifying")


def format_money(amount: int, terms: Programme) -> str:
    """Return minor units as an amount with its currency.

    >>> format_money(-123456, Programme()), format_money(5, Programme())
    ('-1,234.56 USD', '0.05 USD')
    """
    unit = terms.unit
    whole, part = divmod(abs(amount), unit)
    digits = f".{part:0{len(str(unit)) - 1}}" if unit > 1 else ""
    return f"{'-' * (amount < 0)}{whole:,}{digits} {terms.currency}"


def format_instant(at: int | None, terms: Programme) -> str:
    """Return an instant in the shop's own time, to the minute; ``-`` for None."""
    if at is None:
        return "-"
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(terms.zone)).strftime("%Y-%m-%d %H:%M")


def read_instant(text: str, zone: str, option: str = "--at") -> int:
    """Return the UTC epoch milliseconds of ISO 8601 text; without an offset, it is a time in ``zone``.

    Raises :class:`click.BadParameter` for anything else, and for an instant before 1970 or from the year 9000 on.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not ISO 8601: write 2027-03-06T00:00.", param_hint=option) from None
    then = round((read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)
    if not 0 <= then < LATEST_INSTANT:
        raise click.BadParameter(f"{text!r} is too early or too late: from 1970 on, before the year 9000.", param_hint=option)
    return then


def describe(fact: Any, terms: Programme, always: tuple[str, ...] = (), most: int | None = None) -> str:
    """Return the fields of an event or a rule in words: those that differ from their defaults, and those in ``always``.

    Of a list of more than ``most`` entries, only their number.
    """
    parts = []
    for name, default in defaults(fact).items():
        value = getattr(fact, name)
        if name in SKIPPED or value is None or value == () or (value == default and name not in always):
            continue
        long = most is not None and isinstance(value, tuple) and len(value) > most
        spend = name in OF_METRIC and getattr(fact, "metric", None) == "spend"
        words = f"{len(value):,}" if long else describe_value("money" if spend else name, value, terms)
        parts.append(words if name == "terms" else f"{name.replace('_', ' ')} {words}")
    return ", ".join(parts)


def defaults(fact: Any) -> dict[str, object]:
    """Return the fields of an event or a rule in their order, each with its default, or a mark where it has none."""
    specs = msgspec.structs.fields(fact) if isinstance(fact, Value) else dataclasses.fields(fact)
    return {spec.name: spec.default for spec in specs}


def describe_value(name: str, value: Any, terms: Programme) -> str:
    """Return the value of the field ``name`` in words."""
    if name == "terms":
        return f"version {value}"
    if name in MONEY and isinstance(value, int):
        return format_money(value, terms)
    if name in ("multiplier", "rate"):
        return f"×{rate_text(value)}"
    if name in ("until", "began", "forecast") or name.endswith(("_until", "_from", "_at")):
        return format_instant(value, terms)
    if isinstance(value, Value) or dataclasses.is_dataclass(value):
        return f"({describe(value, terms)})"
    if name == "bonuses" and is_pair(value[0]):
        return "; ".join(f"{points:,} from {format_money(threshold, terms)}" for threshold, points in value)
    if isinstance(value, dict):
        return "; ".join(f"{key} {describe_value(str(key), one, terms)}" for key, one in value.items()) or "none"
    if isinstance(value, tuple):
        return "; ".join(f"{one[0]} {one[1]:,}" if is_pair(one) else describe_value("", one, terms) for one in value)
    return f"{value:,}" if type(value) is int else str(value)


def is_pair(value: object) -> bool:
    """Whether it is a lot with its points, or a threshold with its points."""
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int)
