"""Members computed anew from their orders: what each order earns and gives back, and every change of their tier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TypeAlias

import orjson

from aggregates.programme import Programme
from infra.event_log.log import EventLog
from tests.verify.points.calendar import end_of
from tests.verify.points.reference_points import Line, Order, worth
from tests.verify.points.reference_tiers import Tiers
from tests.verify.points.roll_forward import Raw

TOLD = {"OrderPaid", "OrderRefunded", "PointsGranted", "PointsClawedBack", "TierOverridden"}
CHANGES = {"TierRaised", "TierExtended", "TierLowered"}

Told: TypeAlias = tuple[str, Raw]


def told_of(log: EventLog, wanted: Callable[[str], bool]) -> dict[str, list[Told]]:
    """By member, in the order of the log: what happened, and what the ledger made of it."""
    told: defaultdict[str, list[Told]] = defaultdict(list)
    position = 0
    while rows := log.since(position, 10_000):
        for row in rows:
            name = row.name.partition(".")[0]
            if name in TOLD or name in CHANGES:
                raw = orjson.loads(row.state)
                if raw["member"] is not None and wanted(raw["member"]):
                    told[raw["member"]].append((name, raw))
        position = rows[-1].position
    return told


def differences(told: list[Told], terms: Programme, until: int) -> Iterator[str]:
    """Where the ledger of a member says something else than the reference, up to ``until``."""
    orders: dict[str, Order] = {}
    tiers = Tiers(terms, orders)
    granted: Expected = {}
    clawed: Expected = {}
    for name, raw in told:
        now = raw["at"]
        match name:
            case "OrderPaid":
                tiers.advance(now)
                if raw["net"] > 0:
                    order = orders[raw["order"]] = paid(raw, tiers.in_effect(now))
                    order.earned = worth(order, terms)
                    granted |= {(order.order, rule): points for rule, points in order.earned.items() if points}
                    tiers.bought(now)
            case "OrderRefunded":
                tiers.advance(now)
                if (known := orders.get(raw["order"])) is not None:
                    clawed |= {(rule, raw["refund"]): points for rule, points in refund(known, raw, terms).items() if points}
                    tiers.refunded(now)
            case "TierOverridden":
                tiers.advance(now)
                tiers.overridden(raw["kind"], raw["tier"], raw["until"])
    tiers.advance(until)
    yield from unlike("granted", granted, {(raw["order"], raw["rule"]): raw["points"] for raw in of(told, "PointsGranted")})
    yield from unlike("clawed back", clawed, clawed_back(told))
    found = [(raw["at"], raw["tier"], raw["valid_until"]) for name, raw in told if name in CHANGES]
    if found != tiers.changes:
        yield f"tiers {found}, but {tiers.changes} by the reference"


Expected: TypeAlias = dict[tuple[str, str], int]
"""Points by order and rule, or by rule and refund."""


def paid(raw: Raw, tier: str) -> Order:
    lines = tuple(Line(line["product"], line["department"], line["category"]) for line in raw["lines"])
    return Order(raw["order"], raw["at"], lines, [line["paid"] for line in raw["lines"]], raw["net"], tier)


def refund(order: Order, raw: Raw, terms: Programme) -> dict[str, int]:
    """What a refund takes back, by rule: it never earns."""
    order.net = raw["net_retained"]
    back = {line: money for line, _, money in raw["parts"]}
    order.left = [left - back.get(line, 0) for line, left in enumerate(order.left, 1)]
    before, after = order.earned, worth(order, terms)
    order.earned = {rule: min(points, after[rule]) for rule, points in before.items()}
    return {rule: points - order.earned[rule] for rule, points in before.items()}


def clawed_back(told: list[Told]) -> Expected:
    rules = {raw["lot"]: raw["rule"] for raw in of(told, "PointsGranted")}
    return {(rules[raw["lot"]], raw["reversal"]): raw["points"] for raw in of(told, "PointsClawedBack")}


def of(told: list[Told], wanted: str) -> Iterator[Raw]:
    return (raw for name, raw in told if name == wanted)


def unlike(what: str, expected: Expected, found: Expected) -> Iterator[str]:
    for key in expected.keys() | found.keys():
        if expected.get(key, 0) != found.get(key, 0):
            yield f"{key}: {found.get(key, 0)} {what}, but {expected.get(key, 0)} by the reference"


def recomputed(log: EventLog, terms: Programme, until: str, wanted: Callable[[str], bool]) -> tuple[int, list[str]]:
    """How many members were computed anew, and all differences, in words."""
    told = told_of(log, wanted)
    ends = end_of(until) - 1
    return len(told), [f"member {member}: {said}" for member, mine in told.items() for said in differences(mine, terms, ends)]
