"""The ledger against a slow and obvious one, over random lives: same balances at any instant, whether a job ran or not."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aggregates.decider import Refusal
from aggregates.membership.commands import (
    AdjustPoints,
    CaptureHold,
    HoldPoints,
    RecordDue,
    RedeemPoints,
    ReinstatePoints,
    ReleaseHold,
    ReturnPoints,
    TransferPoints,
)
from aggregates.membership.decider import due_at, membership
from aggregates.membership.events import PointsReinstated
from aggregates.membership.ledger.books import Closing, closing, movements
from aggregates.programme import Transfers, Validity, Wallet
from projections.card import Card, card
from tests.aggregates.given import DAY
from tests.aggregates.membership.lives import Ledger, policies
from tests.aggregates.membership.reference_ledger import Reference
from tests.examples import many
from tests.projections.folding import folded

LIFE, WAIT, GRACE, HOLD = 20, 14, 5, 36
WALLET = Wallet(
    validity=Validity("days", LIFE),
    hold_minutes=HOLD * 60,
    hold_grace_days=3,
    reissue_days=GRACE,
    reinstate_days=10_000,
    transfers=Transfers(allowed=True),
)
FIRST_DAY = 20_000
"""Days since 1970 at which the reference begins, since an instant near 1970 is refused as one in seconds."""

few = st.integers(1, 12)


def instant(day: float) -> int:
    return round((FIRST_DAY + day) * DAY)


class LedgerAgainstReference(RuleBasedStateMachine):
    """Both are told the same; days begin at noon of UTC, so that the end of a local day is a place of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(policies(WALLET))
        self.reference = Reference(WAIT, LIFE, GRACE)
        self.reference.now = 0.5
        self.day = 0.5
        self.number = 0
        self.earned: dict[str, int] = {}

    @property
    def at(self) -> int:
        return instant(self.day)

    def named(self) -> str:
        self.number += 1
        return f"{self.number:03}"

    def told(self, command: Any) -> bool:
        try:
            self.ledger.give(command)
        except Refusal:
            return False
        return True

    @rule(days=st.sampled_from([0, 1, 1, 3, 10, 14, 21]))
    def wait(self, days: int) -> None:
        self.day += days
        self.reference.advance(self.day)

    @rule()
    def a_job_runs(self) -> None:
        self.ledger.give(RecordDue("m", self.at))

    @rule(points=few, delivered=st.booleans())
    def buy(self, points: int, delivered: bool) -> None:
        order = self.named()
        self.ledger.buy(order, points * 100, self.at)
        self.reference.grant(order, points)
        self.earned[order] = points
        if delivered:
            self.deliver_first(order)

    def deliver_first(self, order: str) -> None:
        if self.ledger.deliver(order, self.at):
            self.reference.deliver(order)

    @rule(which=st.integers(0, 20))
    def deliver(self, which: int) -> None:
        if self.earned:
            self.deliver_first(list(self.earned)[which % len(self.earned)])

    @rule(which=st.integers(0, 20), keeps=st.integers(0, 12), again=st.booleans())
    def refund(self, which: int, keeps: int, again: bool) -> None:
        if self.earned:
            order = list(self.earned)[which % len(self.earned)]
            kept = min(keeps, self.earned[order])
            name = self.named()
            for _ in range(1 + again):
                self.ledger.refund(order, name, kept * 100, self.at)
            self.reference.claw(order, self.earned[order] - kept, self.earned)
            self.earned[order] = kept

    @rule(points=few)
    def redeem(self, points: int) -> None:
        name = self.named()
        assert self.told(RedeemPoints("m", name, points, self.at)) == self.reference.spend(name, points)

    @rule(points=few)
    def hold(self, points: int) -> None:
        name = self.named()
        until = self.day + HOLD / 24
        assert self.told(HoldPoints("m", name, points, self.at)) == self.reference.hold(name, points, until)

    @rule(which=st.integers(0, 5), how=st.sampled_from(["capture", "release", "shop"]))
    def settle_hold(self, which: int, how: str) -> None:
        if not self.reference.holds:
            return
        name = list(self.reference.holds)[which % len(self.reference.holds)]
        if how == "capture":
            assert self.told(CaptureHold("m", name, self.at))
            self.reference.capture(name)
        else:
            assert self.told(ReleaseHold("m", name, self.at, by_shop=how == "shop"))
            self.reference.release(name, 3 if how == "shop" else None)

    @rule(which=st.integers(0, 20), points=few)
    def give_back(self, which: int, points: int) -> None:
        uses = sorted({point.use for point in self.reference.points if point.place == "spent"})
        if uses:
            use, name = uses[which % len(uses)], self.named()
            left = sum(point.place == "spent" and point.use == use for point in self.reference.points)
            assert self.told(ReturnPoints("m", use, name, self.at, min(points, left)))
            self.reference.give_back(use, min(points, left), name)

    @rule(points=st.integers(-12, 12).filter(bool))
    def adjust(self, points: int) -> None:
        name = self.named()
        known = self.told(AdjustPoints("m", name, points, "goodwill", "kim", self.at))
        assert known == self.reference.adjust(name, points)

    @rule(which=st.integers(0, 20))
    def reinstate(self, which: int) -> None:
        lots = self.reference.lots(lambda point: point.place == "lapsed")
        if lots:
            lot, name = lots[which % len(lots)], self.named()
            assert self.told(ReinstatePoints("m", name, lot, "was ill", "kim", self.at))
            (given,) = [e for e in self.ledger.events if isinstance(e, PointsReinstated) and e.reinstatement == name]
            self.reference.reinstate(lot, given.lot)

    @rule(points=few)
    def send(self, points: int) -> None:
        sent = self.told(TransferPoints("m", "n", self.named(), points, self.at))
        assert sent == self.reference.take(points, "gone")

    @invariant()
    def both_stand_the_same_now_and_later(self) -> None:
        ahead = self.reference.copy()
        for later in (0, 1, 2, 5, 13, 14, 15, 21, 40):
            ahead.advance(self.day + later)
            at = instant(self.day + later)
            state = self.ledger.state
            found = (state.available(at), state.debt(at), state.pending(at), state.held(at))
            assert found == (ahead.count("active"), ahead.debt, ahead.count("pending"), ahead.count("held"))
            assert not (state.available(at) and state.debt(at))

    @invariant()
    def the_books_add_up(self) -> None:
        moved = [one for event in self.ledger.events for one in movements(event)]  # type: ignore[arg-type]
        points = sum(one.points for one in moved if one.kind != "owed")
        owed = sum(one.points for one in moved if one.kind == "owed")
        assert closing(self.ledger.state.points).get("points", Closing()) == Closing(points, owed)

    @invariant()
    def replayed_it_is_the_same(self) -> None:
        assert membership.rebuild(self.ledger.events) == self.ledger.state
        instant = due_at(self.ledger.state)
        assert instant is None or instant > self.ledger.state.latest, "whatever is due was recorded"

    @invariant()
    def the_card_says_the_same(self) -> None:
        if self.ledger.events:
            view = folded(card, *self.ledger.events)["card:m"]
            assert isinstance(view, Card)
            state = self.ledger.state
            shown = (view.points, view.debt, view.pending, view.held)
            now = view.as_of
            assert shown == (state.available(now), state.debt(now), state.pending(now), state.held(now))
            if not view.holds:  # what a hold gives back lapses as its lot does, which is told once it is given back
                for change in view.changes:
                    assert (change.balance, change.pending) == (state.balance(change.at), state.pending(change.at))


LedgerAgainstReference.TestCase.settings = settings(max_examples=many(150), stateful_step_count=40, deadline=None)
TestLedgerAgainstReference = LedgerAgainstReference.TestCase
