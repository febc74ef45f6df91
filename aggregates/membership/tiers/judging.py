"""The rules of tiers: raised at once, reviewed when the time of a tier is over, lowered after a grace if it is not kept.

A tier is held for the window's months, to the end of the day, or to the end of the cycle after the one it was reached in.
Then the lower keep-threshold decides; a member who misses it may make up for it within the grace. A tier that is kept runs
on from its old date, so reviews do not drift. A reversal may take an upgrade back, as the policy says (membership semantics
2.2).

An override is a tier set by hand over the earned one, which goes on beneath it. A pin replaces the earned tier, a floor
raises it.
"""

from __future__ import annotations

from typing import TypeAlias

from aggregates.calendar import add_days, add_months, end_of_day
from aggregates.decider import Refusal
from aggregates.membership.tiers.qualification import Qualification, progress_to_next
from aggregates.membership.tiers.state import (
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverride,
    TierOverrideEnded,
    TierRaised,
    TierView,
)
from aggregates.programme import ENTRY_TIER, Benefits, Programme

Reviewed: TypeAlias = TierExtended | TierGraceStarted | TierLowered


def raise_tier(member: str, now: int, metric: int, counting: Qualification) -> list[TierRaised | TierExtended]:
    """Return the raise to the tier that ``metric`` reaches, or the extension of a tier kept within its grace, if any."""
    terms, standing = counting.terms, counting.state.standing
    rank, held = terms.reached(metric), terms.rank(standing.now.tier)
    if rank > held:
        tier, until = terms.name(rank), held_until(now, counting)
        revocable = revocable_until(now, until, counting)
        provisional = revocable if terms.qualifying.provisional else None
        seen = view_of(tier, metric, now, counting)
        return [
            TierRaised(
                member=member,
                tier=tier,
                previous=standing.now.tier,
                qualifying=metric,
                valid_until=until,
                revocable_until=revocable,
                provisional_until=provisional,
                shown=seen,
                terms=terms.version,
                at=now,
            )
        ]
    if standing.grace_until is None:
        return []
    made_up = metric_in_grace(now, counting)
    return [extend_tier(member, made_up, now, now, counting)] if terms.kept(made_up, held) == held > 0 else []


def review_tier(member: str, due: int, at: int, counting: Qualification) -> Reviewed:
    """Return the outcome of the review that is ``due``, or of the grace that ends then, recorded ``at``."""
    terms, standing = counting.terms, counting.state.standing
    held = terms.rank(standing.now.tier)
    graced = standing.grace_until is not None
    metric = metric_in_grace(due - 1, counting) if graced else counting.metric(due - 1)
    kept = terms.kept(metric, held)
    if kept == held > 0:
        return extend_tier(member, metric, due, at, counting)
    if not graced and terms.qualifying.grace_days and held:
        until = add_days(due, terms.qualifying.grace_days, terms.zone)
        needed = terms.tiers[held - 1].keep * terms.scale
        seen = view_of(standing.now.tier, metric, due, counting)
        return TierGraceStarted(
            member=member,
            tier=standing.now.tier,
            qualifying=metric,
            needed=needed,
            grace_until=until,
            shown=seen,
            terms=terms.version,
            at=at,
        )
    rank = rank_after_review(kept, held, terms.qualifying.downgrade)
    valid = renewed(anchor(due, counting), counting) if rank else None
    seen = view_of(terms.name(rank), metric, due, counting)
    return TierLowered(
        member=member,
        tier=terms.name(rank),
        previous=standing.now.tier,
        qualifying=metric,
        valid_until=valid,
        reason="review",
        shown=seen,
        terms=terms.version,
        at=at,
    )


def rank_after_review(kept: int, held: int, downgrade: str) -> int:
    """Return the rank after a review that was not met."""
    return {"one_down": max(0, held - 1), "to_metric": kept, "base": 0}[downgrade]


def extend_tier(member: str, metric: int, now: int, at: int, counting: Qualification) -> TierExtended:
    tier, terms = counting.state.standing.now.tier, counting.terms
    until = renewed(anchor(now, counting), counting)
    revocable = until if terms.qualifying.revoke == "always" else None
    return TierExtended(
        member=member,
        tier=tier,
        qualifying=metric,
        valid_until=until,
        revocable_until=revocable,
        shown=view_of(tier, metric, now, counting),
        terms=terms.version,
        at=at,
    )


