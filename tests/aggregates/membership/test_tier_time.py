"""What time does to tiers under any policy: recorded by a job or not, it is the same; and it has no gaps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.calendar import anniversary_cycle, calendar_cycle, end_of_day
from aggregates.decider import Refusal
from aggregates.membership.commands import (
    ActivatePoints,
    ClawBackPoints,
    Command,
    EndTierOverride,
    GrantPoints,
    OverrideTier,
    RecordDue,
    RedeemPoints,
)
from aggregates.membership.decider import due_at, membership, membership_as_of
from aggregates.membership.state import Membership
from aggregates.membership.tiers.judging import held_until
from aggregates.membership.tiers.qualification import Qualification
from aggregates.programme import Policies, Programme, Qualifying, Tier, Validity, Wallet
from aggregates.value import replace
from tests.aggregates.given import DAY, instant
from tests.aggregates.membership.lives import Life
from tests.examples import many

START = instant("2026-01-01")
ZONES = st.sampled_from(["America/New_York", "UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
INSTANTS = st.integers(START - 4000 * DAY, START + 4000 * DAY)

qualifying = st.builds(
    Qualifying,
    metric=st.sampled_from(["spend", "points", "orders"]),
    window=st.sampled_from(["rolling", "calendar", "anniversary"]),
    months=st.sampled_from([1, 3, 12, 12]),
    grace_days=st.sampled_from([0, 0, 10, 30]),
    downgrade=st.sampled_from(["one_down", "to_metric", "base"]),
    revoke=st.sampled_from(["never", "within", "always"]),
    revoke_days=st.sampled_from([None, 3, 60]),
    provisional=st.booleans(),
)


wallets = st.builds(
    Wallet,
    activates=st.sampled_from(["at_payment", "after_return_window"]),
    validity=st.sampled_from([Validity(), Validity("days", 40), Validity("months", 1), Validity("end_of_year", 0)]),
)


def programme(rules: Qualifying, zone: str, wallet: Wallet | None = None) -> Programme:
    """Two tiers that a few purchases reach by any metric."""
    silver, gold = ((2, 1), (5, 4)) if rules.metric == "orders" else ((1000, 800), (3000, 2400))
    tiers = (Tier("silver", *silver, multiplier=(5, 4)), Tier("gold", *gold, multiplier=(3, 2)))
    return Programme(zone=zone, qualifying=rules, tiers=tiers, wallets=(wallet or Wallet(),))


@st.composite
def policies(draw: st.DrawFn) -> Policies:
    """One policy, or one that another replaces in the midst of the life."""
    zone = draw(ZONES)
    first, second = (programme(draw(qualifying), zone, draw(wallets)) for _ in range(2))
    before = Policies.first(zone, "USD")
    before = replace(before, versions=(replace(before.versions[0], terms=first),))
    return before.with_version(second, START + draw(st.integers(0, 600)) * DAY) if draw(st.booleans()) else before


@dataclass(frozen=True)
class Step:
    """``part``: of 100, what is kept of the order that is returned. ``ticks``: days after the step, before the next."""

    kind: str
    number: int
    net: int
    part: int
    wait: int
    ticks: tuple[int, ...]


steps = st.builds(
    Step,
    kind=st.sampled_from(["buy", "buy", "buy", "deliver", "return", "redeem", "pin", "floor", "end", "nothing"]),
    number=st.integers(0, 8),
    net=st.integers(1, 250_000),
    part=st.sampled_from([0, 0, 50, 99]),
    wait=st.sampled_from([0, 1, 10, 20, 100, 400]),
    ticks=st.lists(st.integers(0, 400), max_size=2).map(lambda days: tuple(sorted(days))),
)


def command(step: Step, number: int, orders: list[tuple[str, int]], at: int) -> Command:
    match step.kind:
        case "buy":
            return GrantPoints("m", f"o-{number}", step.net, at)
        case "deliver":
            order, _ = orders[step.number % len(orders)] if orders else ("unknown", 0)
            return ActivatePoints("m", order, at)
        case "redeem":
            return RedeemPoints("m", f"p-{number}", step.net // 100, at)
        case "return":
            order, net = orders[step.number % len(orders)] if orders else ("unknown", 0)
            return ClawBackPoints("m", order, f"r-{number}", net * step.part // 100, at)
        case "pin" | "floor":
            tier = ("silver", "gold")[step.number % 2]
            until = at + step.wait * DAY if step.wait else None
            return OverrideTier("m", f"v-{number}", step.kind, tier, "a reason", "ada", at, until)
        case "end":
            return EndTierOverride("m", f"v-{step.number}", "a reason", "ada", at)
        case _:
            return RecordDue("m", at)


class Lived(NamedTuple):
    """``stood``: as the member stood right after each step. ``steps``: when each was, and how many facts there were then."""

    life: Life
    stood: list[Membership]
    steps: list[tuple[int, int]]
    ends: int


def lived(under: Policies, life: list[Step], ticking: bool) -> Lived:
    """With what is due recorded in between, or only in the end."""
    one, stood, told, orders, at = Life(under), list[Membership](), list[tuple[int, int]](), list[tuple[str, int]](), START
    for number, step in enumerate(life):
        with suppress(Refusal):
            decided = one.do(command(step, number, orders, at))
            if step.kind == "buy" and decided:
                orders.append((f"o-{number}", step.net))
        stood.append(replace(membership_as_of(at, under, one.state), latest=0))
        told.append((at, len(one.events)))
        then = at + step.wait * DAY
        for days in step.ticks if ticking else ():
            one.do(RecordDue("m", min(at + days * DAY, then)))
        at = then
    one.do(RecordDue("m", at + 1000 * DAY))
    return Lived(one, stood, told, at + 1000 * DAY)


lives = st.lists(steps, min_size=5, max_size=25)


@settings(max_examples=many(300), deadline=None)
@given(policies(), lives)
def test_a_life_with_ticks_has_the_facts_of_the_same_life_without(under: Policies, life: list[Step]) -> None:
    ticked, left = lived(under, life, ticking=True), lived(under, life, ticking=False)
    assert ticked.life.events == left.life.events
    assert ticked.stood == left.stood


@settings(max_examples=many(100), deadline=None)
@given(policies(), lives)
def test_a_life_rebuilt_from_its_facts_is_the_life(under: Policies, life: list[Step]) -> None:
    one = lived(under, life, ticking=True).life
    assert membership.rebuild(one.events) == one.state


@settings(max_examples=many(100), deadline=None)
@given(policies(), lives, st.lists(st.integers(0, 4000), min_size=1, max_size=5))
def test_at_any_instant_what_holds_without_a_job_is_what_a_job_has_recorded(
    under: Policies, life: list[Step], days: list[int]
) -> None:
    one = lived(under, life, ticking=False)
    for at in (START + day * DAY for day in days):
        asked = max([length for then, length in one.steps if then <= at], default=0)
        recorded = membership.rebuild([event for event in one.life.events if event.at <= at])
        assert (
            membership_as_of(at, under, membership.rebuild(one.life.events[:asked])).standing == recorded.standing
            or at > one.ends
        )


@settings(max_examples=many(100), deadline=None)
@given(policies(), lives)
def test_nothing_due_is_left_behind_and_the_parts_fit_each_other(under: Policies, life: list[Step]) -> None:
    one = lived(under, life, ticking=True).life
    state = membership.initial
    for event in one.events:
        before, state = state, membership.evolve(state, event)
        assert state.latest >= before.latest
    standing = one.state.standing
    assert due_at(one.state) is None or due_at(one.state) > one.state.latest  # type: ignore[operator]
    assert standing.grace_until is None or standing.now.valid_until is not None
    assert (standing.now.valid_until is None) == (standing.now.tier == "member")


@settings(max_examples=many(150), deadline=None)
@given(policies(), lives, st.integers(-10, 1500))
def test_the_metric_is_the_plain_sum_of_what_the_window_holds(under: Policies, life: list[Step], day: int) -> None:
    one = lived(under, life, ticking=False).life
    now = START + day * DAY
    for terms in (known.terms for known in under.versions):
        counting = Qualification(terms, one.state)
        inside = [bought for bought in one.state.earning.purchases.values() if counting.opens(now) < bought.at <= now]
        plain = {
            "spend": sum(bought.net for bought in inside),
            "orders": sum(bought.net > 0 for bought in inside),
            "points": sum(one.state.points.lots[bought.order].earned for bought in inside),
        }
        assert counting.metric(now) == plain[terms.qualifying.metric]


@given(ZONES, INSTANTS, INSTANTS, st.sampled_from([1, 2, 3, 6, 12, 24]))
def test_cycles_follow_each_other_without_gaps_and_begin_with_a_day(zone: str, at: int, since: int, months: int) -> None:
    for begins, ends in (calendar_cycle(at, months, zone), anniversary_cycle(at, months, zone, since)):
        assert begins <= at < ends
        assert end_of_day(begins - 1, zone) == begins
    begins, ends = anniversary_cycle(at, months, zone, since)
    assert anniversary_cycle(ends, months, zone, since)[0] == ends
    assert anniversary_cycle(begins - 1, months, zone, since)[1] == begins
    assert calendar_cycle(calendar_cycle(at, months, zone)[1], months, zone)[0] == calendar_cycle(at, months, zone)[1]


@given(policies(), INSTANTS)
def test_a_tier_is_held_to_the_end_of_a_day_and_never_less_than_its_months(under: Policies, at: int) -> None:
    terms = under.newest
    until = held_until(at, Qualification(terms, membership.initial, at, 1))
    assert end_of_day(until - 1, terms.zone) == until
    assert until - at >= terms.qualifying.months * 28 * DAY - DAY


@given(policies(), st.integers(0, 40))
def test_reviews_do_not_drift(under: Policies, day: int) -> None:
    """A tier that is kept for ten years is reviewed on one day of the month, clipped where a month lacks it."""
    terms = programme(Qualifying(months=12), under.newest.zone)
    one = Life(replace(under, versions=(replace(under.versions[0], terms=terms),)))
    for month in range(120):
        one.do(GrantPoints("m", f"o-{month}", 100_000, START + day * DAY + month * 30 * DAY))
    held = [event.valid_until for event in one.changes if event.tier == "gold"]
    assert all(364 * DAY <= later - earlier <= 367 * DAY for earlier, later in pairwise(held))
