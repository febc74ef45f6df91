from __future__ import annotations

from uuid import uuid4

import pytest

from aggregates.cart import AddToCart, OpenCart
from aggregates.coupon import SendCoupon
from aggregates.member import ChangeProfile, CloseMember, EraseMember, MemberErased, RegisterMember
from aggregates.membership.commands import AdjustPoints, GrantPoints, ReceivePoints, RecordDue, RedeemPoints
from aggregates.membership.events import (
    LotActivated,
    PointsClawedBack,
    PointsGranted,
    PointsTransferred,
    TierLowered,
    TierRaised,
)
from aggregates.order.decider import PayOrder
from aggregates.order.events import OrderPaid, OrderPlaced, OrderRefunded
from aggregates.order.fulfilment import DeliverOrder, OrderDelivered
from aggregates.order.refund import RefundOrder
from aggregates.product import ListProduct, RetireProduct
from aggregates.value import replace
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.shop import START, line, place

pytestmark = in_both_databases

DAY = 86_400_000

TEA = Request("tea", (ListProduct("tea", START, price=500),))
UNKNOWN = Request("pay", (PayOrder("nowhere", START),))


def kinds(app: App) -> list[type]:
    return [type(app.log.codec.decode(row.name, row.state)) for row in app.log.since(0, 1000)]


def test_a_request_asked_again_gets_the_first_outcome(app: App) -> None:
    first = app.handler.handle(TEA)
    assert (first.accepted, first.events, first.position, first.repeated) == (True, 1, 1, False)
    app.handler.handle(Request("milk", (ListProduct("milk", START),)))
    again = app.handler.handle(TEA)
    assert (again.accepted, again.events, again.position, again.repeated) == (True, 1, 1, True)
    assert app.log.head() == 2


def test_a_refused_request_asked_again_is_refused_though_it_could_be_had_now(app: App) -> None:
    first = app.handler.handle(UNKNOWN)
    assert (first.accepted, first.code, first.events) == (False, "order_unknown", 0)
    assert app.handler.handle(Request("o", (place("nowhere", None, line("tea")),))).accepted
    again = app.handler.handle(UNKNOWN)
    assert (again.accepted, again.code, again.sentence, again.repeated) == (False, first.code, first.sentence, True)
    assert app.handler.handle(Request("pay again", UNKNOWN.commands)).accepted


def test_another_request_under_the_id_of_an_accepted_one_is_refused(app: App) -> None:
    first = app.handler.handle(Request("r", (ListProduct("tea", START),)))
    other = app.handler.handle(Request("r", (ListProduct("milk", START),)))
    assert (other.accepted, other.code, other.events, app.log.head()) == (False, "id_taken", 0, 1)
    assert app.handler.handle(Request("r", (ListProduct("tea", START),))) == replace(first, repeated=True)


def test_a_refused_request_can_be_corrected_under_its_id(app: App) -> None:
    wrong = Request("r", (RedeemPoints("ada", "a", 0, START),))
    refused = app.handler.handle(wrong)
    assert (refused.code, refused.repeated) == ("points_invalid", False)
    assert app.handler.handle(wrong) == replace(refused, repeated=True)
    corrected = Request("r", (AdjustPoints("ada", "a", 5, "a gift", "kim", START),))
    accepted = app.handler.handle(corrected)
    assert (accepted.accepted, accepted.events, accepted.repeated) == (True, 1, False)
    assert app.handler.handle(corrected).repeated
    assert app.handler.handle(wrong).code == "id_taken"


def test_a_refused_request_can_be_corrected_within_its_group(app: App) -> None:
    wrong, right = Request("r", (ListProduct("tea", -1),)), Request("r", (ListProduct("tea", START),))
    outcomes = app.handler.handle_all([wrong, right, wrong])
    assert [outcome.code for outcome in outcomes] == ["at_invalid", "", "id_taken"]
    assert app.handler.handle(right).repeated


def test_outcomes_are_kept_when_the_system_is_closed_and_opened_again(settings: Settings) -> None:
    with running(settings) as app:
        first = app.handler.handle_all([TEA, UNKNOWN])
    with running(settings) as app:
        again = [app.handler.handle(TEA), app.handler.handle(UNKNOWN)]
        assert app.log.head() == 1
    assert [(o.accepted, o.code, o.position) for o in again] == [(o.accepted, o.code, o.position) for o in first]


REACTIONS_ASKED_FOR = (
    GrantPoints("ada", "o", 1_000_000, START),
    ReceivePoints(
        "ada",
        PointsTransferred(
            member="eve",
            other="ada",
            direction="out",
            transfer="t",
            wallet="points",
            points=9,
            lots=(),
            day="2017-01-02",
            at=START,
        ),
        START,
    ),
    RecordDue("ada", START + 10_000 * DAY),
)


