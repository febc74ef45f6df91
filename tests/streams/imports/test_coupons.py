"""Coupons that were sent and used: what breaks its terms is flagged and stays a fact."""

from __future__ import annotations

from typing import Any

from aggregates.campaign import CampaignLaunched, LaunchCampaign
from aggregates.coupon import CouponRedeemed
from aggregates.guest_coupon import GuestCouponRedeemed
from streams.commands.request import Request
from streams.running.app import App
from tests.streams.imports.lines import MINUTE, START, Line, document, entry, events, import_lines, order


def sent(minute: float, /, **told_besides: Any) -> Line:
    return entry("coupon_sent", minute, **{"campaign_id": "spring", "member_id": "ada", **told_besides})


def used(minute: float, /, **told_besides: Any) -> Line:
    return entry("coupon_redeemed", minute, **{"campaign_id": "spring", "member_id": "ada", **told_besides})


def flags(app: App) -> list[tuple[str, ...]]:
    return [event.flags for event in events(app, CouponRedeemed)]


def test_a_use_outside_the_terms_is_flagged(app: App) -> None:
    terms = sent(0, starts=START + 10 * MINUTE, ends=START + 20 * MINUTE)
    moments = [used(minute) for minute in (9.999, 10, 19.999, 20)]
    assert import_lines(app, terms, *moments, used(15, member_id="bob")).outcome == (6, 0, 0)
    assert flags(app) == [("too_early",), (), (), ("too_late",), ("not_sent",)]
    assert app.views.hashes(["campaign:spring"])["campaign:spring"]["flagged"] == "3"


def test_a_use_over_the_limit_still_counts(app: App) -> None:
    app.handler.handle(Request("1", (LaunchCampaign("spring", START, limit=1),)))
    assert import_lines(app, sent(0), used(1), used(2), used(3)).outcome == (4, 0, 0)


def test_an_unknown_campaign_is_launched_with_its_id_alone(app: App) -> None:
    import_lines(app, used(0), sent(1), used(2, campaign_id=None, code="TEN"), order("o", 3, member_id="ada", coupons=["SAVE"]))
    launched = events(app, CampaignLaunched)
    assert [event.campaign for event in launched] == ["spring", "TEN", "SAVE"]
    assert {(event.kind, event.starts, event.ends, event.limit, event.offers) for event in launched} == {(None,) * 4 + ((),)}


def test_a_code_is_the_coupon_of_a_campaign_or_else_the_campaign(app: App) -> None:
    import_lines(app, used(0, campaign_id=None, code="TEN"), used(1, code="TEN", amount="1.50"))
    assert [(event.campaign, event.coupon, event.amount) for event in events(app, CouponRedeemed)] == [
        ("TEN", "TEN", None),
        ("spring", "TEN", 150),
    ]


def test_an_orders_coupon_and_the_line_about_it_are_one_use(app: App) -> None:
    import_lines(
        app,
        order("o", 0, member_id="ada", coupons=["TEN", "TEN"]),
        used(1, campaign_id=None, code="TEN", order_id="o", amount="1.00"),
        used(2, campaign_id=None, code="TEN"),
    )
    assert [event.order for event in events(app, CouponRedeemed)] == ["o", None]


def test_two_coupons_of_one_campaign_may_be_used_in_one_order(app: App) -> None:
    import_lines(app, used(0, code="A", order_id="o"), used(1, code="B", order_id="o"), used(2, code="A", order_id="o"))
    assert [event.coupon for event in events(app, CouponRedeemed)] == ["A", "B"]
    assert len(document(app, "wallet:ada")["campaigns"]["spring"]["uses"]) == 2


def test_guests_coupons_are_uses_and_one_over_the_limit_is_flagged(app: App) -> None:
    launch = entry("regulars", 0, command="LaunchCampaign", values={"campaign": "SPRING", "limit": 1})
    first, second = order("1", 1, session_id="s1", coupons=["SPRING"]), order("2", 2, coupons=["SPRING"])
    assert import_lines(app, launch, first, second).outcome == (3, 0, 0)
    assert [(use.order, use.session, use.flags) for use in events(app, GuestCouponRedeemed)] == [
        ("1", "s1", ()),
        ("2", None, ("over_limit",)),
    ]
    campaign = app.views.hashes(["campaign:SPRING"])["campaign:SPRING"]
    assert (campaign["redeemed"], campaign["flagged"]) == ("2", "1")
    assert import_lines(app, launch, first, second).outcome == (0, 3, 0)


def test_a_members_use_over_the_limit_is_flagged_too(app: App) -> None:
    launch = entry("regulars", 0, command="LaunchCampaign", values={"campaign": "TEN", "limit": 1})
    guest, member = order("1", 1, coupons=["TEN"]), order("2", 3, member_id="ada", coupons=["TEN"])
    assert import_lines(app, launch, sent(2, campaign_id="TEN"), guest, member).outcome == (4, 0, 0)
    assert flags(app) == [("over_limit",)]


def test_a_guests_use_outside_the_campaigns_days_is_flagged(app: App) -> None:
    days = {"starts": START + 10 * MINUTE, "ends": START + 20 * MINUTE}
    launch = entry("regulars", 0, command="LaunchCampaign", values={"campaign": "TEN", **days})
    assert import_lines(app, launch, *(order(str(n), n, coupons=["TEN"]) for n in (9, 10, 20))).outcome == (4, 0, 0)
    assert [use.flags for use in events(app, GuestCouponRedeemed)] == [("too_early",), (), ("too_late",)]


def test_uses_without_an_order_count_each(app: App) -> None:
    line = used(0)
    assert import_lines(app, line, line, used(0, id="x"), used(0, id="x")).outcome == (3, 1, 0)
    assert len(events(app, CouponRedeemed)) == 3
