"""An order that names a member or a product nobody declared is accepted, and the read models mark what was never declared."""

from __future__ import annotations

from aggregates.member import RegisterMember
from aggregates.order.decider import PayOrder
from aggregates.product import ListProduct
from streams.commands.request import Request
from streams.running.app import App
from tests.shop import START, line, place
from tests.streams.imports.lines import document, import_lines, item, order


def sold_before_anything_was_declared(app: App) -> None:
    commands = (place("o", "ghost", line("phantom")), PayOrder("o", START + 1))
    assert app.handler.handle(Request("order", commands)).accepted
    app.follower().catch_up()


def test_an_order_of_a_program_is_accepted_and_what_it_names_is_marked(app: App) -> None:
    sold_before_anything_was_declared(app)
    card = document(app, "card:ghost")
    assert (card["status"], card["registered_at"]) == ("unregistered", None)
    assert card["pending"] > 0, "the purchase counts for the member that the shop means"
    product = app.views.hashes(["product:phantom"])["product:phantom"]
    assert "status" not in product
    assert product["units"] == "1"


def test_what_is_declared_later_takes_over_what_was_sold_before(app: App) -> None:
    sold_before_anything_was_declared(app)
    before = document(app, "card:ghost")["pending"]
    declared = (RegisterMember("ghost", START + 2), ListProduct("phantom", START + 2))
    assert app.handler.handle(Request("declare", declared)).accepted
    app.follower().catch_up()
    card = document(app, "card:ghost")
    assert (card["status"], card["pending"]) == ("registered", before)
    product = app.views.hashes(["product:phantom"])["product:phantom"]
    assert (product["status"], product["units"]) == ("listed", "1")


def test_an_imported_order_declares_what_it_names_with_its_id_alone(app: App) -> None:
    result = import_lines(app, order("1", 0, item("phantom", total="5.00"), member_id="ghost", status="paid"))
    assert result.outcome == (1, 0, 0)
    card = document(app, "card:ghost")
    assert (card["status"], card["name"]) == ("registered", None)
    product = app.views.hashes(["product:phantom"])["product:phantom"]
    assert product["status"] == "listed"
    assert "name" not in product
