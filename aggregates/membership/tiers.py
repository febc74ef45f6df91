"""The rules of tiers: qualifying spend over a rolling window, up at once, reviewed when the tier's year is over.

Upgrade when the spend of the last 12 months reaches a threshold; the tier then holds to the end of the day a year later.
At that review the lower keep-threshold decides, for this tier or the next ones down; a kept tier runs on from the old date, so
reviews do not drift. A reversal within the return window of the upgrade takes it back (membership semantics 2.2).
"""

from __future__ import annotations

from aggregates.membership.facts import Membership
from aggregates.membership.standing import TierExtended, TierLowered, TierRaised
from aggregates.programme import Programme
from aggregates.programme_time import add_days, add_months, end_of_day


def qualifying_spend(state: Membership, now: int, terms: Programme, change: tuple[int, int] = (0, 0)) -> int:
    """The spend of the window (now − 12 months, now], in minor units; every purchase counts at its own date.

    ``change``: a purchase's date, and by how much it is about to count for more or less.
    """
    since = add_months(now, -terms.window_months, terms.zone)
    at, more = change
    counted = state.earning.purchases.spend(since, now)
    return counted + more if since < at <= now else counted


def raised(member: str, now: int, spend: int, terms: Programme, state: Membership) -> list[TierRaised]:
    rank = terms.reached(spend)
    if rank <= terms.rank(state.tier):
        return []
    return [TierRaised(member, terms.name(rank), state.tier, spend, next_review(now, terms), now)]


def review(member: str, due: int, at: int, terms: Programme, state: Membership) -> TierExtended | TierLowered:
    """The outcome of the review that is ``due``, recorded ``at``."""
    spend = qualifying_spend(state, due - 1, terms)
    held = terms.rank(state.tier)
    kept = terms.kept(spend, held)
    until = next_review(due - 1, terms) if kept else None
    if kept == held and until is not None:
        return TierExtended(member, state.tier, spend, until, at)
    return TierLowered(member, terms.name(kept), state.tier, spend, until, "review", at)


def revoked(member: str, now: int, spend: int, terms: Programme, state: Membership) -> list[TierLowered]:
    """After a reversal: an upgrade of the last return window that its purchases no longer carry is taken back.

    It takes back no more than that upgrade gave: the tier held before it stands, to its own date.
    """
    now_held, ended = state.standing.now, state.standing.before
    before = terms.rank(ended.tier)
    rank = max(terms.reached(spend), before)
    window_over = add_days(now_held.raised_at, terms.return_days, terms.zone)
    if rank >= terms.rank(state.tier) or now >= window_over:
        return []
    until = ended.valid_until if rank == before else now_held.valid_until
    return [TierLowered(member, terms.name(rank), state.tier, spend, until, "reversal", now)]


def next_review(now: int, terms: Programme) -> int:
    return end_of_day(add_months(now, terms.window_months, terms.zone), terms.zone)
