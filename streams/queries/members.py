"""A member's card as of now: Redis has it as of the member's last event, and time has moved since."""

from __future__ import annotations

from typing import Any, TypeAlias

from aggregates.programme import Programme

Document: TypeAlias = dict[str, Any]


def card_at(card: Document, now: int) -> Document:
    """Return a card as of ``now`` in UTC epoch ms: what has become spendable or has expired since, is.

    The rule is that of ``docs/read-models.md``: the latest of ``changes`` by then.
    """
    if now <= card["as_of"] or card["status"] == "erased":
        return card
    wallets = {name: points_at(wallet, now) for name, wallet in card["wallets"].items()}
    return points_at(card, now) | {"wallets": wallets, "as_of": now}


def points_at(purse: Document, now: int) -> Document:
    """Return the points of a wallet as of ``now``.

    >>> purse = {"balance": 0, "pending": 64, "changes": [{"at": 5, "balance": 64, "pending": 0}], "expiries": []}
    >>> points_at(purse | {"activations": [{"at": 5, "points": 64}]}, 9)["points"]
    64
    """
    balance, pending, since = purse["balance"], purse["pending"], 0
    for change in purse["changes"]:
        if change["at"] <= now:
            balance, pending, since = change["balance"], change["pending"], change["at"]
    if purse["changes"] and since == purse["changes"][-1]["at"]:  # a card lists the next eight; after them, add up
        for one in purse["activations"]:
            if since < one["at"] <= now:
                balance, pending = balance + one["points"], pending - one["points"]
        balance -= sum(one["points"] for one in purse["expiries"] if since < one["at"] <= now)
    due = {name: [one for one in purse[name] if one["at"] > now] for name in ("activations", "expiries", "changes")}
    return purse | due | {"balance": balance, "pending": pending, "points": max(0, balance), "debt": max(0, -balance)}


def next_tier(card: Document, terms: Programme) -> tuple[str, int] | None:
    """Return the tier after a card's tier and what is missing to it, None at the highest.

    Before a member's first purchase a card does not name it: then it is the lowest that the policy has.
    """
    if card["next_tier"] is not None:
        return card["next_tier"], card["to_next_tier"]
    rank = terms.rank(card["tier"])
    if rank >= len(terms.tiers):
        return None
    tier = terms.tiers[rank]
    return tier.name, max(0, tier.threshold * terms.scale - card["qualifying"])
