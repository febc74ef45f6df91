"""What Redis says of two weeks is what the files say, to the cent."""

from __future__ import annotations

from collections import Counter
from typing import cast

from aggregates.membership.decider import membership
from aggregates.membership.events import Event
from infra.redis.views import Views
from streams.cli.import_ import Imported
from streams.queries import views as reading
from streams.running.app import App
from tests.conftest import JOURNEY
from tests.journey.parquet import Truth, department_totals, truth


def told_by_redis(views: Views) -> Truth:
    sold = reading.sales_totals(views)
    campaigns = [reading.table(views, key) for key in reading.keys_of(views, "campaign")]
    return Truth(
        orders=sold["orders"],
        lines=sold["lines"],
        members=sold["members"],
        gross=sold["gross"],
        total=sold["total"],
        paid=sold["paid"],
        redemptions=sum(int(campaign.get("redeemed", 0)) for campaign in campaigns),
    )


def departments_told_by_redis(views: Views) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for key in reading.keys_of(views, "sales"):
        if key.endswith(":department"):
            for field, value in reading.table(views, key).items():
                name, _, measure = field.rpartition(":")
                if measure == "total":
                    totals["" if name == "(unknown)" else name] += int(value)
    return dict(totals)


def test_two_weeks_reconcile_to_the_cent(app: App) -> None:
    assert told_by_redis(app.views) == truth(JOURNEY)


def test_departments_reconcile_to_the_cent(app: App) -> None:
    assert departments_told_by_redis(app.views) == department_totals(JOURNEY)


def test_discount_and_tender_explain_the_difference(app: App) -> None:
    sold = reading.sales_totals(app.views)
    assert sold["gross"] - sold["discount"] == sold["total"]
    assert sold["total"] - sold["tender"] == sold["paid"]


def test_every_card_adds_up_to_its_stream(app: App) -> None:
    cards = list(reading.documents(app.views, "card"))
    assert len(cards) == truth(JOURNEY).members
    for card in cards:
        events, _ = app.log.read(f"membership-{card['member']}")
        state = membership.rebuild(cast("list[Event]", events))
        now = card["as_of"]
        assert (card["points"], card["pending"]) == (state.available(now), state.pending(now)), card["member"]


def test_no_member_lists_more_than_their_orders(app: App) -> None:
    listed = sum(len(orders["orders"]) for orders in reading.documents(app.views, "orders"))
    assert listed == truth(JOURNEY).orders  # nobody has 50 orders in two weeks


def test_nothing_was_refused(imported: Imported) -> None:
    assert (imported.refused, imported.repeated) == (0, 0)
