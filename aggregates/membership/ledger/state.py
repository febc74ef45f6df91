"""The state of a ledger, the fold of its events, and what time brings to it.

The fold selects nothing: every event names the lots that it moves. What time brings is an event of its own instant, so a ledger
is the same at any instant whether it was recorded when due, much later, or never.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from aggregates.membership.ledger.events import (
    DebtSettled,
    GrantEvent,
    HoldCaptured,
    HoldReleased,
    IssuedLot,
    LotActivated,
    LotExpired,
    MoveEvent,
    PointsAdjusted,
    PointsClawedBack,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsReinstated,
    PointsReturned,
    PointsTransferred,
    PoolEntered,
    PoolEvent,
    PoolExited,
    PoolJoined,
    PoolLeft,
    PoolUsed,
    RewardClaimed,
    RewardReturned,
    UseEvent,
)
from aggregates.membership.ledger.lots import DEFAULT_WALLET, NEVER, Allocations, Lot, Lots, fefo
from aggregates.value import Value, replace

LedgerEvent: TypeAlias = GrantEvent | UseEvent | MoveEvent | PoolEvent


@dataclass(frozen=True)
class Hold:
    wallet: str
    order: str | None
    allocations: Allocations
    until: int
    money: int
    terms: int


@dataclass(frozen=True)
class SpentPoints:
    """A redemption. ``left`` are its allocations that were not given back, in their order."""

    wallet: str
    order: str | None
    points: int
    money: int
    left: Allocations

    @property
    def outstanding(self) -> int:
        return sum(points for _, points in self.left)


@dataclass(frozen=True)
class Pool:
    owner: str
    members: frozenset[str]


class Ledger(Value):
    """``debts`` maps wallets to the points owed. ``settled`` holds the ids of what happened once, with their kind. ``sent``
    maps wallets to the local day of the latest transfer and the points sent on it. ``claims`` maps ids to the reward and its
    stock then. ``pool`` is set if this is a pool's ledger; ``inside`` is the pool that its member has joined.

    ``due`` is the earliest instant at which time may bring something: an expiry, the end of a hold, a debt that can be paid.
    """

    lots: Lots = Lots()
    debts: Mapping[str, int] = {}
    holds: Mapping[str, Hold] = {}
    redemptions: Mapping[str, SpentPoints] = {}
    settled: frozenset[tuple[str, ...]] = frozenset()
    sent: Mapping[str, tuple[str, int]] = {}
    claims: Mapping[str, tuple[str, int | None]] = {}
    pool: Pool | None = None
    inside: str | None = None
    due: int = NEVER


def evolve_ledger(state: Ledger, event: LedgerEvent) -> Ledger:
    match event:
        case PointsGranted():
            by_action = event.order is None
            lot = Lot(event.lot, event.at, event.points, event.points, wallet=event.wallet, by_action=by_action)
            return replace(state, lots=state.lots.with_lot(lot))
        case LotActivated():
            lot = state.lots[event.lot]._replace(active_from=event.active_from, expires_at=event.expires_at)
            after = replace(state, lots=state.lots.with_lot(lot))
            return replace(after, due=earliest_due(after)) if event.expires_at is not None or state.debts else after
        case _:
            after = evolve_rarely(state, event)
            return replace(after, due=earliest_due(after))


def evolve_rarely(state: Ledger, event: PointsClawedBack | UseEvent | MoveEvent | PoolEvent) -> Ledger:
    match event:
        case PointsClawedBack():
            own = state.lots[event.lot]
            own = own._replace(earned=own.earned - event.points, lapsed=own.lapsed - event.lapsed)
            after = take_points(replace(state, lots=state.lots.with_lot(own)), event.allocations)
            settled = state.settled | {("clawback", event.lot, event.reversal)}
            return replace(after, debts=debts_with(state, event.wallet, event.debt_added), settled=settled)
        case PointsRedeemed():
            spent = SpentPoints(event.wallet, event.order, event.points, event.money, event.allocations)
            return replace(take_points(state, event.allocations), redemptions={**state.redemptions, event.redemption: spent})
        case RewardClaimed():
            settled = state.settled | {("claim", event.claim)}
            return replace(state, claims={**state.claims, event.claim: (event.reward, event.stock)}, settled=settled)
        case RewardReturned():
            return replace(state, claims={name: told for name, told in state.claims.items() if name != event.claim})
        case PointsReturned():
            return evolve_return(state, event)
        case PointsHeld():
            hold = Hold(event.wallet, event.order, event.allocations, event.until, event.money, event.terms)
            settled = state.settled | {("hold", event.hold)}
            after = set_apart(take_points(state, event.allocations), event.allocations)
            return replace(after, holds={**state.holds, event.hold: hold}, settled=settled)
        case HoldCaptured():
            return give_points(without_hold(state, event.hold), event.allocations)
        case HoldReleased():
            after = give_points(without_hold(state, event.hold), event.restored)
            after = replace(after, lots=after.lots.with_lots(lapse_lots(after.lots, event.lapsed)))
            return add_issued(after, event.reissued, event.at)
        case PoolJoined() | PoolEntered() | PoolLeft() | PoolExited() | PoolUsed():
            return evolve_pool(state, event)
        case _:
            return evolve_move(state, event)


def evolve_pool(state: Ledger, event: PoolEvent) -> Ledger:
    members = state.pool.members if state.pool else frozenset()
    match event:
        case PoolJoined():
            return replace(state, pool=Pool(event.owner, members | {event.joiner}))
        case PoolLeft():
            return replace(state, pool=Pool(state.pool.owner if state.pool else event.leaver, members - {event.leaver}))
        case PoolEntered():
            return replace(state, inside=event.pool)
        case PoolExited():
            return replace(state, inside=None)
        case PoolUsed():
            return state
        case _:
            assert_never(event)


def evolve_move(state: Ledger, event: MoveEvent) -> Ledger:
    match event:
        case DebtSettled():
            return replace(
                take_points(state, ((event.lot, event.points),)), debts=debts_with(state, event.wallet, -event.points)
            )
        case LotExpired():
            after = take_points(state, ((event.lot, event.points),))
            return replace(after, lots=after.lots.with_lots(lapse_lots(after.lots, ((event.lot, event.points),))))
        case PointsAdjusted():
            after = take_points(state, event.allocations)
            if event.lot is not None:
                lot = Lot(event.lot, event.at, 0, event.points, event.at, event.expires_at, event.wallet)
                after = replace(after, lots=after.lots.with_lot(lot))
            return replace(after, settled=state.settled | {("adjustment", event.adjustment)})
        case PointsReinstated():
            source = state.lots[event.source]
            after = replace(state, lots=state.lots.with_lot(source._replace(lapsed=source.lapsed - event.points)))
            new = IssuedLot(event.lot, event.source, event.points, event.expires_at)
            settled = state.settled | {("reinstatement", event.reinstatement)}
            return replace(add_issued(after, (new,), event.at), settled=settled)
        case PointsTransferred():
            sender = (event.other,) if event.direction == "in" else ()  # each sender names their own
            settled = state.settled | {("transfer", event.direction, event.transfer, *sender)}
            return replace(evolve_transfer(state, event), settled=settled)
        case _:
            assert_never(event)


def evolve_transfer(state: Ledger, event: PointsTransferred) -> Ledger:
    if event.direction == "in":
        lots = [
            Lot(new.lot, event.at, 0, new.points, event.at, new.expires_at, event.wallet, received_at=event.at)
            for new in event.lots
        ]
        return replace(state, lots=state.lots.with_lots(lots))
    day, before = state.sent.get(event.wallet, (event.day, 0))
    sent = {**state.sent, event.wallet: (event.day, event.points + (before if day == event.day else 0))}
    return replace(take_points(state, tuple((new.source, new.points) for new in event.lots)), sent=sent)


def evolve_return(state: Ledger, event: PointsReturned) -> Ledger:
    spent = state.redemptions[event.redemption]
    back = dict(event.restored)
    for new in event.reissued:
        back[new.source] = back.get(new.source, 0) + new.points
    left = tuple((lot, points - back.get(lot, 0)) for lot, points in spent.left if points > back.get(lot, 0))
    now = SpentPoints(spent.wallet, spent.order, spent.points, spent.money, left)
    settled = state.settled | {("return", event.redemption, event.reversal)}
    after = add_issued(give_points(state, event.restored), event.reissued, event.at)
    return replace(after, redemptions={**state.redemptions, event.redemption: now}, settled=settled)


def take_points(state: Ledger, allocations: Allocations) -> Ledger:
    return give_points(state, tuple((lot, -points) for lot, points in allocations))


def give_points(state: Ledger, allocations: Allocations) -> Ledger:
    lots = state.lots
    for name, points in allocations:
        lot = lots[name]
        lots = lots.with_lot(lot._replace(remaining=lot.remaining + points))
    return replace(state, lots=lots)


def set_apart(state: Ledger, allocations: Allocations, sign: int = 1) -> Ledger:
    lots = state.lots
    for name, points in allocations:
        lot = lots[name]
        lots = lots.with_lot(lot._replace(held=lot.held + sign * points))
    return replace(state, lots=lots)


def without_hold(state: Ledger, name: str) -> Ledger:
    after = set_apart(state, state.holds[name].allocations, -1)
    return replace(after, holds={other: hold for other, hold in state.holds.items() if other != name})


def lapse_lots(lots: Lots, allocations: Allocations) -> list[Lot]:
    return [lots[name]._replace(lapsed=lots[name].lapsed + points) for name, points in allocations]


def add_issued(state: Ledger, new: Iterable[IssuedLot], at: int) -> Ledger:
    """Return the ledger with new lots in place of points of others. They keep the date on which a member received those."""
    lots = []
    for lot in new:
        source = state.lots[lot.source]
        received = source.received_at
        lots.append(Lot(lot.lot, at, 0, lot.points, at, lot.expires_at, source.wallet, received_at=received))
    return replace(state, lots=state.lots.with_lots(lots))


def debts_with(state: Ledger, wallet: str, more: int) -> Mapping[str, int]:
    """Return the debts by wallet with ``more`` points owed in one; wallets without debt are left out."""
    debts = {**state.debts, wallet: state.debts.get(wallet, 0) + more}
    return {name: points for name, points in debts.items() if points}


def earliest_due(state: Ledger) -> int:
    due = min([hold.until for hold in state.holds.values()], default=NEVER)
    for lot in state.lots.all():
        if lot.remaining > 0:
            if lot.expires_at is not None and lot.expires_at < due:
                due = lot.expires_at
            if lot.active_from is not None and lot.active_from < due and lot.wallet in state.debts:
                due = lot.active_from
    return due


def balance(ledger: Ledger, now: int, since: int, wallet: str = DEFAULT_WALLET) -> int:
    """Return the points that can be spent at ``now``; below 0, the points owed. ``since``: the latest decision's time."""
    then = ledger_as_of(ledger, now, since)
    active = sum(lot.remaining for lot in then.lots.all() if lot.wallet == wallet and lot.is_active(now))
    return active - then.debts.get(wallet, 0)


