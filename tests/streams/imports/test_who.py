"""Whose a line is: members, sessions, guests; who is met first, and who is no more."""

from __future__ import annotations

from aggregates.behaviour import Viewed
from aggregates.member import EraseMember, MemberRegistered
from aggregates.order.events import OrderPlaced
from aggregates.product import ProductListed
from aggregates.session import SessionJoined, SessionLeft
from streams.commands.request import Request
from streams.queries import views as reading
from streams.running.app import App
from tests.streams.imports.lines import START, document, entry, events, import_lines, order


def viewers(app: App) -> list[tuple[str | None, str | None]]:
    return [(event.member, event.session) for event in events(app, Viewed)]


def test_a_line_with_both_joins_the_session_to_the_member_from_then_on(app: App) -> None:
    import_lines(
        app,
        entry("view", 0, product_id="tea", session_id="s"),
        entry("view", 1, product_id="tea", session_id="s", member_id="ada"),
        entry("view", 2, product_id="milk", session_id="s"),
        order("o", 3, session_id="s"),
    )
    assert viewers(app) == [(None, "s"), ("ada", "s"), ("ada", "s")]
    assert [event.joined for event in events(app, SessionJoined)] == ["ada"]
    assert [seen["product"] for seen in document(app, "activity:ada")["viewed"]] == ["milk", "tea"]
    assert document(app, "order:o")["member"] == "ada"


def test_a_session_may_become_another_members(app: App) -> None:
    both = [entry("view", n, product_id="tea", session_id="s", member_id=m) for n, m in enumerate(("ada", "bob", "ada"))]
    import_lines(app, *both, entry("view", 9, product_id="tea", session_id="s"))
    assert viewers(app)[-1] == ("ada", "s")
    assert [event.joined for event in events(app, SessionJoined)] == ["ada", "bob", "ada"]
    assert document(app, "session:s")["member"] == "ada"


def test_an_order_without_who_is_a_guests(app: App) -> None:
    assert import_lines(app, order("o"), order("p", 1, session_id="s")).outcome == (2, 0, 0)
    assert events(app, MemberRegistered) == []
    assert app.views.hashes(["product:tea"])["product:tea"]["orders"] == "2"


def test_members_and_products_are_made_by_the_first_line_that_names_them(app: App) -> None:
    import_lines(
        app,
        order("o", 0, member_id="ada"),
        entry("view", 1, product_id="milk", member_id="bob"),
        entry("impression", 2, slot="home", product_ids=["rice", "milk", "rice"], session_id="s"),
        entry("search", 3, query="soup", product_ids=["soup", "tea"], member_id="cid"),
        entry("coupon_sent", 4, campaign_id="spring", member_id="dan"),
        entry("review", 5, product_id="salt", member_id="eve", rating=3),
        entry("add_to_cart", 6, product_id="oil", member_id="fay"),
    )
    assert [event.member for event in events(app, MemberRegistered)] == ["ada", "bob", "cid", "dan", "eve", "fay"]
    listed = [event.product for event in events(app, ProductListed)]
    assert listed == ["tea", "milk", "rice", "soup", "salt", "oil"]


def test_a_later_declaration_completes_a_member_or_product(app: App) -> None:
    import_lines(
        app,
        order("o", 0, member_id="ada"),
        entry("member", 1, member_id="ada", name="Ada", tags=["vip"], city="Paris"),
        entry("product", 2, product_id="tea", name="Green tea"),
    )
    card = document(app, "card:ada")
    assert (card["name"], card["profile"]) == ("Ada", {"tags": "vip", "city": "Paris"})
    assert app.views.hashes(["product:tea"])["product:tea"]["name"] == "Green tea"


def test_a_member_and_a_session_may_have_the_same_id(app: App) -> None:
    import_lines(
        app, entry("add_to_cart", 0, product_id="tea", member_id="7"), entry("add_to_cart", 1, product_id="tea", session_id=7)
    )
    assert document(app, "cart:7")["member"] == "7"
    assert document(app, "guest-cart:7")["session"] == "7"