@pytest.mark.parametrize("command", REACTIONS_ASKED_FOR, ids=lambda command: type(command).__name__)
def test_what_only_follows_from_what_happened_cannot_be_asked_for(app: App, command: object) -> None:
    assert app.handler.handle(Request("direct", (command,))).code == "reaction_only"
    assert app.handler.handle(Request("planned", lambda _: [command])).code == "reaction_only"
    assert app.log.head() == 0


def test_a_request_asked_twice_within_a_group_is_answered_once(app: App) -> None:
    first, again = app.handler.handle_all([TEA, TEA])
    assert (first.accepted, first.repeated) == (again.accepted, False) == (True, False)
    assert again.repeated
    assert app.log.head() == 1


def test_what_changes_nothing_is_accepted_without_events(app: App) -> None:
    app.handler.handle(TEA)
    outcome = app.handler.handle(Request("tea, another time", TEA.commands))
    assert (outcome.accepted, outcome.events, outcome.position) == (True, 0, 1)


def test_of_a_refused_request_of_several_commands_nothing_stays(app: App) -> None:
    commands = (ListProduct("milk", START), RegisterMember("ada", START, email="a@example.org"), PayOrder("nowhere", START))
    assert app.handler.handle(Request("r", commands)).code == "order_unknown"
    assert app.log.head() == 0
    assert app.handler.handle(Request("eve", (RegisterMember("eve", START, email="a@example.org"),))).accepted
    assert app.handler.handle(Request("retire", (RetireProduct("milk", START),))).code == "product_unknown"


def test_later_commands_of_a_request_see_the_events_of_earlier_ones(app: App) -> None:
    commands = (OpenCart("c", START, "ada"), *(AddToCart("c", f"p-{n}", START) for n in range(3)))
    assert app.handler.handle(Request("r", commands)).events == 4
    assert app.log.read("cart-c")[1] == 4


def test_points_stand_directly_behind_the_payment_that_earned_them(app: App) -> None:
    request = Request("r", (place("o", "ada", line("tea", 2, 60_000)), PayOrder("o", START), ListProduct("tea", START)))
    outcome = app.handler.handle(request)
    assert kinds(app)[:4] == [OrderPlaced, OrderPaid, PointsGranted, TierRaised]
    assert outcome.events == outcome.position == 5
    events, _ = app.log.read("membership-ada")
    granted = events[0]
    assert isinstance(granted, PointsGranted)
    assert (granted.order, granted.points, granted.net) == ("o", 1200, 120_000)


def test_each_fact_brings_about_its_reaction_in_the_same_append(app: App) -> None:
    app.handler.handle(Request("1", (place("o", "ada", line("tea", 2, 60_000)), PayOrder("o", START))))
    for at, command in enumerate((DeliverOrder("o", START + 1), RefundOrder("o", "all", START + 2)), 2):
        app.handler.handle(Request(f"{at}", (command,)))
    assert kinds(app)[4:] == [OrderDelivered, LotActivated, OrderRefunded, PointsClawedBack, TierLowered]


def test_a_guest_earns_nothing(app: App) -> None:
    app.handler.handle(Request("r", (place("o", None, line("tea")), PayOrder("o", START))))
    assert kinds(app) == [OrderPlaced, OrderPaid]


def test_an_order_in_another_currency_is_refused(settings: Settings) -> None:
    with running(Settings(settings.home, settings.redis_url, currency="EUR")) as app:
        assert app.handler.handle(Request("r", (place("o", None, line("tea")),))).code == "currency_unknown"


def register(app: App, member: str, email: str) -> str:
    return app.handler.handle(Request(f"register {member} {email}", (RegisterMember(member, START, email=email),))).code


def test_an_email_address_is_one_members_whatever_its_case(app: App) -> None:
    assert register(app, "ada", "Ada.Straße@Example.org") == ""
    assert register(app, "eve", "aDA.STRAẞE@example.ORG") == "email_taken"
    assert register(app, "zoe", "ada.strasse@example.org") == "", "another address"
    assert register(app, "eve", "eve@example.org") == ""
    outcome = app.handler.handle(Request("change", (ChangeProfile("eve", START, email="ada.straße@example.org"),)))
    assert outcome.code == "email_taken"
    assert register(app, "mallory", "eve@example.org") == "email_taken", "a refused change gives nothing up"


def test_an_email_address_is_free_again_once_it_was_changed_or_removed(app: App) -> None:
    register(app, "ada", "ada@example.org")
    app.handler.handle(Request("1", (ChangeProfile("ada", START, email="new@example.org"),)))
    assert register(app, "eve", "ada@example.org") == ""
    app.handler.handle(Request("2", (ChangeProfile("ada", START, email=""),)))
    assert register(app, "bob", "new@example.org") == ""