def revoke_upgrade(member: str, now: int, metric: int, counting: Qualification) -> list[TierLowered]:
    """Return the loss of an upgrade that its purchases no longer carry after a reversal, while the upgrade is revocable.

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
    seen = view_of(terms.name(rank), metric, now, counting)
    return [
        TierLowered(
            member=member,
            tier=terms.name(rank),
            previous=held.tier,
            qualifying=metric,
            valid_until=until,
            reason="reversal",
            shown=seen,
            terms=terms.version,
            at=now,
        )
    ]


def view_of(tier: str, metric: int, now: int, counting: Qualification) -> TierView:
    return tier_view(tier, counting.state.standing.override, metric, now, counting)


def metric_in_grace(now: int, counting: Qualification) -> int:
    """Return the metric of the window that was reviewed and of the grace since."""
    if counting.terms.qualifying.window == "rolling":
        return counting.metric(now)
    return counting.between(counting.opens(anchor(now, counting) - 1), now)


def anchor(now: int, counting: Qualification) -> int:
    """Return the date that the tier was held to, from which the next one is counted."""
    return counting.state.standing.now.valid_until or now


def held_until(now: int, counting: Qualification) -> int:
    """Return the first instant at which a tier that is reached ``now`` is reviewed."""
    terms = counting.terms
    if terms.qualifying.window == "rolling":
        return end_of_day(add_months(now, terms.qualifying.months, terms.zone), terms.zone)
    return counting.cycle(counting.cycle(now)[1])[1]


def renewed(until: int, counting: Qualification) -> int:
    """Return the first instant at which a tier that was held ``until`` then, and is kept, is reviewed again."""
    if counting.terms.qualifying.window == "rolling":
        return held_until(until - 1, counting)
    return counting.cycle(until)[1]


def revocable_until(now: int, until: int, counting: Qualification) -> int | None:
    """Return until when a reversal takes back an upgrade of ``now`` that is held ``until`` then; None for never."""
    terms = counting.terms
    match terms.qualifying.revoke:
        case "never":
            return None
        case "always":
            return until
        case "within":
            days = terms.qualifying.revoke_days
            return add_days(now, terms.return_days if days is None else days, terms.zone)


OVER = "over"
"""The reason of one that ends by itself."""


def tier_in_effect(earned: str, override: TierOverride | None, terms: Programme) -> str:
    if override is None:
        return earned
    if override.kind == "pin":
        return override.tier
    return override.tier if terms.rank(override.tier) > terms.rank(earned) else earned


def tier_view(earned: str, override: TierOverride | None, metric: int, now: int, counting: Qualification) -> TierView:
    """Return what a member sees who has earned this tier and has this override."""
    terms = counting.terms
    tier = tier_in_effect(earned, override, terms)
    rank = terms.rank(tier)
    benefits = terms.tiers[rank - 1].benefits if rank else Benefits()
    return TierView(tier, benefits, progress_to_next(tier, metric, now, counting))


def override_tier(
    member: str, laid: TierOverride, reason: str, actor: str, now: int, counting: Qualification
) -> TierOverridden:
    terms, earned = counting.terms, counting.state.standing.now.tier
    if laid.kind not in ("pin", "floor"):
        raise Refusal("override_kind_invalid", "An override is a pin or a floor.")
    if laid.tier != ENTRY_TIER and not terms.rank(laid.tier):
        raise Refusal("tier_unknown", "The policy in force has no such tier.")
    if laid.until is not None and laid.until <= now:
        raise Refusal("override_over", "An override ends after it begins, or not by itself.")
    seen = tier_view(earned, laid, counting.metric(now), now, counting)
    return TierOverridden(
        member=member,
        override=laid.override,
        kind=laid.kind,
        tier=laid.tier,
        reason=reason,
        actor=actor,
        until=laid.until,
        shown=seen,
        terms=terms.version,
        at=now,
    )


def end_override(
    member: str, name: str, reason: str, actor: str | None, now: int, at: int, counting: Qualification
) -> TierOverrideEnded:
    """Return the end of an override: the earned tier is in effect again from ``now`` on. Recorded ``at``."""
    seen = tier_view(counting.state.standing.now.tier, None, counting.metric(now), now, counting)
    return TierOverrideEnded(
        member=member, override=name, reason=reason, actor=actor, shown=seen, terms=counting.terms.version, at=at
    )