def test_ids_of_every_allowed_length_are_accepted(app: App) -> None:
    who, product, name, code = "m" * 200, "p" * 200, "o" * 200, "c" * 200
    result = import_lines(
        app,
        entry("add_to_cart", 0, product_id=product, member_id=who),
        entry("add_to_cart", 0, product_id=product, session_id=who),
        order(name, 1, {"product_id": product, "total": 1}, member_id=who, coupons=[code]),
        entry("coupon_redeemed", 2, campaign_id=code, code=code, member_id=who, order_id=name),
        entry("coupon_redeemed", 2, id="i" * 200, code=code, member_id=who),
        entry("refund", 3, id="r" * 200, order_id=name),
    )
    assert result.codes == []
    assert app.views.load([f"cart:{who}"], {"cart": dict})[f"cart:{who}"] is None, "the order has closed it"


def test_lines_of_an_erased_member_are_rejected_and_known_ones_stay_duplicates(app: App) -> None:
    lines = [
        entry("member", 0, member_id="ada", name="Ada"),
        entry("view", 1, product_id="tea", member_id="ada", session_id="s"),
        order("o", 2, member_id="ada", status="paid"),
    ]
    import_lines(app, *lines)
    app.handler.handle(Request("erase", (EraseMember("ada", START),)))
    assert import_lines(app, *lines).outcome == (0, 3, 0)
    result = import_lines(
        app,
        entry("member", 3, member_id="ada", name="Ada again"),
        entry("view", 4, product_id="tea", member_id="ada"),
        entry("view", 5, product_id="tea", session_id="s"),
        order("p", 6, member_id="ada"),
        entry("coupon_sent", 7, campaign_id="c", member_id="ada"),
        entry("order_status", 8, order_id="o", status="delivered"),
        entry("refund", 9, order_id="o"),
    )
    assert result.codes == [(n, "member_erased") for n in range(1, 6)]
    assert result.outcome == (2, 0, 5)
    card = document(app, "card:ada")
    assert (card["status"], card["name"], card["profile"]) == ("erased", None, {})


def test_a_session_that_was_left_is_a_guests_again(app: App) -> None:
    joined = entry("view", 0, session_id="kiosk", member_id="ada", product_id="tea")
    left, again = entry("session_left", 1, session_id="kiosk"), entry("session_left", 2, session_id="kiosk")
    guest = order("1", 3, session_id="kiosk")
    bob = order("2", 4, session_id="kiosk", member_id="bob")
    assert import_lines(app, joined, left, again, guest, bob).outcome == (4, 1, 0)
    assert [(event.order, event.member) for event in events(app, OrderPlaced)] == [("1", None), ("2", "bob")]
    assert document(app, "session:kiosk")["member"] == "bob"
    assert import_lines(app, entry("session_left", 5, session_id="kiosk")).outcome == (1, 0, 0)
    assert reading.document(app.views, "session:kiosk") is None
    assert document(app, "sessions:ada")["sessions"] == document(app, "sessions:bob")["sessions"] == ["kiosk"]


def test_a_session_that_its_member_did_not_use_for_the_policys_days_is_a_guests_again(app: App) -> None:
    day = 24 * 60
    import_lines(
        app,
        entry("view", -60 * day, product_id="tea", session_id="kiosk", member_id="ada"),
        entry("view", -40 * day, product_id="milk", session_id="kiosk"),  # hers, and keeps the session hers
        entry("view", -11 * day, product_id="tea", session_id="kiosk"),
    )
    assert viewers(app) == [("ada", "kiosk")] * 3
    until = document(app, "session:kiosk")["until"]
    import_lines(
        app,
        order("1", 21 * day, session_id="kiosk"),
        entry("view", 22 * day, product_id="tea", session_id="kiosk"),
        entry("view", 23 * day, product_id="tea", session_id="kiosk", member_id="bob"),
    )
    assert START + 19 * day * 60_000 < until <= START + 20 * day * 60_000
    assert [event.member for event in events(app, OrderPlaced)] == [None]
    assert viewers(app)[3:] == [(None, "kiosk"), ("bob", "kiosk")]
    assert [(event.session, event.left) for event in events(app, SessionLeft)] == [("kiosk", "ada")]
    assert document(app, "session:kiosk")["member"] == "bob"
