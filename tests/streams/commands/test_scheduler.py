from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from aggregates.member import EraseMember, RegisterMember
from aggregates.membership.commands import AdjustPoints, HoldPoints, JoinPool, LeavePool, RecordDue, RedeemPoints
from aggregates.membership.decider import membership
from aggregates.membership.events import TierLowered, TierRaised
from aggregates.order.decider import PayOrder
from aggregates.programme.policy import PublishPolicy
from aggregates.value import replace
from infra.event_log import log as due_index
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from infra.settings import Settings
from streams.commands import scheduler as ticking
from streams.commands.request import Request
from streams.commands.scheduler import Ticked, index, latest, tick
from streams.running.app import App, running
from tests.aggregates.given import CONTEXT
from tests.databases import in_both_databases
from tests.shop import START, line, place, requests

pytestmark = in_both_databases

DAY = 86_400_000
YEAR = START + 367 * DAY


def silver(app: App, *members: str) -> None:
    """Each of them buys for 1,200."""
    for member in members:
        order = f"o of {member}"
        lines = (line("tea", 1, 120_000),)
        app.handler.handle(Request(order, (place(order, member, *lines), PayOrder(order, START))))


def tiers(log: EventLog, member: str) -> list[object]:
    events, _ = log.read(f"membership-{member}")
    return [event for event in events if isinstance(event, TierRaised | TierLowered)]


def test_a_tick_records_a_review_that_is_due_at_the_instant_it_was_due(app: App) -> None:
    silver(app, "ada", "eve")
    (raised,) = tiers(app.log, "ada")
    assert isinstance(raised, TierRaised)
    assert tick(app.log, app.handler, raised.valid_until - 1) == Ticked(0, 0)
    assert tick(app.log, app.handler, YEAR) == Ticked(2, 2)
    _, lowered = tiers(app.log, "ada")
    assert isinstance(lowered, TierLowered)
    assert (lowered.tier, lowered.at) == ("member", raised.valid_until)


def test_a_second_tick_changes_nothing(app: App) -> None:
    silver(app, "ada")
    tick(app.log, app.handler, YEAR)
    head = app.log.head()
    assert tick(app.log, app.handler, YEAR) == Ticked(0, 0)
    assert tick(app.log, app.handler, YEAR + 400 * DAY) == Ticked(0, 0)
    assert app.log.head() == head
    assert app.log.due_index.all() == {}


def test_a_tick_reads_only_those_for_whom_something_is_due(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    silver(app, *(f"m-{number}" for number in range(5)))
    later = place("late", "ada", line("tea", 1, 150_000), at=START + 30 * DAY)
    app.handler.handle(Request("late", (later, PayOrder("late", START + 30 * DAY))))
    monkeypatch.setattr(ticking, "TOGETHER", 2)
    with running(app.settings) as other:
        asked: list[str] = []
        handle_all = other.handler.handle_all

        def noting(some: Sequence[Request]) -> list[Outcome]:
            asked.extend(one.id for one in some)
            return handle_all(some)

        monkeypatch.setattr(other.handler, "handle_all", noting)
        assert tick(other.log, other.handler, YEAR) == Ticked(5, 5)
    assert [one.split(" ")[1] for one in asked] == [f"membership-m-{number}" for number in range(5)]


def test_two_ticks_at_the_same_time_record_it_once(app: App, settings: Settings) -> None:
    members = [f"m-{number}" for number in range(30)]
    silver(app, *members)
    with running(settings) as other:
        both = [threading.Thread(target=tick, args=(one.log, one.handler, YEAR), daemon=True) for one in (app, other)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert [len(tiers(app.log, member)) for member in members] == [2] * 30


def test_nothing_is_due_any_more_of_an_erased_member(app: App) -> None:
    silver(app, "ada", "eve")
    app.handler.handle(Request("ada", (RegisterMember("ada", START), EraseMember("ada", START))))
    assert list(app.log.due_index.all()) == ["membership-eve"]
    assert tick(app.log, app.handler, YEAR) == Ticked(1, 1)


def test_the_index_made_from_the_streams_is_the_one_that_was_kept(app: App) -> None:
    shop = list(requests(120))
    app.handler.handle_all([*shop, Request("o", (place("o", "m-0", line("tea", 9, 30_000)), PayOrder("o", START)))])
    silver(app, "ada", "eve")
    kept = app.log.due_index.all()
    assert len(kept) > 2
    with app.log.append() as append:
        append.schedule(dict.fromkeys(kept))
    index(app.log, app.handler.context())
    assert app.log.due_index.all() == kept


def test_a_log_older_than_the_index_gets_it_with_the_first_tick(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    silver(app, "ada", "eve")
    with app.log.append() as append:
        append.schedule(dict.fromkeys(app.log.due_index.all()))
    monkeypatch.setattr(due_index.DueIndex, "is_complete", False)
    assert tick(app.log, app.handler, YEAR) == Ticked(2, 2)


def test_a_decision_after_a_tick_is_the_decision_without_it(app: App, settings: Settings, tmp_path: Path) -> None:
    def life(app: App, ticks: bool) -> list[object]:
        silver(app, "ada")
        if ticks:
            tick(app.log, app.handler, YEAR + 5 * DAY)
        at = YEAR + 9 * DAY
        app.handler.handle(Request("again", (place("again", "ada", line("tea"), at=at), PayOrder("again", at))))
        return app.log.read("membership-ada")[0]

    redis_url = f"{settings.redis_url}?db=1"  # its own database of the same server
    with running(replace(settings, home=tmp_path / "other", database_url=None, redis_url=redis_url)) as other:
        assert life(app, ticks=True) == life(other, ticks=False)


def test_recording_what_is_due_when_nothing_is_changes_nothing(app: App) -> None:
    assert membership.decide(RecordDue("ada", YEAR), membership.initial, CONTEXT) == []


def test_the_logs_clock_is_the_latest_instant_it_tells(app: App) -> None:
    assert latest(app.log) == 0
    silver(app, "ada")
    at = START + 3 * DAY
    late = Request("l", (place("new", None, line("tea"), at=at), place("late", None, line("tea"), at=START)))
    app.handler.handle(late)
    assert latest(app.log) == at


def test_a_member_who_was_erased_is_taken_out_of_a_pool_and_nothing_of_theirs_is_due(app: App) -> None:
    """A pool is left for good by them, their own ledger is told nothing, and ticks go on for all others."""
    wallet = {"validity": "20 days", "pools": {"allowed": True, "members": 2}}
    asked = (
        PublishPolicy({"wallets": [wallet]}, START, "kim", START),
        RegisterMember("ben", START, "Ben", "ben@example.org"),
        *(JoinPool("home", member, START) for member in ("ben", "ann")),
        *(AdjustPoints(member, "a", 100, "a present", "kim", START) for member in ("ben", "ann", "home")),
        HoldPoints("ben", "h", 10, START),
        EraseMember("ben", START),
    )
    assert app.handler.handle(Request("opening", asked)).accepted
    asks = Request("spends", (RedeemPoints("home", "r", 10, START, by="ben"),))
    assert app.handler.handle(asks).code == "member_erased"
    left = app.handler.handle(Request("leaves", (LeavePool("home", "ben", START + DAY),)))
    assert (left.accepted, left.events) == (True, 1)
    assert app.handler.handle(Request("joins", (JoinPool("home", "eve", START + DAY),))).accepted
    assert tick(app.log, app.handler, START + 30 * DAY) == Ticked(2, 2)
