"""The tier of a card in words: what is held, what is ahead, and what changes when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aggregates.programme import Programme
from streams.cli.console import instant, money

COUNTED = {"orders": "orders", "points": "points", "engagement": "points of engagement"}


def tier_in_words(card: dict[str, Any], terms: Programme) -> str:
    """
    >>> card = {"tier": "silver", "next_tier": "gold", "to_next_tier": 180000, "qualifying": 120000, "metric": "spend"}
    >>> tier_in_words(card | {"leaving": 80000, "forecast": None, "override": None, "earned_tier": "silver"}, Programme())
    'silver; 1,800.00 USD to gold (1,200.00 USD count, 800.00 USD of them leave within 30 days)'
    """
    metric = card["metric"]
    ahead = f"{amount(card['to_next_tier'], metric, terms)} to {card['next_tier']}" if card["next_tier"] else "the highest"
    leaving = f", {amount(card['leaving'], metric, terms)} of them leave within 30 days" if card["leaving"] else ""
    forecast = f"; at this pace reached by {instant(card['forecast'], terms)[:10]}" if card["forecast"] else ""
    override = card["override"]
    over = f" (a {override['kind']}; {card['earned_tier']} is earned)" if override else ""
    return f"{card['tier']}{over}; {ahead} ({amount(card['qualifying'], metric, terms)} count{leaving}){forecast}"


def amount(value: int, metric: str, terms: Programme) -> str:
    return money(value, terms) if metric == "spend" else f"{value:,} {COUNTED[metric]}"


def benefits_in_words(benefits: dict[str, Any]) -> str:
    """
    >>> benefits_in_words({"free_shipping": True, "early_access_hours": 24, "service_priority": 0, "perks": ["tea"]})
    'free shipping, early access hours 24, tea'
    """
    told = [name.replace("_", " ") + ("" if value is True else f" {value}") for name, value in flags(benefits) if value]
    return ", ".join((*told, *benefits["perks"])) or "-"


def flags(benefits: dict[str, Any]) -> Iterator[tuple[str, int]]:
    return ((name, value) for name, value in benefits.items() if name != "perks")


def tier_changes(card: dict[str, Any], terms: Programme) -> Iterator[str]:
    """What time brings to it, a line each."""
    if card["provisional_until"]:
        yield f"{instant(card['provisional_until'], terms)}: the tier is no longer provisional"
    if card["grace_until"]:
        yield f"{instant(card['grace_until'], terms)}: the grace of {card['earned_tier']} ends"
    elif card["tier_until"]:
        yield f"{instant(card['tier_until'], terms)}: {card['earned_tier']} is reviewed"
    if card["override"] and card["override"]["until"]:
        yield f"{instant(card['override']['until'], terms)}: the {card['override']['kind']} of {card['override']['tier']} ends"
