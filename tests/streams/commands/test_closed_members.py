"""A member who closes the membership earns and spends nothing more, until they come back."""

from __future__ import annotations

from typing import Any

import pytest

from aggregates.cart import AddToCart, EnterCode, MergeCart, OpenCart, SaveForLater
from aggregates.coupon import RedeemCoupon, SendCoupon
from aggregates.member import CloseMember, RegisterMember
from aggregates.membership.commands import (
    AdjustPoints,
    ClaimReward,
    HoldPoints,
    JoinPool,
    RecordAction,
    RedeemPoints,
    TransferPoints,
)
from aggregates.membership.events import LotExpired, PointsGranted
from aggregates.programme.policy import PublishPolicy
from streams.commands.request import Request
from streams.running.app import App
from tests.streams.imports.lines import START, document, entry, events, import_lines, item, order

DAY = 86_400_000
AT = START + 2 * DAY
TEA = item("tea", total="100")


def ask(app: App, *commands: Any) -> str:
    """Give commands in one request, and return the code of a refusal."""
    name = f"request {app.log.head()} {commands[0]}"[:400]
    outcome = app.handler.handle(Request(name, commands))
    app.follower().catch_up()
    return outcome.code


def closed(app: App) -> App:
    """Ada bought, has 100 points to spend and 100 pending, something in her cart, and closes."""
    import_lines(
        app,
        entry("member", 0, member_id="ada", email="ada@example.org"),
        order("1", 1, TEA, member_id="ada"),
        entry("add_to_cart", 2, member_id="ada", product_id="tea"),
    )
    assert ask(app, AdjustPoints("ada", "gift", 100, "welcome", "kim", START + DAY)) == ""
    assert ask(app, CloseMember("ada", START + DAY)) == ""
    return app


def test_what_was_pending_lapses_and_the_cart_is_gone(app: App) -> None:
    card = document(closed(app), "card:ada")
    assert (card["status"], card["points"], card["pending"]) == ("closed", 100, 0)
    assert [(event.points, event.at) for event in events(app, LotExpired)] == [(100, START + DAY)]
    assert app.views.client.get("v1:cart:ada") is None
    import_lines(app, entry("refund", 3 * 1440, order_id="1"))
    assert document(app, "card:ada")["points"] == 100, "what has lapsed is not owed"


def test_a_policy_may_keep_what_is_pending_for_a_member_who_comes_back(app: App) -> None:
    assert ask(app, PublishPolicy({"closing": "keep"}, START - DAY, "kim", START - DAY)) == ""
    assert document(closed(app), "card:ada")["pending"] == 100
    assert events(app, LotExpired) == []


@pytest.mark.parametrize(
    "command",
    [
        RedeemPoints("ada", "r", 10, AT),
        HoldPoints("ada", "h", 10, AT),
        ClaimReward("ada", "c", "mug", AT),
        RedeemPoints("home", "r", 10, AT, by="ada"),
        AdjustPoints("ada", "more", 10, "sorry", "kim", AT),
        TransferPoints("ada", "bob", "t", 10, AT),
        TransferPoints("bob", "ada", "t", 10, AT),
        RecordAction("ada", "share", "1", AT),
        JoinPool("home", "ada", AT),
        OpenCart("c", AT, "ada"),
        AddToCart("m.ada", "tea", AT),
        SaveForLater("m.ada", "tea", AT),
        EnterCode("m.ada", "SPRING", AT),
        MergeCart("guest", "m.ada", "ada", AT),
        SendCoupon("spring", "ada", AT),
        RedeemCoupon("spring", "ada", "spring", "u", AT),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_closed_member_is_refused_what_earns_or_spends(command: object, app: App) -> None:
    assert ask(closed(app), command) == "member_closed"


def test_an_order_of_a_closed_member_is_kept_and_earns_nothing_until_they_come_back(app: App) -> None:
    assert import_lines(closed(app), order("2", 2 * 1440, TEA, member_id="ada")).outcome == (1, 0, 0)
    assert [event.order for event in events(app, PointsGranted)] == ["1"]
    assert ask(app, RegisterMember("ada", START + 3 * DAY)) == ""
    import_lines(app, order("3", 4 * 1440, TEA, member_id="ada"))
    assert [event.order for event in events(app, PointsGranted)] == ["1", "3"]
    assert ask(app, RedeemPoints("ada", "r", 10, START + 4 * DAY)) == ""


def test_orders_earn_nothing_from_the_very_request_that_closes(app: App) -> None:
    import_lines(app, entry("member", 0, member_id="ada"))
    assert ask(app, CloseMember("ada", AT), RedeemPoints("ada", "r", 1, AT)) == "member_closed"
