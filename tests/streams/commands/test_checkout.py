"""A checkout prices a cart by the campaigns in the log, places it with its trace and reserves what is limited."""

from __future__ import annotations

from typing import Any

from aggregates.campaign import ChangeCampaign, EndCampaign, LaunchCampaign
from aggregates.code_batches import KEY, IssueCodes, RevokeCodes
from aggregates.coupon import Coupons, coupon
from aggregates.guest_coupon import guest_coupon
from aggregates.order.decider import CancelOrder, PayOrder, order
from aggregates.order.refund import RefundOrder
from aggregates.order.stock import HELD
from aggregates.pricing.codes import code_of, shown
from aggregates.pricing.request import LineItem, PriceRules
from aggregates.pricing.trace import Trace
from streams.commands.checkout import Checkout, place, quote, states_in
from streams.commands.limit_rows import rebuild
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.queries.orders import why_order
from streams.running.app import App
from tests.databases import in_both_databases
from tests.shop import START

pytestmark = in_both_databases

TEN = {"effect": {"percent": "10 %"}, "stage": "code", "by_code": True}


def launched(app: App, name: str, **terms: Any) -> None:
    commands = (LaunchCampaign(name, START), ChangeCampaign(name, {**TEN, **terms}, "ada", START))
    assert app.handler.handle(Request(f"launch {name}", commands)).code == ""


def cart(number: int = 0, at: int = START, **more: Any) -> Checkout:
    items = (LineItem("tea", "tea", 2, 1000, (1, 5), department="GROCERY"), LineItem("cup", "cup", 1, 500))
    told = {"member": f"m-{number}", "codes": ("TEN",), "rules": PriceRules("USD"), **more}
    return Checkout(f"o-{number}", items, at, **told)


def trace_of(app: App, number: int) -> Trace:
    placed = states_in(app.log)(order, f"o-{number}")
    assert placed.priced is not None
    return placed.priced.trace


def state_of(app: App, number: int, name: str = "TEN") -> str:
    uses: Coupons = states_in(app.log)(coupon, name, f"m-{number}")
    return uses.orders[f"o-{number}"].state


def done(app: App, name: str, *commands: object) -> str:
    return app.handler.handle(Request(name, commands)).code


def pay(app: App, number: int, at: int = START) -> str:
    return done(app, f"pay {number}", PayOrder(f"o-{number}", at))


def test_a_cart_is_priced_by_the_campaigns_of_the_log(app: App) -> None:
    launched(app, "TEN")
    assert quote(app.log, app.keys, cart()).trace.payable == 2250
    assert quote(app.log, app.keys, cart(codes=())).trace.payable == 2500


def test_an_order_is_placed_with_its_trace_and_its_code_is_reserved(app: App) -> None:
    launched(app, "TEN", limits={"total": 5})
    assert place(app.log, app.keys, app.handler, cart()).code == ""
    placed = states_in(app.log)(order, "o-0")
    assert placed.placed is not None
    assert (placed.placed.coupons, [line.department for line in placed.placed.lines]) == (("TEN",), [None, "GROCERY"])
    assert trace_of(app, 0).payable == 2250
    assert state_of(app, 0) == "reserved"


def test_a_payment_redeems_a_cancellation_releases_and_a_return_restores(app: App) -> None:
    launched(app, "TEN", limits={"total": 3})
    for number in range(3):
        assert place(app.log, app.keys, app.handler, cart(number)).code == ""
    assert pay(app, 0) == ""
    assert done(app, "cancel", CancelOrder("o-1", START)) == ""
    assert pay(app, 2) == ""
    assert done(app, "back", RefundOrder("o-2", "r", START)) == ""
    assert [state_of(app, number) for number in range(3)] == ["redeemed", "released", "restored"]
    assert app.log.left("campaign:TEN", START) == 2


def test_when_the_last_use_is_taken_the_next_cart_is_priced_without_it_and_told_why(app: App) -> None:
    launched(app, "TEN", limits={"total": 1})
    assert place(app.log, app.keys, app.handler, cart(0)).code == ""
    assert place(app.log, app.keys, app.handler, cart(1)).code == ""
    assert trace_of(app, 1).payable == 2500
    assert [refused.reason for refused in trace_of(app, 1).refused] == ["limit_reached"]


