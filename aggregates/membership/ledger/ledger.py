"""What the ledger holds, and the small steps that its facts are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aggregates.membership.ledger.grants import Allocations
from aggregates.membership.ledger.lots import NEVER, Lot, Lots
from aggregates.membership.ledger.pools import Pool
from aggregates.membership.ledger.uses import IssuedLot
from aggregates.value import Value, replace


@dataclass(frozen=True)
class Hold:
    wallet: str
    order: str | None
    allocations: Allocations
    until: int
    money: int
    terms: int


@dataclass(frozen=True)
class Spent:
    """A redemption: ``left`` is what was not given back of its allocations, in their order."""

    wallet: str
    order: str | None
    points: int
    money: int
    left: Allocations

    @property
    def outstanding(self) -> int:
        return sum(points for _, points in self.left)


class Ledger(Value):
    """``debts``: points owed, by wallet. ``settled``: the names of what happened once, by kind. ``sent``: the local day of the
    latest transfer of each wallet, and the points sent on it. ``claims``: by name, the reward and its stock then.
    ``pool``: whose it is, if it is a pool's; ``inside``: the pool that its member is in.

    ``due``: the earliest instant at which time may bring something (an expiry, a hold's end, a debt that can be settled).
    """

    lots: Lots = Lots()
    debts: Mapping[str, int] = {}
    holds: Mapping[str, Hold] = {}
    redemptions: Mapping[str, Spent] = {}
    settled: frozenset[tuple[str, ...]] = frozenset()
    sent: Mapping[str, tuple[str, int]] = {}
    claims: Mapping[str, tuple[str, int | None]] = {}
    pool: Pool | None = None
    inside: str | None = None
    due: int = NEVER


def taken(state: Ledger, allocations: Allocations) -> Ledger:
    return given(state, tuple((lot, -points) for lot, points in allocations))


def given(state: Ledger, allocations: Allocations) -> Ledger:
    lots = state.lots
    for name, points in allocations:
        lot = lots[name]
        lots = lots.with_lot(lot._replace(remaining=lot.remaining + points))
    return replace(state, lots=lots)


def held(state: Ledger, allocations: Allocations, sign: int = 1) -> Ledger:
    lots = state.lots
    for name, points in allocations:
        lot = lots[name]
        lots = lots.with_lot(lot._replace(held=lot.held + sign * points))
    return replace(state, lots=lots)


def without_hold(state: Ledger, name: str) -> Ledger:
    after = held(state, state.holds[name].allocations, -1)
    return replace(after, holds={other: hold for other, hold in state.holds.items() if other != name})


def lapsing(lots: Lots, allocations: Allocations) -> list[Lot]:
    return [lots[name]._replace(lapsed=lots[name].lapsed + points) for name, points in allocations]


def issued(state: Ledger, new: Iterable[IssuedLot], at: int) -> Ledger:
    """New lots in place of points of others, which go on as what those were: whoever was sent them waits no shorter."""
    lots = []
    for lot in new:
        source = state.lots[lot.source]
        received = source.received_at
        lots.append(Lot(lot.lot, at, 0, lot.points, at, lot.expires_at, source.wallet, received_at=received))
    return replace(state, lots=state.lots.with_lots(lots))


def owing(state: Ledger, wallet: str, more: int) -> Mapping[str, int]:
    """What is owed, by wallet; nothing is not told."""
    debts = {**state.debts, wallet: state.debts.get(wallet, 0) + more}
    return {name: points for name, points in debts.items() if points}


def earliest(state: Ledger) -> int:
    due = min([hold.until for hold in state.holds.values()], default=NEVER)
    for lot in state.lots.all():
        if lot.remaining > 0:
            if lot.expires_at is not None and lot.expires_at < due:
                due = lot.expires_at
            if lot.active_from is not None and lot.active_from < due and lot.wallet in state.debts:
                due = lot.active_from
    return due
