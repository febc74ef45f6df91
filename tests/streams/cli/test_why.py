"""``regulars why``: what it tells adds up to what is so."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from aggregates.decider import Context
from aggregates.membership.commands import AdjustPoints, GrantPoints, OverrideTier, RecordAction
from aggregates.membership.decider import decide, membership, membership_as_of
from aggregates.membership.events import Event
from aggregates.membership.tiers.qualification import Qualification
from aggregates.order.decider import PayOrder
from aggregates.order.fulfilment import DeliverOrder
from aggregates.order.refund import RefundOrder, RefundPart
from aggregates.programme import Earning, EventRule, Metric, Programme, Qualifying
from aggregates.programme.policy import PublishPolicy
from aggregates.value import replace
from infra.settings import Settings
from streams.cli.formatting import describe
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.queries.why import TIER, counted, life
from streams.registry import EVENTS
from streams.running.app import running
from tests.aggregates.given import DAY
from tests.aggregates.membership.histories import POLICIES, START, lives
from tests.samples import SAMPLES
from tests.shop import HOUR, line, place
from tests.shop import START as OPENED

CONTEXT = Context(POLICIES)


@given(lives, st.integers(-50, 900))
def test_the_last_step_equals_the_present_state(events: list[Event], days: int) -> None:
    now = max(membership.rebuild(events).latest, START + days * DAY)
    found = life("m", enumerate(events, 1), POLICIES, now)
    state = membership_as_of(now, POLICIES, membership.rebuild(events))
    assert found.now.balance(now) == state.balance(now)
    assert found.now.standing == state.standing
    assert [step.position for step in found.steps if step.position] == list(range(1, len(events) + 1))
    assert len(found.points("points")) + len(found.tier) == len(found.steps)


@given(lives)
def test_points_change_only_at_steps(events: list[Event]) -> None:
    now = membership.rebuild(events).latest + 400 * DAY
    found = life("m", enumerate(events, 1), POLICIES, now)
    for step, following in zip(found.steps, found.steps[1:], strict=False):
        before = max(step.at, step.after.latest)
        until = max(before, following.at - 1)
        if following.event is None:
            assert step.after.balance(before) == step.after.balance(until)


@pytest.mark.parametrize("metric", ["spend", "points", "orders", "engagement"])
@given(events=lives, days=st.integers(0, 600))
def test_the_counted_amounts_sum_to_the_metric(metric: Metric, events: list[Event], days: int) -> None:
    policies = POLICIES.with_version(replace(POLICIES.newest, qualifying=Qualifying(metric)), since=0)
    state, now = membership.rebuild(events), START + days * DAY
    assert sum(one.amount for one in counted(state, policies, now)) == Qualification(policies.at(now), state).metric(now)


def test_an_action_comes_before_its_points_and_counts_for_engagement() -> None:
    earning = Earning(events=(EventRule("reviewing", "review", points=5),))
    terms = replace(POLICIES.newest, earning=earning, qualifying=Qualifying("engagement"))
    policies = POLICIES.with_version(terms, since=0)
    state, events = membership.initial, list[Event]()
    for n in range(3):
        for event in decide(RecordAction("m", "review", f"r-{n}", START + n * DAY), state, Context(policies)):
            state = membership.evolve(state, event)
            events.append(event)
    found = life("m", enumerate(events, 1), policies, START + 9 * DAY)
    told = [type(step.event).__name__ for step in found.points("points") if step.event]
    assert told[:2] == ["ActionRecorded", "PointsGranted"]
    amounts = [one.amount for one in counted(found.now, policies, START + 9 * DAY)]
    assert amounts == [5, 5, 5]
    assert sum(amounts) == Qualification(terms, found.now).metric(START + 9 * DAY)


def test_steps_after_the_instant_asked_about_are_left_out() -> None:
    grants = [GrantPoints("m", order, 500, START + day * DAY) for order, day in (("a", 1), ("b", 9))]
    events = [event for grant in grants for event in decide(grant, membership.initial, CONTEXT)]
    assert len(life("m", enumerate(events, 1), POLICIES, START + 8 * DAY).steps) == 1


def test_a_due_review_is_a_step_before_it_is_recorded() -> None:
    events = decide(GrantPoints("m", "o", 150_000, START), membership.initial, CONTEXT)
    last = life("m", enumerate(events, 1), POLICIES, START + 500 * DAY).steps[-1]
    assert (last.position, type(last.event).__name__) == (None, "TierLowered")


@pytest.mark.parametrize("event", [sample for sample in SAMPLES if type(sample).__module__.startswith("aggregates.membership")])
def test_every_event_of_a_membership_is_described(event: object) -> None:
    assert type(event) in EVENTS
    assert describe(event, Programme())


def test_events_of_the_tier_are_those_whose_names_begin_with_tier() -> None:
    assert {kind.__name__ for kind in TIER} == {kind.__name__ for kind in EVENTS if kind.__name__.startswith("Tier")}


def why(settings: Settings, *words: str) -> str:
    environment = {"REGULARS_HOME": str(settings.home), "REDIS_URL": settings.redis_url, "COLUMNS": "200"}
    done = CliRunner(env=environment).invoke(regulars, ["why", *words, "--verbose"])
    return f"{done.exit_code} " + " ".join(done.output.split())


@pytest.fixture
def shop(settings: Settings) -> Settings:
    """A member who bought for 1,500 under the second version, and gave half of it back."""
    document = {"earning": {"spend": [{"id": "twice", "rate": 2}]}}
    override = OverrideTier(
        "ada", "for the fair", "floor", "gold", "hostess", "eve", OPENED + 60 * DAY, until=OPENED + 90 * DAY
    )
    asked: list[list[object]] = [
        [PublishPolicy(document, OPENED, "eve", OPENED)],
        [place("o", "ada", line("tea", 2, 75_000)), PayOrder("o", OPENED)],
        [DeliverOrder("o", OPENED + HOUR)],
        [RefundOrder("o", "half", OPENED + 50 * DAY, (RefundPart(1, 1),)), override],
    ]
    with running(settings) as app:
        outcomes = app.handler.handle_all([Request(f"r {number}", tuple(commands)) for number, commands in enumerate(asked)])
    assert all(outcome.accepted for outcome in outcomes)
    return settings


def test_points_are_explained_by_events_lots_rules_and_versions(shop: Settings) -> None:
    told = why(shop, "ada", "points", "--at", "2017-02-20")
    assert "PointsGranted lot o, order o, points" in told
    assert "time lot o: " in told
    assert "points become spendable" in told
    assert "Rules that granted, as their version has them" in told


def test_a_tier_is_explained_by_what_counts(shop: Settings) -> None:
    told = why(shop, "ada", "tier", "--at", "2017-01-20")
    assert "TierRaised tier silver, previous member" in told
    assert "What counts towards the tier: spend since 2016-01-20" in told
    assert "o 2017-01-01 20:00 1,500.00 USD" in told
    assert "silver 1,000.00 USD 800.00 USD" in told
    assert why(shop, "ada", "tier").startswith("0 ")


def test_an_override_is_shown_with_its_reason_and_actor(shop: Settings) -> None:
    told = why(shop, "ada", "tier")
    assert "TierOverridden override for the fair, kind floor, tier gold, reason hostess, actor eve" in told
    assert "by hand floor at gold until" in told


def test_a_member_without_events_is_refused_with_a_sentence(shop: Settings) -> None:
    assert why(shop, "bob", "points").startswith("1 Error: Nothing has happened to bob's points or tier by ")


def test_an_unknown_wallet_is_refused(shop: Settings) -> None:
    assert why(shop, "ada", "points", "--wallet", "point") == "1 Error: There is no wallet 'point'; known are points."


def test_text_with_markup_is_shown_as_text(shop: Settings) -> None:
    with running(shop) as app:
        given = AdjustPoints("ada", "a [b]", 5, "broke [/box] on the way :cry:", "eve", OPENED + 60 * DAY)
        assert app.handler.handle(Request("given", (given,))).accepted
    told = why(shop, "ada", "points")
    assert "adjustment a [b]" in told
    assert "reason broke [/box] on the way :cry:, actor eve" in told


def test_an_instant_after_the_year_9000_is_refused(shop: Settings) -> None:
    assert why(shop, "ada", "tier", "--at", "9999-12-31").startswith("2 Usage")