def test_a_use_whose_hold_lapsed_is_the_next_ones(app: App) -> None:
    launched(app, "TEN", limits={"total": 1})
    assert place(app.log, app.keys, app.handler, cart(0)).code == ""
    assert place(app.log, app.keys, app.handler, cart(1, START + HELD)).code == ""
    assert trace_of(app, 1).payable == 2250


def test_a_payment_after_its_use_was_taken_is_honoured_and_flagged(app: App) -> None:
    launched(app, "TEN", limits={"total": 1})
    assert place(app.log, app.keys, app.handler, cart(0)).code == ""
    assert place(app.log, app.keys, app.handler, cart(1, START + HELD)).code == ""
    assert pay(app, 0, START + HELD + 1) == ""
    assert pay(app, 1, START + HELD + 2) == ""
    assert [state_of(app, number) for number in (0, 1)] == ["overrun", "redeemed"]
    assert app.log.left("campaign:TEN", START) == 0


def test_a_budget_bounds_what_a_period_takes_off(app: App) -> None:
    launched(app, "TEN", budget={"amount": 300, "per": "day"})
    assert [place(app.log, app.keys, app.handler, cart(number)).code for number in range(3)] == ["", "", ""]
    assert [trace_of(app, number).payable for number in range(3)] == [2250, 2450, 2500]
    assert place(app.log, app.keys, app.handler, cart(3, START + 86_400_000)).code == ""
    assert trace_of(app, 3).payable == 2250


def test_a_member_uses_a_promotion_as_often_as_a_member_may(app: App) -> None:
    launched(app, "TEN", limits={"member": 1})
    assert place(app.log, app.keys, app.handler, cart(0)).code == ""
    again = Checkout("o-9", cart(0).items, START, "m-0", codes=("TEN",))
    assert place(app.log, app.keys, app.handler, again).code == ""
    assert [refused.reason for refused in trace_of(app, 9).refused] == ["member_limit"]


def test_a_campaign_that_was_ended_says_so(app: App) -> None:
    launched(app, "TEN")
    assert app.handler.handle(Request("end", (EndCampaign("TEN", "ada", START),))).code == ""
    assert [refused.reason for refused in quote(app.log, app.keys, cart(at=START)).trace.refused] == ["ended"]


def guest(number: int = 0, at: int = START, **more: Any) -> Checkout:
    return cart(number, at, **({"member": None, "session": "s"} | more))


def guest_state(app: App, number: int, name: str = "TEN") -> str | None:
    use = states_in(app.log)(guest_coupon, name, f"o-{number}").order
    return use.state if use else None


def test_a_guest_has_promotions_but_those_that_are_limited_for_each_member(app: App) -> None:
    launched(app, "TEN")
    assert quote(app.log, app.keys, guest()).trace.payable == 2250
    launched(app, "ONE", limits={"member": 1})
    refused = quote(app.log, app.keys, guest(codes=("ONE",))).trace.refused
    assert [each.reason for each in refused] == ["members_only"]


def test_a_guests_use_is_reserved_redeemed_released_and_restored_by_the_order(app: App) -> None:
    launched(app, "TEN", limits={"total": 3}, budget={"amount": 1000})
    for number in range(3):
        assert place(app.log, app.keys, app.handler, guest(number)).code == ""
    assert [guest_state(app, number) for number in range(3)] == ["reserved"] * 3
    assert place(app.log, app.keys, app.handler, cart(3)).code == ""
    assert [each.reason for each in trace_of(app, 3).refused] == ["limit_reached"]
    assert pay(app, 0) == ""
    assert done(app, "cancel", CancelOrder("o-1", START)) == ""
    assert pay(app, 2) == ""
    assert done(app, "back", RefundOrder("o-2", "r", START)) == ""
    assert [guest_state(app, number) for number in range(3)] == ["redeemed", "released", "restored"]
    assert (app.log.left("campaign:TEN", START), app.log.left("budget:TEN:ever", START)) == (2, 750)
    assert rebuild(app.log, app.keys) == []
    assert [one.said for one in why_order(app, "o-2") if one.what == "discount"][1:] == [
        "TEN reserved",
        "TEN redeemed",
        "TEN restored",
    ]


