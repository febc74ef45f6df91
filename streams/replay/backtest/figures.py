"""The figures of a backtest: the same sums over what was and over what would be, side by side.

Points and money (minor units) are integers. The books of points and the liability are those of the audit. An event counts in
the local month in which it became known, a late one when it came. The month of ``now`` is counted up to that instant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aggregates.calendar import end_of_month, local_day
from aggregates.membership.decider import membership, membership_as_of
from aggregates.membership.events import Event, PointsRedeemed, PointsReturned
from aggregates.membership.ledger.books import Liability
from aggregates.membership.state import Membership
from aggregates.membership.tiers.judging import tier_in_effect
from aggregates.programme import ENTRY_TIER, Policies
from streams.queries.audit import Audit, check_member
from streams.replay.backtest.policy import Histories, RefusedKind, RefusedTotal

MOST = 10
"""How many of those who gain or lose are named."""

KINDS = {"granted": 1, "redeemed": -1, "returned": 1, "expired": -1, "clawed back": -1}
"""The movements of points that are compared, with the sign that makes each of them positive."""

LAPSED = {"expired": "lapsed", "clawed back": "clawed_back"}

AS_THEN = "Nobody redeems more than they did, so a generous policy shows too little redeemed and too much outstanding."
SAME_SHARE = "Members redeem the same share of what they could spend as they did then: an assumption, not a forecast."

UNKNOWN = (
    "Purchases did not react: people bought, returned and shared what they did under the policy of the time.",
    "Nobody came or left because of the policy.",
    AS_THEN,
    "What was paid for an order contains redemptions that could not have been made under this policy.",
    "Adjustments by hand stand as they were, though they healed what the policy of the time had done.",
    "Requests that were refused then are not in the log, nor are actions that no rule of the time rewarded.",
    "The log does not keep the price by which a share of an order was capped: that cap refuses nothing here.",
)
"""What a backtest cannot know."""


@dataclass
class Side:
    """The figures of one of the two histories.

    ``months``: by month and wallet, points by kind and ``cost``. ``tiers``: by month, members by tier. ``worth``: by member and
    wallet, the points to spend and those redeemed.
    """

    audit: Audit = field(default_factory=Audit)
    months: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    tiers: dict[str, Counter[str]] = field(default_factory=dict)
    worth: Counter[tuple[str, str]] = field(default_factory=Counter)

    def cost(self, wallet: str) -> int:
        """Return what redeemed points cost less those that came back, in minor units."""
        return sum(counted["cost"] for (_, of), counted in self.months.items() if of == wallet)


def month_ends(first: int, now: int, zone: str) -> Iterator[tuple[str, int]]:
    """Yield each local month from that of ``first`` to that of ``now``, with the last instant that counts."""
    at = first
    while at <= now:
        end = end_of_month(at, 0, zone)
        yield local_day(at, zone)[:7], min(end - 1, now)
        at = end


def side(events: Mapping[str, list[Event]], policies: Policies, done: Histories) -> Side:
    """Return the figures of one history."""
    found = Side()
    zone = policies.newest.zone
    ends = list(month_ends(min(done.known.values(), default=done.now), done.now, zone))
    for member in sorted(done.known.keys() | events.keys()):
        mine = events.get(member, [])
        if mine:
            check_member(member, mine, policies, done.now, found.audit)
        _count_member(member, mine, policies, done, ends, found)
    for (wallet, day), moved in found.audit.rolled.items():
        counted = found.months.setdefault((day[:7], wallet), Counter())
        for kind, sign in KINDS.items():
            counted[LAPSED.get(kind, kind)] += sign * moved[kind]  # type: ignore[index]
    return found


def _count_member(
    member: str, events: list[Event], policies: Policies, done: Histories, ends: list[tuple[str, int]], found: Side
) -> None:
    """Count the tier of a member at the end of each month, what their points cost, and what they are worth to the member."""
    zone, state, latest, month = policies.newest.zone, Membership(), 0, 0
    for event in events:
        latest = max(latest, event.at)
        while month < len(ends) and ends[month][1] < latest:
            _count_tier(member, *ends[month], state, policies, done, found)
            month += 1
        state = membership.evolve(state, event)
        if isinstance(event, PointsRedeemed | PointsReturned):
            sign = 1 if isinstance(event, PointsRedeemed) else -1
            counted = found.months.setdefault((local_day(latest, zone)[:7], event.wallet), Counter())
            counted["cost"] += sign * event.money
            found.worth[member, event.wallet] += sign * event.points
    for name, end in ends[month:]:
        _count_tier(member, name, end, state, policies, done, found)
    state = membership_as_of(done.now, policies, state)
    for wallet in {lot.wallet for lot in state.points.lots.all()} | state.points.debts.keys():
        found.worth[member, wallet] += state.balance(done.now, wallet)


def _count_tier(member: str, month: str, end: int, state: Membership, policies: Policies, done: Histories, found: Side) -> None:
    known, left = done.known.get(member, end + 1), done.left.get(member, end + 1)
    if known > end or left <= end or member in done.pools:
        return
    then = membership_as_of(end, policies, state)
    tier = tier_in_effect(then.tier, then.standing.override, policies.at(end)) or ENTRY_TIER
    found.tiers.setdefault(month, Counter())[tier] += 1


@dataclass
class Comparison:
    """Both sides of a replay, or of that of some members; ``position`` and ``now`` are of the whole log.

    ``published`` and ``candidate``: their policies.
    """

    published: Policies
    candidate: Policies
    now: int
    position: int
    was: Side
    would: Side
    refused: dict[RefusedKind, RefusedTotal]
    redeem_share: bool


def sides(done: Histories) -> Comparison:
    """Return the figures of both histories."""
    was, would = side(done.were, done.published, done), side(done.would, done.candidate, done)
    told = done.published, done.candidate, done.now, done.position
    return Comparison(*told, was, would, done.refused, done.redeem_share)


def add_side(whole: Side, part: Side) -> None:
    """Add the figures of other members."""
    add_audit(whole.audit, part.audit)
    for of, counted in part.months.items():
        whole.months.setdefault(of, Counter()).update(counted)
    for month, tiers in part.tiers.items():
        whole.tiers.setdefault(month, Counter()).update(tiers)
    whole.worth.update(part.worth)


def add_audit(whole: Audit, part: Audit) -> None:
    """Add the books of other members."""
    whole.members += part.members
    whole.days += part.days
    whole.differences = sorted([*whole.differences, *part.differences], key=lambda found: (found.member, found.day))
    for key, moved in part.rolled.items():
        whole.rolled.setdefault(key, Counter()).update(moved)
    for wallet, liability in part.liabilities.items():
        whole.liabilities.setdefault(wallet, Liability()).add_all(liability)


def merged(parts: Sequence[Comparison]) -> Comparison:
    """Return the comparison of all members from those of some. Every figure is a sum, so their order makes no difference."""
    whole, *others = parts
    for part in others:
        add_side(whole.was, part.was)
        add_side(whole.would, part.would)
        for kind, total in part.refused.items():
            mine = whole.refused.setdefault(kind, RefusedTotal())
            mine.requests += total.requests
            mine.points += total.points
            mine.money += total.money
    return whole


# The comparison, as plain data


def compare(done: Histories, since: int = 0) -> dict[str, Any]:
    """Return both sides as plain data, for months from that of the instant ``since`` on. Money is in minor units."""
    return figures(sides(done), since)


def figures(done: Comparison, since: int = 0) -> dict[str, Any]:
    """Return a comparison as plain data; see :func:`compare`."""
    was, would = done.was, done.would
    first = local_day(since, done.published.newest.zone)[:7]
    wallets = sorted({wallet for one in (was, would) for _, wallet in one.months} | was.audit.liabilities.keys())
    return {
        "as_of": done.now,
        "position": done.position,
        "months": [
            {"month": month, "wallet": wallet, "was": amounts(was, month, wallet), "would": amounts(would, month, wallet)}
            for month, wallet in sorted(was.months.keys() | would.months.keys())
            if month >= first
        ],
        "tiers": [
            {"month": month, "was": by_name(was.tiers.get(month)), "would": by_name(would.tiers.get(month))}
            for month in sorted(was.tiers.keys() | would.tiers.keys())
            if month >= first
        ],
        "wallets": {
            wallet: {
                "was": outstanding(was, wallet, done.published, done.now),
                "would": outstanding(would, wallet, done.candidate, done.now),
            }
            for wallet in wallets
        },
        "members": {wallet: gains(was, would, wallet) for wallet in wallets},
        "refused": [
            {
                "command": kind.command,
                "code": kind.code,
                "requests": total.requests,
                "points": total.points,
                "money": total.money,
            }
            for kind, total in sorted(done.refused.items())
        ],
        "scenario": "redeem-share" if done.redeem_share else "as-then",
        "unknown": [SAME_SHARE if done.redeem_share and one == AS_THEN else one for one in UNKNOWN],
    }


def amounts(of: Side, month: str, wallet: str) -> dict[str, int]:
    counted = of.months.get((month, wallet), Counter())
    return {name: counted[name] for name in (*(LAPSED.get(kind, kind) for kind in KINDS), "cost")}


def by_name(counted: Counter[str] | None) -> dict[str, int]:
    return dict(sorted((counted or Counter()).items()))


def outstanding(of: Side, wallet: str, policies: Policies, now: int) -> dict[str, int]:
    """Return what is outstanding in a wallet at the end, what it is worth to the shop, and what redeemed points have cost."""
    liability, terms = of.audit.liabilities.get(wallet, Liability()), policies.at(now)
    return {
        "to_spend": liability.active,
        "pending": liability.pending,
        "held": liability.held,
        "owed": liability.owed,
        "worth": liability.worth(wallet, terms),
        "deferred": liability.deferral(wallet, terms),
        "cost": of.cost(wallet),
    }


def gains(was: Side, would: Side, wallet: str) -> dict[str, Any]:
    """Return who would have more points in a wallet, spendable or redeemed, and who fewer."""
    members = sorted(member for member, of in was.worth.keys() | would.worth.keys() if of == wallet)
    changed = [(would.worth[member, wallet] - was.worth[member, wallet], member) for member in members]
    changed = [(change, member) for change, member in changed if change]
    most = sorted(changed, key=lambda one: (-abs(one[0]), one[1]))[:MOST]
    return {
        "gain": {"members": sum(change > 0 for change, _ in changed), "points": sum(max(change, 0) for change, _ in changed)},
        "lose": {"members": sum(change < 0 for change, _ in changed), "points": sum(max(-change, 0) for change, _ in changed)},
        "most": [
            {"member": member, "was": was.worth[member, wallet], "would": would.worth[member, wallet], "change": change}
            for change, member in most
        ],
    }
