from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import Recorded
from aggregates.member import MemberClosed, MemberErased, MemberProfileChanged, MemberRegistered
from aggregates.membership.decider import membership
from aggregates.membership.events import (
    DebtSettled,
    Event,
    LotActivated,
    PointsClawedBack,
    PointsGranted,
    PointsRedeemed,
    TierExtended,
    TierGraceStarted,
    TierLowered,
    TierOverridden,
    TierOverrideEnded,
    TierRaised,
)
from aggregates.membership.tiers.state import TierProgress, TierView
from aggregates.programme import Benefits
from aggregates.value import replace
from projections.card import Card, Override, card
from projections.card_wallet import Activation
from tests.aggregates.given import DAY
from tests.aggregates.membership.histories import lives
from tests.projections.folding import folded

REGISTERED = MemberRegistered(
    member="m", name="Ann", email="ann@example.org", birthday="1990-12-31", profile={"age": "25-34"}, at=1
)
WAY = TierProgress("spend", "silver", 90_000, 400, 55)
GRANTED = PointsGranted(
    member="m",
    lot="a",
    order="a",
    points=100,
    net=10_000,
    tier="member",
    multiplier=(1, 1),
    qualifying=10_000,
    terms=1,
    at=10,
    ahead=WAY,
)
ACTIVATED = LotActivated(member="m", lot="a", active_from=50, at=20)
REDEEMED = PointsRedeemed(member="m", redemption="p-1", order=None, points=60, allocations=(("a", 60),), at=50)
LEFT = replace(WAY, missing=100_000, leaving=0, forecast=None)
CLAWED_BACK = PointsClawedBack(
    member="m",
    lot="a",
    reversal="r-1",
    points=100,
    allocations=(("a", 40),),
    debt_added=60,
    net=0,
    qualifying=0,
    at=60,
    ahead=LEFT,
)
BENEFITS = Benefits(free_shipping=True)
RAISED = TierRaised(
    member="m",
    tier="silver",
    previous="member",
    qualifying=120_000,
    valid_until=1000,
    revocable_until=24,
    provisional_until=24,
    shown=TierView("silver", BENEFITS, TierProgress("spend", "gold", 180_000, 500, 77)),
    terms=1,
    at=10,
)
KEPT = TierExtended(
    member="m", tier="silver", qualifying=90_000, valid_until=2000, revocable_until=None, shown=RAISED.shown, terms=1, at=1000
)
TOP = TierView("gold", BENEFITS, TierProgress("spend", None, 0, 500, None))
LOST = TierView("member", Benefits(), TierProgress("spend", "silver", 90_000, 0, None))
NEW = Card("m")


def the_card(*events: object) -> Card:
    view = folded(card, *events)["card:m"]
    assert isinstance(view, Card)
    return view


def test_a_registered_member_has_a_card() -> None:
    assert the_card(REGISTERED) == replace(
        NEW,
        status="registered",
        name="Ann",
        email="ann@example.org",
        birthday="1990-12-31",
        profile={"age": "25-34"},
        registered_at=1,
        as_of=1,
        position=1,
    )


def test_a_changed_profile_replaces_the_old_but_not_the_date_of_joining() -> None:
    view = the_card(REGISTERED, MemberProfileChanged(member="m", name="Anna", email=None, birthday=None, profile={}, at=5))
    assert (view.name, view.email, view.birthday, view.profile) == ("Anna", None, None, {})
    assert (view.registered_at, view.as_of, view.position) == (1, 5, 2)


def test_a_closed_membership_is_shown_as_closed_with_its_points() -> None:
    view = the_card(REGISTERED, GRANTED, MemberClosed("m", "moved", at=70))
    assert (view.status, view.name, view.pending) == ("closed", "Ann", 100)


def test_points_before_registration_make_a_card_of_an_unregistered_member() -> None:
    assert the_card(GRANTED) == replace(
        NEW,
        pending=100,
        undelivered={"a": 100},
        qualifying=10_000,
        next_tier="silver",
        to_next_tier=90_000,
        leaving=400,
        forecast=55,
        as_of=10,
        position=1,
    )


def test_points_of_a_delivered_order_say_when_they_become_spendable() -> None:
    view = the_card(GRANTED, ACTIVATED)
    assert (view.points, view.pending, view.undelivered) == (0, 100, {})
    assert view.activations == (Activation(at=50, points=100, lot="a"),)


