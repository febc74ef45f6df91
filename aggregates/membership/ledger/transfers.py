"""Points from one member to another: both ledgers in one append, each lot with its own expiry."""

from __future__ import annotations

from aggregates.calendar import add_days, end_of_day, local_day
from aggregates.decider import Refusal, require_count
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
from aggregates.membership.ledger.lots import allocate, spendable_lots, unused_name
from aggregates.membership.ledger.redemptions import choose_lots, grace_end, require_wallet
from aggregates.membership.ledger.state import Ledger
from aggregates.programme import Programme, Transfers


def send_points(
    member: str, to: str, transfer: str, points: int, wallet: str | None, now: int, terms: Programme, ledger: Ledger
) -> PointsTransferred:
    require_count("points", points, least=1)
    if member == to:
        raise Refusal("transfer_to_oneself", "Points are sent to another member.")
    if ledger.pool is not None:
        raise Refusal("pool_not_theirs", "Points of a pool are spent from it, by name; nobody sends them on.")
    told = require_wallet(wallet, terms)
    rules, day = told.transfers, local_day(now, terms.zone)
    if ledger.inside == to:  # what is put into the own household's pool is bound by nothing but what there is
        if not told.pools.allowed:
            raise Refusal("pool_not_allowed", f"{told.name.capitalize()} are not shared in pools here.")
        lots = lots_to_send(points, told.name, 0, now, terms, ledger)
        return PointsTransferred(member, to, "out", transfer, told.name, points, lots, day, now)
    if not rules.allowed:
        raise Refusal("transfer_not_allowed", f"{told.name.capitalize()} cannot be sent to another member.")
    if points < rules.minimum:
        raise Refusal("points_below_minimum", f"At least {rules.minimum} points are sent at a time.")
    left = left_today(told.name, day, rules, ledger)
    if left is not None and points > left:
        raise Refusal("transfer_cap", f"Only {left} points can still be sent today.")
    return PointsTransferred(
        member,
        to,
        "out",
        transfer,
        told.name,
        points,
        lots_to_send(points, told.name, rules.cool_down_days, now, terms, ledger),
        day,
        now,
    )


def left_today(wallet: str, day: str, rules: Transfers, ledger: Ledger) -> int | None:
    if rules.daily_cap is None:
        return None
    latest, sent = ledger.sent.get(wallet, (day, 0))
    return max(0, rules.daily_cap - (sent if latest == day else 0))


def lots_to_send(points: int, wallet: str, days: int, now: int, terms: Programme, ledger: Ledger) -> tuple[IssuedLot, ...]:
    """By earliest expiry, but for what another member sent in the last ``days``."""
    lots = [
        lot
        for lot in spendable_lots(ledger.lots, wallet, now)
        if lot.received_at is None or add_days(lot.received_at, days, terms.zone) <= now
    ]
    most = sum(lot.remaining for lot in lots)
    if points > most:
        raise Refusal("points_short", f"Only {most} points can be sent; {points} were asked for.")
    return tuple(IssuedLot(name, name, part, ledger.lots[name].expires_at) for name, part in allocate(points, lots))


def receive_points(sent: PointsTransferred, now: int, ledger: Ledger) -> PointsTransferred:
    """The other half, in the receiver's ledger, under names that are free there."""
    lots = tuple(
        IssuedLot(unused_name(ledger.lots, f"{lot.source}+{sent.transfer}"), lot.source, lot.points, lot.expires_at)
        for lot in sent.lots
    )
    return PointsTransferred(sent.other, sent.member, "in", sent.transfer, sent.wallet, sent.points, lots, sent.day, now)


def join_pool(pool: str, joiner: str, now: int, terms: Programme, ledger: Ledger) -> list[PoolJoined]:
    rules = next((wallet.pools for wallet in terms.wallets if wallet.pools.allowed), None)
    if rules is None:
        raise Refusal("pool_not_allowed", "Members do not share their points here.")
    if joiner == pool or ledger.inside is not None:
        raise Refusal("pool_within_pool", "A pool is joined by members, not by pools, and it has a name of its own.")
    if ledger.pool is None:
        if len(ledger.lots):
            raise Refusal("pool_is_member", "This name is a member's: give the pool one of its own.")
        return [PoolJoined(pool, joiner, joiner, now)]
    if joiner in ledger.pool.members:
        return []
    if len(ledger.pool.members) >= rules.members:
        raise Refusal("pool_full", f"A pool has at most {rules.members} members.")
    return [PoolJoined(pool, joiner, ledger.pool.owner, now)]


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
    """Refused where points of a pool are asked for by somebody who may not spend them; nothing, if it is no pool."""
    if ledger.pool is None:
        if by not in (None, member):
            raise Refusal("pool_unknown", "These are a member's own points, not a pool's.")
        return []
    only_owner = require_wallet(wallet, terms).pools.spending == "owner"
    if by is None or by not in ledger.pool.members or (only_owner and by != ledger.pool.owner):
        raise Refusal("pool_not_theirs", "Points of a pool are spent by its owner, or its members, as the programme has it.")
    return [PoolUsed(member, by, use, now)]


def adjust_points(
    member: str,
    adjustment: str,
    points: int,
    wallet: str | None,
    reason: str,
    actor: str,
    now: int,
    terms: Programme,
    ledger: Ledger,
) -> PointsAdjusted:
    """``points`` above nothing are added, those below taken, as far as they can be spent."""
    require_reason_and_actor(reason, actor)
    require_count("points", abs(points) if type(points) is int else points, least=1)
    told = require_wallet(wallet, terms)
    if points < 0:
        taken = choose_lots(-points, told.name, now, ledger)
        return PointsAdjusted(member, adjustment, told.name, points, None, None, taken, reason, actor, now)
    lot = unused_name(ledger.lots, adjustment)
    ends = told.validity.ends(now, terms.zone)
    return PointsAdjusted(member, adjustment, told.name, points, lot, ends, (), reason, actor, now)


def reinstate_points(
    member: str, reinstatement: str, lot: str, reason: str, actor: str, now: int, terms: Programme, ledger: Ledger
) -> PointsReinstated:
    """All that has lapsed of a lot, if its end is not longer ago than the wallet allows."""
    require_reason_and_actor(reason, actor)
    source = ledger.lots.get(lot)
    if source is None or source.expires_at is None or not source.lapsed:
        raise Refusal("nothing_lapsed", "No points of this lot have lapsed.")
    told = require_wallet(source.wallet, terms)
    last_day = add_days(source.expires_at - 1, told.reinstate_days, terms.zone)
    if now >= end_of_day(last_day, terms.zone):
        raise Refusal("reinstatement_too_late", f"Points can be given back within {told.reinstate_days} days of their expiry.")
    ends = grace_end(now, told.reissue_days, terms)
    name = unused_name(ledger.lots, f"{lot}+{reinstatement}")
    return PointsReinstated(member, reinstatement, source.wallet, name, lot, source.lapsed, ends, reason, actor, now)


def require_reason_and_actor(reason: str, actor: str) -> None:
    for what, text in (("reason", reason), ("actor", actor)):
        if not isinstance(text, str) or not text.strip() or len(text) > 500:
            raise Refusal(f"{what}_missing", f"Say the {what}, in at most 500 characters.")
