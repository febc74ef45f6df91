"""A decision goes by the newest policy in force at its instant, whoever published it, and keeps the version it went by."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aggregates.calendar import add_days
from aggregates.membership.events import LotActivated, PointsGranted, TierRaised
from aggregates.order.decider import PayOrder
from aggregates.order.fulfilment import DeliverOrder
from aggregates.programme.policy import PolicyPublished, PublishPolicy
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.shop import HOUR, START, line, place

pytestmark = in_both_databases

VIP = {"tiers": [{"name": "vip", "threshold": 10, "keep": 5, "multiplier": "3"}]}


def publish(document: dict[str, Any], effective: int = START, **told: Any) -> PublishPolicy:
    return PublishPolicy(document, effective, "ada", START, **told)


def buying(order: str, at: int = START) -> Request:
    return Request(f"buy {order}", (place(order, "m", line("tea"), at=at), PayOrder(order, at)))


def facts(app: App, *kinds: type) -> list[Any]:
    events = (app.log.codec.decode(row.name, row.state) for row in app.log.since(0, 1000))
    return [event for event in events if isinstance(event, kinds)]


def test_a_grant_names_the_version_that_was_in_force(app: App) -> None:
    for request in (
        buying("before"),
        Request("p", (publish(VIP, effective=START + 2 * HOUR),)),
        buying("not yet", START + HOUR),
        buying("then", START + 2 * HOUR),
    ):
        assert app.handler.handle(request).accepted
    assert [(grant.order, grant.terms) for grant in facts(app, PointsGranted)] == [("before", 1), ("not yet", 1), ("then", 2)]
    assert [raised.tier for raised in facts(app, TierRaised)] == ["vip"]


def test_what_a_request_publishes_holds_for_its_later_commands(app: App) -> None:
    order = buying("o")
    assert app.handler.handle(Request("r", (publish(VIP), *order.commands))).accepted  # type: ignore[misc]
    assert [grant.terms for grant in facts(app, PointsGranted)] == [2]


def test_a_policy_that_another_process_published_is_gone_by_at_once(app: App, settings: Settings) -> None:
    assert app.handler.handle(buying("a")).accepted
    with running(settings) as other:
        assert other.handler.handle(Request("p", (publish(VIP),))).accepted
        assert app.handler.handle(buying("b")).accepted
        assert app.handler.handle(Request("q", (publish({"return_days": 0}),))).accepted
        assert other.handler.handle(Request("d", (DeliverOrder("b", START + HOUR),))).accepted
    assert [grant.terms for grant in facts(app, PointsGranted)] == [1, 2]
    assert [activated.active_from for activated in facts(app, LotActivated)] == [add_days(START + HOUR, 0, "UTC")]


def test_of_two_who_replace_the_same_version_one_is_refused(app: App, settings: Settings) -> None:
    with running(settings) as other:
        assert app.handler.handle(Request("p", (publish(VIP, replaces=1),))).accepted
        outcome = other.handler.handle(Request("q", (publish({"return_days": 0}, replaces=1),)))
    assert (outcome.accepted, outcome.code) == (False, "policy_changed")
    assert [published.version for published in facts(app, PolicyPublished)] == [2]


def test_of_many_who_replace_the_same_version_at_the_same_time_one_is_accepted(app: App, settings: Settings) -> None:
    with running(settings) as other, ThreadPoolExecutor(8) as threads:
        apps = [app, other] * 8
        asked = [Request(f"p {n}", (publish({"return_days": n}, replaces=1),)) for n in range(16)]
        outcomes = list(threads.map(lambda one, request: one.handler.handle(request), apps, asked))
    assert Counter(outcome.code for outcome in outcomes) == {"": 1, "policy_changed": 15}


def test_a_policy_has_the_zone_and_currency_of_the_log(app: App) -> None:
    assert app.handler.handle(Request("p", (publish(VIP),))).accepted
    (published,) = facts(app, PolicyPublished)
    assert (published.zone, published.currency) == ("UTC", "USD")
    assert app.handler.handle(buying("o")).accepted


def test_a_refused_policy_leaves_the_one_in_force(app: App) -> None:
    outcome = app.handler.handle(Request("p", (publish({"tiers": [{"name": "vip"}]}),)))
    assert (outcome.accepted, outcome.code, outcome.events) == (False, "policy_invalid", 0)
    assert app.handler.handle(buying("o")).accepted
    assert [grant.terms for grant in facts(app, PointsGranted)] == [1]


def test_a_policy_outlives_the_process(settings: Settings) -> None:
    with running(settings) as app:
        assert app.handler.handle(Request("p", (publish(VIP),))).accepted
    with running(settings) as app:
        assert app.handler.handle(buying("o")).accepted
        assert [grant.terms for grant in facts(app, PointsGranted)] == [2]
