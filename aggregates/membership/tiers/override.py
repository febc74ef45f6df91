"""A tier set by hand: a pin holds it whatever is earned, a floor holds at least it, each until its date or until it is ended.

It lies over what is earned, which goes on beneath it. What is in effect: the pin, else the higher of earned tier and floor.
"""

from __future__ import annotations

from aggregates.decider import Refusal, require_instant
from aggregates.membership.tiers.progress import Shown
from aggregates.membership.tiers.qualification import Counting, ahead
from aggregates.membership.tiers.state import Override, TierOverridden, TierOverrideEnded
from aggregates.programme import ENTRY_TIER, Benefits, Programme

LONGEST_REASON = 200

OVER = "over"
"""The reason of one that ends by itself."""


def in_effect(earned: str, override: Override | None, terms: Programme) -> str:
    if override is None:
        return earned
    if override.kind == "pin":
        return override.tier
    return override.tier if terms.rank(override.tier) > terms.rank(earned) else earned


def shown(earned: str, override: Override | None, metric: int, now: int, counting: Counting) -> Shown:
    """What the member sees who has earned this tier, under this override."""
    terms = counting.terms
    tier = in_effect(earned, override, terms)
    rank = terms.rank(tier)
    benefits = terms.tiers[rank - 1].benefits if rank else Benefits()
    return Shown(tier, benefits, ahead(tier, metric, now, counting))


def overridden(member: str, laid: Override, reason: str, actor: str, now: int, counting: Counting) -> TierOverridden:
    terms, earned = counting.terms, counting.state.standing.now.tier
    if laid.kind not in ("pin", "floor"):
        raise Refusal("override_kind_invalid", "An override is a pin or a floor.")
    if laid.tier != ENTRY_TIER and not (isinstance(laid.tier, str) and terms.rank(laid.tier)):
        raise Refusal("tier_unknown", "The policy in force has no such tier.")
    if laid.until is not None:
        require_instant("until", laid.until)
        if laid.until <= now:
            raise Refusal("override_over", "An override ends after it begins, or not by itself.")
    seen = shown(earned, laid, counting.metric(now), now, counting)
    told = (laid.override, laid.kind, laid.tier, reason, actor, laid.until)
    return TierOverridden(member, *told, seen, terms.version, now)


def ended(member: str, name: str, reason: str, actor: str | None, now: int, at: int, counting: Counting) -> TierOverrideEnded:
    """What is earned is in effect again from ``now`` on; recorded ``at``."""
    seen = shown(counting.state.standing.now.tier, None, counting.metric(now), now, counting)
    return TierOverrideEnded(member, name, reason, actor, seen, counting.terms.version, at)


def require_reason(reason: str) -> None:
    if not isinstance(reason, str) or not 0 < len(reason.strip()) <= LONGEST_REASON or not reason.isprintable():
        raise Refusal("reason_invalid", f"Say why, in 1 to {LONGEST_REASON} characters of one line.")
