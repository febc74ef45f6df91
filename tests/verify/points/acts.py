"""What the data has none of, made up: points held, spent, sent, given and taken, goods that come back, tiers set by hand.

Deterministic: what follows from a basket depends on the seed and the basket's number alone, and on what the member has by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from aggregates.decider import Look
from aggregates.membership.commands import (
    ActivateLot,
    AdjustPoints,
    CaptureHold,
    HoldPoints,
    OverrideTier,
    RedeemPoints,
    ReinstatePoints,
    ReleaseHold,
    ReturnPoints,
    TransferPoints,
)
from aggregates.membership.decider import membership
from aggregates.membership.state import Membership
from aggregates.membership.tiers.state import OverrideKind
from aggregates.order.decider import order
from aggregates.order.refund import RefundOrder, RefundPart
from tests.verify.points.weaving import Act, Bought

HOUR = 3_600_000
DAY = 24 * HOUR
FIVE = 5
"""Points are spent and sent in fives: the policy asks for it."""


class Acts:
    """``follows(basket)``: about one act a basket, of every kind."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._members: list[str] = []
        self._seen: set[str] = set()

    def follows(self, basket: Bought) -> Iterator[Act]:
        chance = Random(f"{self._seed}/{basket.order}")
        if basket.member not in self._seen:
            self._seen.add(basket.member)
            self._members.append(basket.member)
        for share, act in (
            (0.10, self._hold_for_order),
            (0.15, self._redeem),
            (0.06, self._hold_for_nothing),
            (0.12, self._refund),
            (0.08, self._send),
            (0.04, self._adjust),
            (0.05, self._reinstate),
            (0.02, self._override),
            (0.40, self._activate_stars),
        ):
            if chance.random() < share:
                yield from act(basket, chance)

    def _hold_for_order(self, basket: Bought, chance: Random) -> Iterator[Act]:
        """The order's payment captures it."""
        name, share = f"hold/{basket.order}", chance.random()

        def plan(look: Look) -> Iterator[object]:
            most = basket.total // 2 // FIVE * FIVE  # a point is a cent, and half of the order may be paid with them
            if points := min(most, part(look(membership, basket.member), basket.at, share)):
                yield HoldPoints(basket.member, name, points, basket.at, basket.order, total=max(0, basket.total))

        yield Act(basket.at, name, plan)

    def _redeem(self, basket: Bought, chance: Random) -> Iterator[Act]:
        """For this order, which a refund of it gives back, or for itself; some come back on their own, in parts."""
        name, at, share = f"redeem/{basket.order}", basket.at + chance.randrange(DAY), chance.random()
        of_order = basket.order if chance.random() < 0.5 else None

        def plan(look: Look) -> Iterator[object]:
            if points := part(look(membership, basket.member), at, share):
                yield RedeemPoints(basket.member, name, points, at, of_order)

        yield Act(at, name, plan)
        for number in range(chance.choice((0, 0, 1, 2))):
            yield self._return(basket, name, at + chance.randrange(40 * DAY), number, chance.random())

    def _return(self, basket: Bought, redemption: str, at: int, number: int, share: float) -> Act:
        name = f"return/{number}/{basket.order}"

        def plan(look: Look) -> Iterator[object]:
            spent = look(membership, basket.member).points.redemptions.get(redemption)
            if spent and (points := round(spent.outstanding * share)):
                yield ReturnPoints(basket.member, redemption, name, at, points)

        return Act(at, name, plan)

    def _hold_for_nothing(self, basket: Bought, chance: Random) -> Iterator[Act]:
        """It is captured, released, given up by the shop, or runs out."""
        name, at, share = f"hold/alone/{basket.order}", basket.at + chance.randrange(5 * DAY), chance.random()
        ends, later = chance.choice(("captured", "released", "shop", "over")), at + chance.randrange(3 * DAY)

        def plan(look: Look) -> Iterator[object]:
            if points := part(look(membership, basket.member), at, share):
                yield HoldPoints(basket.member, name, points, at)

        def end(look: Look) -> Iterator[object]:
            if name not in look(membership, basket.member).points.holds or ends == "over":
                return
            if ends == "captured":
                yield CaptureHold(basket.member, name, later)
            else:
                yield ReleaseHold(basket.member, name, later, by_shop=ends == "shop")

        yield Act(at, name, plan)
        yield Act(later, f"{name}/end", end)

    def _refund(self, basket: Bought, chance: Random) -> Iterator[Act]:
        """In up to three parts, the last of them sometimes all that is left."""
        parts, whole = chance.choice((1, 1, 2, 3)), chance.random() < 0.5
        days = sorted(chance.randrange(40 * DAY) for _ in range(parts))
        for number, later in enumerate(days, 1):
            yield self._refund_part(basket, number, basket.at + later, whole and number == parts, Random(chance.random()))

    def _refund_part(self, basket: Bought, number: int, at: int, whole: bool, chance: Random) -> Act:
        name = f"refund/{number}/{basket.order}"

        def plan(look: Look) -> Iterator[object]:
            known = look(order, basket.order)
            left = [max(1, line.quantity) - done for line, done in zip(known.lines, known.refunded, strict=True)]
            lines = [line for line, units in enumerate(left, 1) if units and (whole or chance.random() < 0.4)]
            parts = tuple(RefundPart(line, None if whole else chance.randint(1, left[line - 1])) for line in lines)
            if lines:
                yield RefundOrder(basket.order, name, at, parts)

        return Act(at, name, plan)

    def _send(self, basket: Bought, chance: Random) -> Iterator[Act]:
        name, at, share = f"send/{basket.order}", basket.at + chance.randrange(9 * DAY), chance.random()
        to = chance.choice(self._members)

        def plan(look: Look) -> Iterator[object]:
            if to != basket.member and (points := part(look(membership, basket.member), at, share)):
                yield TransferPoints(basket.member, to, name, min(100, points), at)

        yield Act(at, name, plan)

    def _adjust(self, basket: Bought, chance: Random) -> Iterator[Act]:
        name, at, points = f"adjust/{basket.order}", basket.at + chance.randrange(3 * DAY), chance.randint(-30, 30)

        def plan(look: Look) -> Iterator[object]:
            fits = max(points, -look(membership, basket.member).available(at))
            if fits:
                yield AdjustPoints(basket.member, name, fits, "goodwill", "service", at)

        yield Act(at, name, plan)

    def _reinstate(self, basket: Bought, chance: Random) -> Iterator[Act]:
        name, at = f"reinstate/{basket.order}", basket.at + chance.randrange(2 * DAY)

        def plan(look: Look) -> Iterator[object]:
            for lot in look(membership, basket.member).points.lots.all():
                if lot.lapsed and lot.expires_at and at < lot.expires_at + 13 * DAY and lot.wallet == "points":
                    yield ReinstatePoints(basket.member, name, lot.lot, "was ill", "service", at)
                    return

        yield Act(at, name, plan)

    def _override(self, basket: Bought, chance: Random) -> Iterator[Act]:
        name, at = f"override/{basket.order}", basket.at + chance.randrange(DAY)
        kind: OverrideKind = chance.choice(("pin", "floor"))
        tier = chance.choice(("member", "silver", "gold"))
        until = chance.choice((None, at + chance.randrange(DAY, 40 * DAY)))
        yield Act(at, name, lambda _: [OverrideTier(basket.member, name, kind, tier, "a friend", "service", at, until)])

    def _activate_stars(self, basket: Bought, chance: Random) -> Iterator[Act]:
        name, at = f"stars/{basket.order}", basket.at + chance.randrange(20 * DAY)

        def plan(look: Look) -> Iterator[object]:
            for lot in look(membership, basket.member).points.lots.all():
                if lot.wallet == "stars" and lot.active_from is None:
                    yield ActivateLot(basket.member, lot.lot, at)
                    return

        yield Act(at, name, plan)


def part(member: Membership, at: int, share: float) -> int:
    """A share of the points that can be spent, in fives."""
    return int(member.available(at) * share) // FIVE * FIVE
