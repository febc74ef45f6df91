"""Points from one member to another: both ledgers in one append, each lot with its own expiry."""

from __future__ import annotations

from aggregates.calendar import add_days, local_day
from aggregates.decider import Refusal, require_count
from aggregates.membership.ledger.allocation import allocate, spendable, unused
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.moves import PointsTransferred
from aggregates.membership.ledger.redeeming import wallet_of
from aggregates.membership.ledger.uses import IssuedLot
from aggregates.programme import Programme, Transfers


def send(
    member: str, to: str, transfer: str, points: int, wallet: str | None, now: int, terms: Programme, ledger: Ledger
) -> PointsTransferred:
    require_count("points", points, least=1)
    if member == to:
        raise Refusal("transfer_to_oneself", "Points are sent to another member.")
    if ledger.pool is not None:
        raise Refusal("pool_not_theirs", "Points of a pool are spent from it, by name; nobody sends them on.")
    told = wallet_of(wallet, terms)
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
        for lot in spendable(ledger, wallet, now)
        if lot.received_at is None or add_days(lot.received_at, days, terms.zone) <= now
    ]
    most = sum(lot.remaining for lot in lots)
    if points > most:
        raise Refusal("points_short", f"Only {most} points can be sent; {points} were asked for.")
    return tuple(IssuedLot(name, name, part, ledger.lots[name].expires_at) for name, part in allocate(points, lots))


def receive(sent: PointsTransferred, now: int, ledger: Ledger) -> PointsTransferred:
    """The other half, in the receiver's ledger, under names that are free there."""
    lots = tuple(
        IssuedLot(unused(ledger.lots, f"{lot.source}+{sent.transfer}"), lot.source, lot.points, lot.expires_at)
        for lot in sent.lots
    )
    return PointsTransferred(sent.other, sent.member, "in", sent.transfer, sent.wallet, sent.points, lots, sent.day, now)