def pending_points(ledger: Ledger, now: int, wallet: str = DEFAULT_WALLET) -> int:
    """Return the points that were earned and cannot be spent yet."""
    lots = [lot for lot in ledger.lots.all() if lot.wallet == wallet and not lot.is_over(now)]
    return sum(lot.remaining for lot in lots if not lot.is_active(now))


def held_points(ledger: Ledger, now: int, since: int, wallet: str = DEFAULT_WALLET) -> int:
    return sum(lot.held for lot in ledger_as_of(ledger, now, since).lots.all() if lot.wallet == wallet)


def lapse_pending(member: str, now: int, ledger: Ledger) -> Iterator[LotExpired]:
    """Yield the end of all points that cannot be spent yet, the oldest first."""
    for lot in sorted(ledger.lots.all(), key=fefo):
        if lot.remaining > 0 and not lot.is_over(now) and not lot.is_active(now):
            yield LotExpired(member=member, lot=lot.lot, points=lot.remaining, at=now, wallet=lot.wallet)


LedgerDue: TypeAlias = HoldReleased | LotExpired | DebtSettled


def due_in_ledger(member: str, now: int, ledger: Ledger, since: int) -> Iterator[LedgerDue]:
    """Yield what is due at ``now`` in order of time; nothing is dated before ``since``, the time of the latest decision."""
    while ledger.due <= now:
        event = first_due(member, ledger, since)
        yield event
        ledger = evolve_ledger(ledger, event)


