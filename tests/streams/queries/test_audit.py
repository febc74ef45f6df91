"""``regulars audit``: the books of every member add up, day by day; and it is noticed where they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from aggregates.membership.commands import AdjustPoints, ClaimReward, RedeemPoints, TransferPoints
from aggregates.membership.ledger.books import Movement, movements
from aggregates.order.decider import PayOrder
from aggregates.order.fulfilment import DeliverOrder
from aggregates.programme import Policies
from aggregates.programme.policy import PublishPolicy
from infra.settings import Settings
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.commands.scheduler import latest
from streams.queries import audit as auditing
from streams.queries.audit import audit
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.shop import HOUR, MEMBERS, START, line, place, requests

pytestmark = in_both_databases

POLICY: dict[str, Any] = {
    "wallets": [
        {
            "name": "points",
            "activates": "at_payment",
            "validity": "30 days",
            "transfers": {"allowed": True},
        }
    ],
    "rewards": [{"id": "mug", "gives": "product", "item": "mug-01", "price": 5, "stock": 2}],
}
LATER = START + 10_000 * HOUR


@pytest.fixture
def shop(app: App) -> App:
    """A year of shopping with points that end after 30 days, some of them spent, sent and adjusted."""
    published = app.handler.handle(Request("policy", (PublishPolicy(POLICY, START, "kim", START),)))
    assert published.accepted, published.sentence
    app.handler.handle_all(list(requests(60)))
    for number, member in enumerate(MEMBERS[2:6]):
        asked: Iterator[object] = iter(
            (
                AdjustPoints(member, f"a-{number}", 100, "goodwill", "kim", LATER),
                RedeemPoints(member, f"r-{number}", 30, LATER + 1),
                TransferPoints(member, MEMBERS[6], f"t-{number}", 10, LATER + 2),
            )
        )
        for command in asked:
            assert app.handler.handle(Request(f"{type(command).__name__} {number}", (command,))).accepted
    return app


def test_opening_plus_movements_equals_closing_for_each_member_and_day(shop: App) -> None:
    done = audit(shop.log, Policies(), latest(shop.log))
    assert done.differences == []
    assert done.members > 5
    assert done.days > 40
    moved: Counter[str] = Counter()
    for counter in done.rolled.values():
        moved.update(counter)
    assert moved["transferred in"] == -moved["transferred out"] == 40
    assert moved["expired"] < 0
    of = done.liabilities["points"]
    total = sum(points for kind, points in moved.items() if kind != "owed")
    assert of.active + of.pending + of.held == total


def test_an_audit_of_the_past_leaves_out_what_happened_later(shop: App) -> None:
    done = audit(shop.log, Policies(), START + 200 * HOUR)
    assert done.differences == []
    assert done.days < audit(shop.log, Policies(), latest(shop.log)).days


def test_a_late_event_is_booked_when_it_became_known(app: App) -> None:
    """An order that is delivered, by what was told, before it was paid; a purchase entered after a later one."""
    late, paid = START + 24 * HOUR, START + 48 * HOUR
    orders = [(place(name, "ada", line("tea", 1, 10_000)), PayOrder(name, at)) for name, at in (("a", paid), ("b", late))]
    app.handler.handle(Request("o", (*orders[0], DeliverOrder("a", late), *orders[1])))
    by_then = [audit(app.log, Policies(), at).liabilities for at in (late, paid)]
    assert [{wallet: of.pending for wallet, of in found.items()} for found in by_then] == [{}, {"points": 200}]


def test_a_missing_movement_is_reported_by_member_and_day(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(event: Any) -> Iterator[Movement]:
        return (moved for moved in movements(event) if moved.kind != "expired")

    monkeypatch.setattr(auditing, "movements", forgetful)
    found = audit(shop.log, Policies(), latest(shop.log)).differences
    assert found
    assert all(wrong.found.points < wrong.expected.points for wrong in found)


def test_the_last_reward_is_given_once_and_a_refused_member_keeps_the_points(shop: App) -> None:
    outcomes = [shop.handler.handle(Request(f"c-{m}", (ClaimReward(m, "c", "mug", LATER + 3),))) for m in MEMBERS[2:6]]
    assert [outcome.code for outcome in outcomes] == ["", "", "reward_exhausted", "reward_exhausted"]
    spent = [sum(c["redeemed"] for c in audit(shop.log, Policies(), LATER + at).rolled.values()) for at in (2, 3)]
    assert spent[0] - spent[1] == 2 * 5


def test_an_erased_member_receives_no_points(shop: App) -> None:
    sent = TransferPoints(MEMBERS[2], MEMBERS[0], "t", 5, LATER + 3)
    assert shop.handler.handle(Request("t", (sent,))).code == "member_erased"


def test_the_command_shows_what_is_outstanding_and_counts_differences(settings: Settings) -> None:
    with running(settings) as app:
        app.handler.handle_all(list(requests(30)))
    environment = {"REGULARS_HOME": str(settings.home), "REDIS_URL": settings.redis_url, "COLUMNS": "200"}
    environment |= {"DATABASE_URL": settings.database_url} if settings.database_url else {}
    done = CliRunner(env=environment).invoke(regulars, ["audit", "--by", "day"])
    words = " ".join(done.output.split())
    assert done.exit_code == 0, words
    assert "Points, rolled forward" in words
    assert ", 0 differences." in words
