"""What people do by hand, with a reason and a name: points added or taken, expired ones given back."""

from __future__ import annotations

from aggregates.calendar import add_days, end_of_day
from aggregates.decider import Refusal, require_count
from aggregates.membership.ledger.allocation import unused
from aggregates.membership.ledger.ledger import Ledger
from aggregates.membership.ledger.moves import PointsAdjusted, PointsReinstated
from aggregates.membership.ledger.redeeming import chosen, wallet_of
from aggregates.membership.ledger.returning import grace_end
from aggregates.programme import Programme


def adjust(
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
    require_reason(reason, actor)
    require_count("points", abs(points) if type(points) is int else points, least=1)
    told = wallet_of(wallet, terms)
    if points < 0:
        taken = chosen(-points, told.name, now, ledger)
        return PointsAdjusted(member, adjustment, told.name, points, None, None, taken, reason, actor, now)
    lot = unused(ledger.lots, adjustment)
    ends = told.validity.ends(now, terms.zone)
    return PointsAdjusted(member, adjustment, told.name, points, lot, ends, (), reason, actor, now)


def reinstate(
    member: str, reinstatement: str, lot: str, reason: str, actor: str, now: int, terms: Programme, ledger: Ledger
) -> PointsReinstated:
    """All that has lapsed of a lot, if its end is not longer ago than the wallet allows."""
    require_reason(reason, actor)
    source = ledger.lots.get(lot)
    if source is None or source.expires_at is None or not source.lapsed:
        raise Refusal("nothing_lapsed", "No points of this lot have lapsed.")
    told = wallet_of(source.wallet, terms)
    last_day = add_days(source.expires_at - 1, told.reinstate_days, terms.zone)
    if now >= end_of_day(last_day, terms.zone):
        raise Refusal("reinstatement_too_late", f"Points can be given back within {told.reinstate_days} days of their expiry.")
    ends = grace_end(now, told.reissue_days, terms)
    name = unused(ledger.lots, f"{lot}+{reinstatement}")
    return PointsReinstated(member, reinstatement, source.wallet, name, lot, source.lapsed, ends, reason, actor, now)


def require_reason(reason: str, actor: str) -> None:
    for what, text in (("reason", reason), ("actor", actor)):
        if not isinstance(text, str) or not text.strip() or len(text) > 500:
            raise Refusal(f"{what}_missing", f"Say the {what}, in at most 500 characters.")