def ledger_as_of(ledger: Ledger, now: int, since: int) -> Ledger:
    """Return the ledger as it stands at an instant after all of its events."""
    for event in due_in_ledger("", now, ledger, since):
        ledger = evolve_ledger(ledger, event)
    return ledger


def first_due(member: str, ledger: Ledger, since: int) -> LedgerDue:
    """Return the first of the events that are due at ``ledger.due``."""
    at = max(ledger.due, since)
    found: list[tuple[tuple[object, ...], LedgerDue]] = []
    for name, hold in ledger.holds.items():
        if hold.until <= at:
            over = tuple((lot, points) for lot, points in hold.allocations if ledger.lots[lot].is_over(at))
            back = tuple(part for part in hold.allocations if part not in over)
            found.append(
                (
                    (0, hold.until, name),
                    HoldReleased(
                        member=member,
                        hold=name,
                        wallet=hold.wallet,
                        restored=back,
                        lapsed=over,
                        reissued=(),
                        reason="expired",
                        at=at,
                    ),
                )
            )
    found += [
        ((1 if isinstance(event, LotExpired) else 2, *fefo(lot)), event)
        for lot in ledger.lots.all()
        if lot.remaining > 0 and (event := due_of_lot(member, lot, ledger, at))
    ]
    return min(found, key=lambda candidate: candidate[0])[1]


def due_of_lot(member: str, lot: Lot, ledger: Ledger, at: int) -> LotExpired | DebtSettled | None:
    if lot.is_over(at):
        return LotExpired(member=member, lot=lot.lot, points=lot.remaining, at=at, wallet=lot.wallet)
    owed = ledger.debts.get(lot.wallet, 0)
    if owed and lot.is_active(at):
        return DebtSettled(member=member, lot=lot.lot, points=min(owed, lot.remaining), at=at, wallet=lot.wallet)
    return None
