"""How facts change the ledger. Nothing is selected here: every fact says which lots it moves."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aggregates.membership.ledger import grants, moves, pools, uses
from aggregates.membership.ledger.grants import LotActivated, PointsClawedBack, PointsGranted
from aggregates.membership.ledger.ledger import (
    Hold,
    Ledger,
    Spent,
    earliest,
    given,
    held,
    issued,
    lapsing,
    owing,
    taken,
    without_hold,
)
from aggregates.membership.ledger.lots import Lot
from aggregates.membership.ledger.moves import DebtSettled, LotExpired, PointsAdjusted, PointsReinstated, PointsTransferred
from aggregates.membership.ledger.pools import Pool, PoolEntered, PoolExited, PoolJoined, PoolLeft, PoolUsed
from aggregates.membership.ledger.uses import (
    HoldCaptured,
    HoldReleased,
    IssuedLot,
    PointsHeld,
    PointsRedeemed,
    PointsReturned,
    RewardClaimed,
    RewardReturned,
)
from aggregates.value import replace

Event: TypeAlias = grants.Event | uses.Event | moves.Event | pools.Event


def evolve(state: Ledger, event: Event) -> Ledger:
    match event:
        case PointsGranted():
            by_action = event.order is None
            lot = Lot(event.lot, event.at, event.points, event.points, wallet=event.wallet, by_action=by_action)
            return replace(state, lots=state.lots.with_lot(lot))
        case LotActivated():
            lot = state.lots[event.lot]._replace(active_from=event.active_from, expires_at=event.expires_at)
            after = replace(state, lots=state.lots.with_lot(lot))
            return replace(after, due=earliest(after)) if event.expires_at is not None or state.debts else after
        case _:
            after = evolve_rarely(state, event)
            return replace(after, due=earliest(after))


def evolve_rarely(state: Ledger, event: PointsClawedBack | uses.Event | moves.Event | pools.Event) -> Ledger:
    match event:
        case PointsClawedBack():
            own = state.lots[event.lot]
            own = own._replace(earned=own.earned - event.points, lapsed=own.lapsed - event.lapsed)
            after = taken(replace(state, lots=state.lots.with_lot(own)), event.allocations)
            settled = state.settled | {("clawback", event.lot, event.reversal)}
            return replace(after, debts=owing(state, event.wallet, event.debt_added), settled=settled)
        case PointsRedeemed():
            spent = Spent(event.wallet, event.order, event.points, event.money, event.allocations)
            return replace(taken(state, event.allocations), redemptions={**state.redemptions, event.redemption: spent})
        case RewardClaimed():
            settled = state.settled | {("claim", event.claim)}
            return replace(state, claims={**state.claims, event.claim: (event.reward, event.stock)}, settled=settled)
        case RewardReturned():
            return replace(state, claims={name: told for name, told in state.claims.items() if name != event.claim})
        case PointsReturned():
            return returned(state, event)
        case PointsHeld():
            hold = Hold(event.wallet, event.order, event.allocations, event.until, event.money, event.terms)
            settled = state.settled | {("hold", event.hold)}
            after = held(taken(state, event.allocations), event.allocations)
            return replace(after, holds={**state.holds, event.hold: hold}, settled=settled)
        case HoldCaptured():
            return given(without_hold(state, event.hold), event.allocations)
        case HoldReleased():
            after = given(without_hold(state, event.hold), event.restored)
            after = replace(after, lots=after.lots.with_lots(lapsing(after.lots, event.lapsed)))
            return issued(after, event.reissued, event.at)
        case PoolJoined() | PoolEntered() | PoolLeft() | PoolExited() | PoolUsed():
            return pooled(state, event)
        case _:
            return moved(state, event)


def pooled(state: Ledger, event: pools.Event) -> Ledger:
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


def moved(state: Ledger, event: moves.Event) -> Ledger:
    match event:
        case DebtSettled():
            return replace(taken(state, ((event.lot, event.points),)), debts=owing(state, event.wallet, -event.points))
        case LotExpired():
            after = taken(state, ((event.lot, event.points),))
            return replace(after, lots=after.lots.with_lots(lapsing(after.lots, ((event.lot, event.points),))))
        case PointsAdjusted():
            after = taken(state, event.allocations)
            if event.lot is not None:
                lot = Lot(event.lot, event.at, 0, event.points, event.at, event.expires_at, event.wallet)
                after = replace(after, lots=after.lots.with_lot(lot))
            return replace(after, settled=state.settled | {("adjustment", event.adjustment)})
        case PointsReinstated():
            source = state.lots[event.source]
            after = replace(state, lots=state.lots.with_lot(source._replace(lapsed=source.lapsed - event.points)))
            new = IssuedLot(event.lot, event.source, event.points, event.expires_at)
            settled = state.settled | {("reinstatement", event.reinstatement)}
            return replace(issued(after, (new,), event.at), settled=settled)
        case PointsTransferred():
            sender = (event.other,) if event.direction == "in" else ()  # each sender names their own
            settled = state.settled | {("transfer", event.direction, event.transfer, *sender)}
            return replace(transferred(state, event), settled=settled)
        case _:
            assert_never(event)


def transferred(state: Ledger, event: PointsTransferred) -> Ledger:
    if event.direction == "in":
        lots = [
            Lot(new.lot, event.at, 0, new.points, event.at, new.expires_at, event.wallet, received_at=event.at)
            for new in event.lots
        ]
        return replace(state, lots=state.lots.with_lots(lots))
    day, before = state.sent.get(event.wallet, (event.day, 0))
    sent = {**state.sent, event.wallet: (event.day, event.points + (before if day == event.day else 0))}
    return replace(taken(state, tuple((new.source, new.points) for new in event.lots)), sent=sent)


def returned(state: Ledger, event: PointsReturned) -> Ledger:
    spent = state.redemptions[event.redemption]
    back = dict(event.restored)
    for new in event.reissued:
        back[new.source] = back.get(new.source, 0) + new.points
    left = tuple((lot, points - back.get(lot, 0)) for lot, points in spent.left if points > back.get(lot, 0))
    now = Spent(spent.wallet, spent.order, spent.points, spent.money, left)
    settled = state.settled | {("return", event.redemption, event.reversal)}
    after = issued(given(state, event.restored), event.reissued, event.at)
    return replace(after, redemptions={**state.redemptions, event.redemption: now}, settled=settled)
