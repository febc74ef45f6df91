"""Points that change hands: transfers between members, pools, and what the shop adjusts or reinstates by hand.

A transfer is two events in one append, one in each ledger. Each lot keeps its expiry.
"""

from __future__ import annotations

from aggregates.calendar import add_days, end_of_day, local_day
from aggregates.decider import Refusal
from aggregates.membership.commands import AdjustPoints, ReinstatePoints, TransferPoints
from aggregates.membership.ledger.events import (
    IssuedLot,
    PointsAdjusted,
    PointsReinstated,
    PointsTransferred,
    PoolEntered,
    PoolExited,
    PoolJoined,
    PoolLeft,
    PoolUsed,
)
from aggregates.membership.ledger.lots import Allocations, allocate, spendable_lots, unused_name
from aggregates.membership.ledger.redemptions import choose_lots, grace_end, require_wallet
from aggregates.membership.ledger.state import Ledger
from aggregates.programme import Programme, Transfers, Wallet


def send_points(command: TransferPoints, now: int, terms: Programme, ledger: Ledger) -> PointsTransferred:
    """Return the sender's half of a transfer, within the wallet's rules."""
    points = command.points
    if command.member == command.to:
        raise Refusal("transfer_to_oneself", "Points are sent to another member.")
    if ledger.pool is not None:
        raise Refusal("pool_not_theirs", "Points of a pool are spent from it, by name; nobody sends them on.")
    wallet = require_wallet(command.wallet, terms)
    rules, day = wallet.transfers, local_day(now, terms.zone)
    if ledger.inside == command.to:  # a member's own pool takes any number of points, at any time
        if not wallet.pools.allowed:
            raise Refusal("pool_not_allowed", f"{wallet.name.capitalize()} are not shared in pools here.")
        cool_down_days = 0
    else:
        require_transfer_allowed(points, wallet, left_today(wallet.name, day, rules, ledger))
        cool_down_days = rules.cool_down_days
    lots = lots_to_send(points, wallet.name, cool_down_days, now, terms, ledger)
    return PointsTransferred(
        member=command.member,
        other=command.to,
        direction="out",
        transfer=command.transfer,
        wallet=wallet.name,
        points=points,
        lots=lots,
        day=day,
        at=now,
    )


def require_transfer_allowed(points: int, wallet: Wallet, left: int | None) -> None:
    """Refuse a transfer outside the wallet's rules. ``left``: the points that may still be sent today, None for no cap."""
    if not wallet.transfers.allowed:
        raise Refusal("transfer_not_allowed", f"{wallet.name.capitalize()} cannot be sent to another member.")
    if points < wallet.transfers.minimum:
        raise Refusal("points_below_minimum", f"At least {wallet.transfers.minimum} points are sent at a time.")
    if left is not None and points > left:
        raise Refusal("transfer_cap", f"Only {left} points can still be sent today.")


def left_today(wallet: str, day: str, rules: Transfers, ledger: Ledger) -> int | None:
    if rules.daily_cap is None:
        return None
    latest, sent = ledger.sent.get(wallet, (day, 0))
    return max(0, rules.daily_cap - (sent if latest == day else 0))


def lots_to_send(points: int, wallet: str, days: int, now: int, terms: Programme, ledger: Ledger) -> tuple[IssuedLot, ...]:
    """Return the lots that make up ``points``, by earliest expiry, without what was received in the last ``days``."""
    lots = [
        lot
        for lot in spendable_lots(ledger.lots, wallet, now)
        if lot.received_at is None or add_days(lot.received_at, days, terms.zone) <= now
    ]
    most = sum(lot.remaining for lot in lots)
    if points > most:
        raise Refusal("points_short", f"Only {most} points can be sent; {points} were asked for.")
    return tuple(IssuedLot(name, name, part, ledger.lots[name].expires_at) for name, part in allocate(points, lots))


def receive_points(member: str, sent: PointsTransferred, now: int, ledger: Ledger) -> PointsTransferred:
    """Return the receiver's half of a transfer. Its lots get names that are free in the receiver's ledger."""
    if sent.other != member:
        raise Refusal("transfer_invalid", "Points are received from a transfer to this member.")
    lots = tuple(
        IssuedLot(unused_name(ledger.lots, f"{lot.source}+{sent.transfer}"), lot.source, lot.points, lot.expires_at)
        for lot in sent.lots
    )
    return PointsTransferred(
        member=sent.other,
        other=sent.member,
        direction="in",
        transfer=sent.transfer,
        wallet=sent.wallet,
        points=sent.points,
        lots=lots,
        day=sent.day,
        at=now,
    )