def test_points_are_spendable_from_the_instant_they_became_due() -> None:
    before = the_card(GRANTED, ACTIVATED, MemberClosed("m", "", at=49))
    after = the_card(GRANTED, ACTIVATED, MemberClosed("m", "", at=50))
    assert (before.points, before.pending) == (0, 100)
    assert (after.points, after.pending, after.activations) == (100, 0, ())


def test_a_return_window_that_was_over_before_it_was_known_makes_points_spendable_at_once() -> None:
    view = the_card(replace(GRANTED, at=80), ACTIVATED)
    assert (view.points, view.pending, view.as_of) == (100, 0, 80)


def test_the_next_change_comes_first() -> None:
    other = replace(GRANTED, lot="b", order="b")
    view = the_card(GRANTED, other, ACTIVATED, LotActivated(member="m", lot="b", active_from=40, at=20))
    assert [activation.lot for activation in view.activations] == ["b", "a"]


def test_spent_points_are_gone() -> None:
    view = the_card(GRANTED, ACTIVATED, REDEEMED)
    assert (view.points, view.pending, view.debt) == (40, 0, 0)


def test_points_taken_back_beyond_what_is_left_are_owed() -> None:
    view = the_card(GRANTED, ACTIVATED, REDEEMED, CLAWED_BACK)
    assert (view.points, view.debt, view.balance) == (0, 60, -60)
    assert (view.qualifying, view.to_next_tier) == (0, 100_000)
    assert (view.leaving, view.forecast) == (0, None)


def test_points_are_taken_back_from_lots_that_are_pending() -> None:
    undelivered = replace(CLAWED_BACK, points=30, allocations=(("a", 30),), debt_added=0, at=15)
    assert the_card(GRANTED, undelivered).undelivered == {"a": 70}
    dated = the_card(GRANTED, ACTIVATED, replace(undelivered, at=30))
    assert (dated.pending, dated.activations) == (70, (Activation(50, 70, "a"),))


def test_what_is_owed_is_settled_from_new_points() -> None:
    second = replace(GRANTED, lot="b", order="b", at=70)
    owing = (GRANTED, ACTIVATED, REDEEMED, CLAWED_BACK, second, LotActivated(member="m", lot="b", active_from=90, at=80))
    pending = the_card(*owing)
    assert (pending.points, pending.debt, pending.balance, pending.pending) == (0, 60, -60, 100)
    due = the_card(*owing, MemberClosed("m", "", at=90))
    assert (due.points, due.debt, due.balance) == (40, 0, 40), "a card needs no job to stay true"
    settled = the_card(*owing, DebtSettled(member="m", lot="b", points=60, at=90))
    assert (settled.points, settled.debt, settled.balance) == (40, 0, 40)


def test_a_lot_of_no_points_makes_no_activation() -> None:
    undelivered = replace(CLAWED_BACK, points=100, allocations=(("a", 100),), debt_added=0, at=15)
    assert the_card(GRANTED, undelivered, ACTIVATED).activations == ()
    assert the_card(replace(GRANTED, points=0), ACTIVATED).activations == ()


def test_a_tier_shows_how_long_it_holds_and_how_far_the_next_one_is() -> None:
    view = the_card(RAISED)
    assert (view.tier, view.tier_until, view.next_tier, view.to_next_tier) == ("silver", 1000, "gold", 180_000)
    assert (view.benefits, view.metric, view.leaving, view.forecast) == (BENEFITS, "spend", 500, 77)
    gold = the_card(
        RAISED,
        TierRaised(
            member="m",
            tier="gold",
            previous="silver",
            qualifying=300_000,
            valid_until=2000,
            revocable_until=34,
            provisional_until=None,
            shown=TOP,
            terms=1,
            at=20,
        ),
    )
    assert (gold.tier, gold.tier_until, gold.next_tier, gold.to_next_tier) == ("gold", 2000, None, None)


def test_a_provisional_tier_is_shown_as_such_until_it_is_reviewed() -> None:
    assert the_card(RAISED).provisional_until == 24
    assert the_card(RAISED, replace(KEPT, at=900)).provisional_until is None


def test_a_kept_tier_holds_longer() -> None:
    view = the_card(RAISED, KEPT)
    assert (view.tier, view.tier_until, view.qualifying) == ("silver", 2000, 90_000)