def test_a_guests_reservation_lapses_and_a_late_payment_is_honoured(app: App) -> None:
    launched(app, "TEN", limits={"total": 1})
    assert place(app.log, app.keys, app.handler, guest(0)).code == ""
    tick(app.log, app.handler, START + HELD)
    assert guest_state(app, 0) == "released"
    assert place(app.log, app.keys, app.handler, cart(1, START + HELD)).code == ""
    assert pay(app, 0, START + HELD + 1) == ""
    assert pay(app, 1, START + HELD + 2) == ""
    assert (guest_state(app, 0), state_of(app, 1)) == ("overrun", "redeemed")


def test_a_guests_code_of_a_batch_is_used_once(app: App) -> None:
    launched(app, "TEN")
    assert done(app, "issue", IssueCodes("TEN", "letters", 10, "ada", START)) == ""
    code = shown(code_of(3, app.keys.secret(KEY)))
    assert place(app.log, app.keys, app.handler, guest(0, codes=(code,))).code == ""
    assert quote(app.log, app.keys, guest(0, codes=(code,))).trace.payable == 2250
    for other in (guest(1, codes=(code,)), cart(2, codes=(code,))):
        assert [each.reason for each in quote(app.log, app.keys, other).trace.refused] == ["code_used"]


def test_a_first_order_is_the_members_first(app: App) -> None:
    launched(app, "TEN", when={"first_order": True})
    assert place(app.log, app.keys, app.handler, cart(0)).code == ""
    assert pay(app, 0) == ""
    again = Checkout("o-9", cart(0).items, START, "m-0", codes=("TEN",))
    assert [refused.reason for refused in quote(app.log, app.keys, again).trace.refused] == ["not_first_order"]


def test_placing_again_is_the_same_order(app: App) -> None:
    launched(app, "TEN")
    assert [place(app.log, app.keys, app.handler, cart()).code for _ in range(2)] == ["", ""]


def issued(app: App, name: str, count: int = 3) -> list[str]:
    assert app.handler.handle(Request("issue", (IssueCodes(name, "letters", count, "ada", START),))).code == ""
    return [code_of(serial, app.keys.secret(KEY)) for serial in range(count)]


def test_a_code_of_a_batch_is_used_once_however_it_is_typed(app: App) -> None:
    launched(app, "TEN")
    code = issued(app, "TEN")[1]
    assert place(app.log, app.keys, app.handler, cart(0, codes=(shown(code).lower(),))).code == ""
    assert trace_of(app, 0).payable == 2250
    assert place(app.log, app.keys, app.handler, cart(1, codes=(code,))).code == ""
    assert [refused.reason for refused in trace_of(app, 1).refused] == ["code_used"]


def test_each_code_of_a_batch_may_be_used_as_often_as_the_terms_say(app: App) -> None:
    launched(app, "TEN", limits={"code": 2})
    code = issued(app, "TEN")[0]
    assert [place(app.log, app.keys, app.handler, cart(n, codes=(code,))).code for n in range(3)] == ["", "", ""]
    assert [trace_of(app, n).payable for n in range(3)] == [2250, 2250, 2500]


def test_a_code_comes_back_with_a_cancelled_order(app: App) -> None:
    launched(app, "TEN")
    code = issued(app, "TEN")[0]
    assert place(app.log, app.keys, app.handler, cart(0, codes=(code,))).code == ""
    assert done(app, "cancel", CancelOrder("o-0", START)) == ""
    assert quote(app.log, app.keys, cart(1, codes=(code,))).trace.payable == 2250


def test_a_code_that_was_never_issued_or_was_revoked_is_unknown(app: App) -> None:
    launched(app, "TEN")
    codes = issued(app, "TEN")
    beyond = code_of(99, app.keys.secret(KEY))
    assert app.handler.handle(Request("revoke", (RevokeCodes("TEN", "letters", "ada", START),))).code == ""
    for code in (codes[0], beyond, "GUESS", "2" * 12):
        refused = quote(app.log, app.keys, cart(codes=(code,))).trace.refused
        assert [each.reason for each in refused] == ["code_unknown"]