def test_an_email_address_is_free_again_once_its_member_has_closed(app: App) -> None:
    register(app, "ada", "ada@example.org")
    assert register(app, "eve", "Ada@example.org") == "email_taken"
    assert app.handler.handle(Request("close", (CloseMember("ada", START),))).accepted
    assert register(app, "bob", "Ada@example.org") == ""


def test_a_member_who_comes_back_takes_the_email_address_again_or_is_told_that_it_is_taken(app: App) -> None:
    register(app, "ada", "ada@example.org")
    assert app.handler.handle(Request("close", (CloseMember("ada", START),))).accepted
    back = RegisterMember("ada", START, email="ada@example.org")
    assert app.handler.handle(Request("back", (back,))).accepted
    assert register(app, "bob", "ada@example.org") == "email_taken"


def test_an_email_address_is_free_again_once_its_member_was_erased(app: App) -> None:
    register(app, "ada", "ada@example.org")
    assert app.handler.handle(Request("erase", (EraseMember("ada", START),))).accepted
    assert register(app, "eve", "ada@example.org") == ""
    assert register(app, "ada", "other@example.org") == "member_erased"


OF_ADA: list[object] = [
    place("new", "ada", line("tea")),
    SendCoupon("spring", "ada", START),
    OpenCart("c", START, "ada"),
    RedeemPoints("ada", "p", 1, START),
]


def refusals(app: App) -> set[str]:
    """What is answered to each command that names Ada."""
    return {app.handler.handle(Request(f"{uuid4()}", (command,))).code for command in OF_ADA}


def test_nothing_more_happens_to_an_erased_member_whoever_answers(settings: Settings) -> None:
    with running(settings) as other:
        assert other.handler.handle(Request("1", (place("o", "ada", line("tea")), PayOrder("o", START)))).accepted
        with running(settings) as app:
            app.handler.handle(Request("2", (RegisterMember("ada", START),)))
            assert app.handler.handle(Request("3", (EraseMember("ada", START),))).accepted
            assert refusals(app) == {"member_erased"}
            app.follower().catch_up()
            assert refusals(app) == {"member_erased"}, "though the erasure is complete"
        assert refusals(other) == {"member_erased"}
    with running(settings) as again:
        assert refusals(again) == {"member_erased"}
        assert again.handler.handle(Request("4", (EraseMember("ada", START),))).accepted, "asked twice"
        assert again.handler.handle(Request("5", (OpenCart("c", START, session="ada"),))).accepted


def test_who_is_erased_is_erased_for_the_rest_of_the_group_too(app: App) -> None:
    app.handler.handle(Request("1", (RegisterMember("ada", START), place("o", "ada", line("tea")), PayOrder("o", START))))
    asked = ((EraseMember("ada", START),), (OpenCart("c", START, "ada"),), (DeliverOrder("o", START),))
    outcomes = app.handler.handle_all([Request(f"ask {n}", commands) for n, commands in enumerate(asked)])
    assert [outcome.code for outcome in outcomes] == ["", "member_erased", ""]
    assert kinds(app)[-2:] == [MemberErased, OrderDelivered], "no points are activated"


def test_who_is_erased_is_erased_for_the_rest_of_the_request_too(app: App) -> None:
    commands = (RegisterMember("ada", START), EraseMember("ada", START), OpenCart("c", START, "ada"))
    assert app.handler.handle(Request("1", commands)).code == "member_erased"


def test_an_old_order_of_an_erased_member_runs_its_course_and_moves_no_points(settings: Settings) -> None:
    with running(settings) as app:
        bought = (RegisterMember("ada", START), place("o", "ada", line("tea")), PayOrder("o", START))
        app.handler.handle(Request("1", bought))
        app.handler.handle(Request("2", (EraseMember("ada", START),)))
    with running(settings) as app:
        head = app.log.head()
        assert app.handler.handle(Request("3", (DeliverOrder("o", START),))).accepted
        assert app.handler.handle(Request("4", (RefundOrder("o", "all", START),))).accepted
        assert kinds(app)[head:] == [OrderDelivered, OrderRefunded]


def test_two_systems_on_one_log_see_each_others_events(settings: Settings) -> None:
    with running(settings) as one, running(settings) as two:
        for n, app in enumerate([one, two] * 5):
            assert app.handler.handle(Request(f"{n}", (OpenCart("c", START, "ada"), AddToCart("c", "tea", START)))).accepted
        assert one.log.read("cart-c")[1] == two.log.read("cart-c")[1] == 11