def test_a_lost_tier_is_the_next_one_again() -> None:
    view = the_card(
        RAISED,
        TierLowered(
            member="m",
            tier="member",
            previous="silver",
            qualifying=10_000,
            valid_until=None,
            reason="review",
            shown=LOST,
            terms=1,
            at=1000,
        ),
    )
    assert (view.tier, view.tier_until, view.next_tier, view.to_next_tier) == ("member", None, "silver", 90_000)
    assert view.benefits == Benefits()


def test_a_tier_in_grace_is_kept() -> None:
    graced = TierGraceStarted(
        member="m",
        tier="silver",
        qualifying=10_000,
        needed=80_000,
        grace_until=1300,
        shown=RAISED.shown or TOP,
        terms=1,
        at=1000,
    )
    view = the_card(RAISED, graced)
    assert (view.tier, view.tier_until, view.grace_until, view.qualifying) == ("silver", 1000, 1300, 10_000)
    assert the_card(RAISED, graced, replace(KEPT, at=1100)).grace_until is None


def test_an_override_hides_the_earned_tier() -> None:
    pinned = TierOverridden(
        member="m",
        override="p",
        kind="pin",
        tier="gold",
        reason="a complaint",
        actor="ada",
        until=500,
        shown=TOP,
        terms=1,
        at=20,
    )
    view = the_card(RAISED, pinned)
    assert (view.tier, view.earned_tier, view.override) == ("gold", "silver", Override("pin", "gold", 500))
    ended = the_card(
        RAISED,
        pinned,
        TierOverrideEnded(member="m", override="p", reason="over", actor=None, shown=RAISED.shown or TOP, terms=1, at=500),
    )
    assert (ended.tier, ended.earned_tier, ended.override) == ("silver", "silver", None)


def test_events_from_before_overrides_show_the_earned_tier() -> None:
    view = the_card(replace(RAISED, shown=None))
    assert (view.tier, view.earned_tier, view.next_tier, view.to_next_tier) == ("silver", "silver", None, None)


def test_a_grant_without_progress_leaves_the_progress_unchanged() -> None:
    view = the_card(GRANTED, replace(GRANTED, lot="b", order="b", qualifying=20_000, ahead=None))
    assert (view.qualifying, view.next_tier, view.to_next_tier) == (20_000, "silver", 90_000)


def test_the_card_of_an_erased_member_says_that_and_nothing_else() -> None:
    assert the_card(REGISTERED, GRANTED, RAISED, MemberErased("m", at=12)) == Card("m", "erased", as_of=12, position=4)
    assert the_card(MemberErased("m", at=12)) == Card("m", "erased", as_of=12, position=1)


def test_what_still_happens_to_an_erased_members_orders_is_not_shown() -> None:
    erased = (REGISTERED, GRANTED, MemberErased("m", at=12))
    assert the_card(*erased, ACTIVATED, REDEEMED, CLAWED_BACK, RAISED, MemberErased("m", at=99)) == the_card(*erased)


def test_another_members_card_stays() -> None:
    view = folded(card, REGISTERED, replace(REGISTERED, member="n"), MemberErased("n", at=9))
    assert view == {"card:m": the_card(REGISTERED), "card:n": Card("n", "erased", as_of=9, position=3)}


@given(lives, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 400)), max_size=3))
def test_the_card_shows_what_the_decider_would_find(life: list[Event], visits: list[tuple[int, int]]) -> None:
    """Profile changes at any time in between move the card's clock, not the membership's."""
    start = life[0].at if life else 0
    events: list[Event | MemberProfileChanged] = list(life)
    for place, day in visits:
        events.insert(
            min(place, len(events)),
            MemberProfileChanged(member="m", name=None, email=None, birthday=None, profile={}, at=start + day * DAY),
        )
    view, documents, state = card, dict[str, object](), membership.initial
    for position, event in enumerate(events, 1):
        view.fold(documents, [Recorded(position, event)])
        shown = documents["card:m"]
        assert isinstance(shown, Card)
        state = state if isinstance(event, MemberProfileChanged) else membership.evolve(state, event)
        now = shown.as_of
        assert (shown.points, shown.pending, shown.debt) == (
            state.available(now),
            state.pending(now),
            state.debt(now),
        )
        assert (shown.tier, shown.tier_until) == (state.tier, state.standing.now.valid_until)
        for later in (now, *(activation.at + shift for activation in shown.activations for shift in (-1, 0))):
            due = sum(activation.points for activation in shown.activations if activation.at <= later)
            assert shown.balance + due == state.balance(later), "the reader's rule"