def join_pool(pool: str, joiner: str, now: int, terms: Programme, ledger: Ledger) -> list[PoolJoined]:
    rules = next((wallet.pools for wallet in terms.wallets if wallet.pools.allowed), None)
    if rules is None:
        raise Refusal("pool_not_allowed", "Members do not share their points here.")
    if joiner == pool or ledger.inside is not None:
        raise Refusal("pool_within_pool", "A pool is joined by members, not by pools, and it has a name of its own.")
    if ledger.pool is None:
        if len(ledger.lots):
            raise Refusal("pool_is_member", "This name is a member's: give the pool one of its own.")
        return [PoolJoined(member=pool, joiner=joiner, owner=joiner, at=now)]
    if joiner in ledger.pool.members:
        return []
    if len(ledger.pool.members) >= rules.members:
        raise Refusal("pool_full", f"A pool has at most {rules.members} members.")
    return [PoolJoined(member=pool, joiner=joiner, owner=ledger.pool.owner, at=now)]


def enter_pool(member: str, pool: str, now: int, ledger: Ledger) -> list[PoolEntered]:
    if ledger.pool is not None:
        raise Refusal("pool_within_pool", "A pool is joined by members, not by pools, and it has a name of its own.")
    if ledger.inside not in (None, pool):
        raise Refusal("pool_other", "This member is in another pool: leave that one first.")
    return [] if ledger.inside == pool else [PoolEntered(member, pool, now)]


def leave_pool(pool: str, leaver: str, now: int, ledger: Ledger) -> list[PoolLeft]:
    if ledger.pool is None or leaver not in ledger.pool.members:
        return []
    return [PoolLeft(pool, leaver, now)]


def exit_pool(member: str, pool: str, now: int, ledger: Ledger) -> list[PoolExited]:
    return [PoolExited(member, pool, now)] if ledger.inside == pool else []


def use_pool(
    member: str, by: str | None, use: str, wallet: str | None, now: int, terms: Programme, ledger: Ledger
) -> list[PoolUsed]:
    """Return the event that says who used a pool's points; empty for a member's own. Refuse who may not spend them."""
    if ledger.pool is None:
        if by not in (None, member):
            raise Refusal("pool_unknown", "These are a member's own points, not a pool's.")
        return []
    only_owner = require_wallet(wallet, terms).pools.spending == "owner"
    if by is None or by not in ledger.pool.members or (only_owner and by != ledger.pool.owner):
        raise Refusal("pool_not_theirs", "Points of a pool are spent by its owner, or its members, as the programme has it.")
    return [PoolUsed(member=member, by=by, use=use, at=now)]


def adjust_points(command: AdjustPoints, now: int, terms: Programme, ledger: Ledger) -> PointsAdjusted:
    """Return the adjustment: a new lot for points that are added, allocations of those that are taken."""
    wallet = require_wallet(command.wallet, terms)
    lot, ends = None, None
    taken: Allocations = ()
    if command.points < 0:
        taken = choose_lots(-command.points, wallet.name, now, ledger)
    else:
        lot, ends = unused_name(ledger.lots, command.adjustment), wallet.validity.ends(now, terms.zone)
    return PointsAdjusted(
        member=command.member,
        adjustment=command.adjustment,
        wallet=wallet.name,
        points=command.points,
        lot=lot,
        expires_at=ends,
        allocations=taken,
        reason=command.reason,
        actor=command.actor,
        at=now,
    )


def reinstate_points(command: ReinstatePoints, now: int, terms: Programme, ledger: Ledger) -> PointsReinstated:
    """Return all that has lapsed of a lot as a new lot. Refuse it if the lot ended longer ago than the wallet allows."""
    source = ledger.lots.get(command.lot)
    if source is None or source.expires_at is None or not source.lapsed:
        raise Refusal("nothing_lapsed", "No points of this lot have lapsed.")
    wallet = require_wallet(source.wallet, terms)
    last_day = add_days(source.expires_at - 1, wallet.reinstate_days, terms.zone)
    if now >= end_of_day(last_day, terms.zone):
        raise Refusal(
            "reinstatement_too_late", f"Points can be given back within {wallet.reinstate_days} days of their expiry."
        )
    return PointsReinstated(
        member=command.member,
        reinstatement=command.reinstatement,
        wallet=source.wallet,
        lot=unused_name(ledger.lots, f"{command.lot}+{command.reinstatement}"),
        source=command.lot,
        points=source.lapsed,
        expires_at=grace_end(now, wallet.reissue_days, terms),
        reason=command.reason,
        actor=command.actor,
        at=now,
    )
