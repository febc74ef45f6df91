"""The rules of tiers: up at once, reviewed when the tier's time is over, after a grace if it is not kept.

A tier is held for the window's months, to the end of the day, or to the end of the cycle after the one it was reached in. Then
the lower keep-threshold decides; who misses it may make up for it within the grace. A tier that is kept runs on from the old
date, so reviews do not drift. A reversal may take an upgrade back, as the policy says (membership semantics 2.2).
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.calendar import add_days, add_months, end_of_day
from aggregates.membership.tiers.override import shown
from aggregates.membership.tiers.progress import Shown
from aggregates.membership.tiers.qualification import Counting
from aggregates.membership.tiers.state import TierExtended, TierGraceStarted, TierLowered, TierRaised

Reviewed: TypeAlias = TierExtended | TierGraceStarted | TierLowered


def raised(member: str, now: int, metric: int, counting: Counting) -> list[TierRaised | TierExtended]:
    """The tier that ``metric``, of the window of ``now``, reaches; or the one in its grace that is kept after all."""
    terms, standing = counting.terms, counting.state.standing
    rank, held = terms.reached(metric), terms.rank(standing.now.tier)
    if rank > held:
        tier, until = terms.name(rank), held_until(now, counting)
        revocable = revocable_until(now, until, counting)
        provisional = revocable if terms.qualifying.provisional else None
        seen = see(tier, metric, now, counting)
        return [TierRaised(member, tier, standing.now.tier, metric, until, revocable, provisional, seen, terms.version, now)]
    if standing.grace_until is None:
        return []
    made_up = in_grace(now, counting)
    return [extended(member, made_up, now, now, counting)] if terms.kept(made_up, held) == held > 0 else []


def review(member: str, due: int, at: int, counting: Counting) -> Reviewed:
    """The outcome of the review that is ``due``, or of the grace that ends then, recorded ``at``."""
    terms, standing = counting.terms, counting.state.standing
    held = terms.rank(standing.now.tier)
    graced = standing.grace_until is not None
    metric = in_grace(due - 1, counting) if graced else counting.metric(due - 1)
    kept = terms.kept(metric, held)
    if kept == held > 0:
        return extended(member, metric, due, at, counting)
    if not graced and terms.qualifying.grace_days and held:
        until = add_days(due, terms.qualifying.grace_days, terms.zone)
        needed = terms.tiers[held - 1].keep * terms.scale
        seen = see(standing.now.tier, metric, due, counting)
        return TierGraceStarted(member, standing.now.tier, metric, needed, until, seen, terms.version, at)
    rank = fallen(kept, held, terms.qualifying.downgrade)
    valid = renewed(anchor(due, counting), counting) if rank else None
    seen = see(terms.name(rank), metric, due, counting)
    return TierLowered(member, terms.name(rank), standing.now.tier, metric, valid, "review", seen, terms.version, at)


def fallen(kept: int, held: int, downgrade: str) -> int:
    """The rank after a review that was not met."""
    return {"one_down": max(0, held - 1), "to_metric": kept, "base": 0}[downgrade]


def extended(member: str, metric: int, now: int, at: int, counting: Counting) -> TierExtended:
    tier, terms = counting.state.standing.now.tier, counting.terms
    until = renewed(anchor(now, counting), counting)
    revocable = until if terms.qualifying.revoke == "always" else None
    return TierExtended(member, tier, metric, until, revocable, see(tier, metric, now, counting), terms.version, at)


def revoked(member: str, now: int, metric: int, counting: Counting) -> list[TierLowered]:
    """After a reversal: an upgrade that its purchases no longer carry is taken back, while it is revocable.

    It takes back no more than that upgrade gave: the tier held before it stands, to its own date.
    """
    terms, standing = counting.terms, counting.state.standing
    held, ended = standing.now, standing.before
    if held.revocable_until is None or now >= held.revocable_until:
        return []
    before = 0 if held.reviewed else terms.rank(ended.tier)
    rank = max(terms.kept(metric, terms.rank(held.tier)) if held.reviewed else terms.reached(metric), before)
    if rank >= terms.rank(held.tier):
        return []
    until = ended.valid_until if rank == before and not held.reviewed else held.valid_until if rank else None
    seen = see(terms.name(rank), metric, now, counting)
    return [TierLowered(member, terms.name(rank), held.tier, metric, until, "reversal", seen, terms.version, now)]


def see(tier: str, metric: int, now: int, counting: Counting) -> Shown:
    return shown(tier, counting.state.standing.override, metric, now, counting)


def in_grace(now: int, counting: Counting) -> int:
    """The metric of the window that was reviewed, and of the grace since."""
    if counting.terms.qualifying.window == "rolling":
        return counting.metric(now)
    return counting.between(counting.opens(anchor(now, counting) - 1), now)


def anchor(now: int, counting: Counting) -> int:
    """The date that the tier was held to, which the next one is counted from."""
    return counting.state.standing.now.valid_until or now


def held_until(now: int, counting: Counting) -> int:
    """The first instant at which a tier that is reached ``now`` is reviewed."""
    terms = counting.terms
    if terms.qualifying.window == "rolling":
        return end_of_day(add_months(now, terms.qualifying.months, terms.zone), terms.zone)
    return counting.cycle(counting.cycle(now)[1])[1]


def renewed(until: int, counting: Counting) -> int:
    """The same for a tier that was held ``until`` then, and runs on."""
    if counting.terms.qualifying.window == "rolling":
        return held_until(until - 1, counting)
    return counting.cycle(until)[1]


def revocable_until(now: int, until: int, counting: Counting) -> int | None:
    """Until when a reversal takes back an upgrade of ``now`` that holds ``until``."""
    terms = counting.terms
    match terms.qualifying.revoke:
        case "never":
            return None
        case "always":
            return until
        case "within":
            days = terms.qualifying.revoke_days
            return add_days(now, terms.return_days if days is None else days, terms.zone)
