"""Products, members and reviews: what is entry again is updated, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aggregates.member import CloseMember
from aggregates.membership.events import MemberTagged
from aggregates.product import ProductListed, ProductRepriced, RetireProduct
from aggregates.programme.policy import PublishPolicy
from streams.commands.request import Request
from streams.running.app import App
from tests.streams.imports.lines import START, Line, document, entry, events, import_lines, order


def product(minute: float, /, **fields: Any) -> Line:
    return entry("product", minute, product_id="tea", **fields)


def member(minute: float, /, **fields: Any) -> Line:
    return entry("member", minute, member_id="ada", **fields)


def shown(app: App) -> dict[str, str]:
    return app.views.hashes(["product:tea"])["product:tea"]


def test_a_product_declared_again_is_updated_field_by_field(app: App) -> None:
    first = product(0, name="Tea", category=["Food", "Drinks", "Hot"], price="4.99", attributes={"size": "S", "leaf": "yes"})
    assert import_lines(app, first, product(1, brand="Leaf", attributes={"size": "L"}), product(2, category="Tea")).outcome == (
        3,
        0,
        0,
    )
    view = shown(app)
    assert (view["name"], view["brand"], view["price"]) == ("Tea", "Leaf", "499")
    assert (view["department"], view["category"]) == ("Food", "Tea")
    assert json.loads(view["attributes"]) == {"size": "L", "leaf": "yes"}


def test_null_changes_nothing(app: App) -> None:
    import_lines(app, product(0, name="Tea", price=1), product(1, name=None, price=None, brand="Leaf"))
    assert (shown(app)["name"], shown(app)["price"]) == ("Tea", "100")


@pytest.mark.parametrize("field", ["name", "price"])
def test_a_value_may_change_back(app: App, field: str) -> None:
    lines = [product(minute, **{field: value}) for minute, value in enumerate(("1", "2", "1"))]
    assert import_lines(app, *lines).outcome == (3, 0, 0)
    assert shown(app)[field] == ("1" if field == "name" else "100")
    assert import_lines(app, *lines).outcome == (0, 3, 0)


def test_a_line_with_a_price_alone_reprices(app: App) -> None:
    import_lines(app, product(0, name="Tea"), product(1, price=2), product(2, price="2.00"), product(3, price=3))
    assert [(event.previous, event.price) for event in events(app, ProductRepriced)] == [(None, 200), (200, 300)]
    assert len(events(app, ProductListed)) == 1


def test_a_retired_product_is_listed_again_by_its_line(app: App) -> None:
    import_lines(app, product(0, name="Tea", price=1))
    app.handler.handle(Request("1", (RetireProduct("tea", START),)))
    import_lines(app, entry("view", 1, product_id="tea", member_id="ada"))
    assert shown(app)["status"] == "retired"
    import_lines(app, product(2, price=2))
    assert (shown(app)["status"], shown(app)["name"], shown(app)["price"]) == ("listed", "Tea", "200")


def test_a_member_declared_again_is_updated_and_empty_text_removes(app: App) -> None:
    import_lines(
        app,
        member(0, name="Ada", email="ada@example.org", city="Paris", tags=["new", "vip"], children=2),
        member(1, city="Lyon", tags=["vip"]),
        member(2, email="", children=None),
    )
    card = document(app, "card:ada")
    assert (card["name"], card["email"], card["profile"]) == ("Ada", None, {"city": "Lyon", "tags": "vip", "children": "2"})


def test_a_members_tags_are_those_that_the_policy_asks_for(app: App) -> None:
    club = {"id": "club", "rate": 3, "audience": {"tags": ["club"]}}
    policy = {"earning": {"spend": [{"id": "purchase", "rate": 1, "multipliers": [club]}]}}
    app.handler.handle(Request("policy", (PublishPolicy(policy, START, "kim", START),)))
    bought = {"member_id": "ada", "lines": [{"product_id": "tea", "total": "100"}]}
    import_lines(app, member(0, tags=["new", "club"]), entry("order", 1, order_id="1", **bought))
    assert document(app, "card:ada")["pending"] == 300
    import_lines(app, member(2, tags="new"), entry("order", 3, order_id="2", **bought))
    assert document(app, "card:ada")["pending"] == 400
    tagged = [(event.tags, event.actor) for event in events(app, MemberTagged)]
    assert tagged == [(("club", "new"), "import"), (("new",), "import")]


def test_a_rule_for_a_tag_rewards_the_registration_of_a_member_who_has_it(app: App) -> None:
    rule = {"id": "welcome", "event": "sign_up", "points": 50, "audience": {"tags": ["club"]}}
    app.handler.handle(Request("policy", (PublishPolicy({"earning": {"events": [rule]}}, START, "kim", START),)))
    import_lines(app, member(0, tags=" club , new"))
    assert document(app, "card:ada")["points"] == 50


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"tags": "x" * 201}, "tag_id_invalid"),
        ({"email": "ada"}, "email_invalid"),
        ({"name": "x" * 501}, "text_too_long"),
        ({"birthday": "31.12.1990"}, "birthday_invalid"),
        ({"birthday": "1990-02-30"}, "birthday_invalid"),
        ({"city": "x" * 2001}, "profile_invalid"),
    ],
)
def test_a_member_with_an_invalid_value_is_rejected(app: App, fields: Line, code: str) -> None:
    assert import_lines(app, member(1, name="Ada"), member(2, **{"name": "Eve", **fields})).codes == [(2, code)]
    assert document(app, "card:ada")["name"] == "Ada"


def test_another_members_email_is_rejected_and_the_rest_of_the_line_is_taken(app: App) -> None:
    bob = entry("member", 0, member_id="bob", email="bob@example.org")
    ada = member(1, name="Ada", email="BOB@example.org", city="Paris")
    result = import_lines(app, bob, ada, entry("view", 2, product_id="tea", member_id="ada"))
    assert (result.outcome, result.codes, result.counts.status) == ((3, 0, 0), [(2, "email_taken")], 3)
    card = document(app, "card:ada")
    assert (card["name"], card["email"], card["profile"]) == ("Ada", None, {"city": "Paris"})
    assert import_lines(app, bob, ada).outcome == (0, 2, 0)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "x" * 501}, "text_too_long"),
        ({"category": ["x" * 300, "y" * 300, "z" * 300]}, "text_too_long"),
        ({"description": "x" * 20_001}, "text_too_long"),
        ({"image": "x" * 2001}, "text_too_long"),
        ({"attributes": {str(n): "x" for n in range(101)}}, "attributes_invalid"),
        ({"embedding": [0.5] * 4097}, "embedding_invalid"),
    ],
)
def test_a_product_with_too_long_a_value_is_rejected(app: App, fields: Line, code: str) -> None:
    assert import_lines(app, entry("product", 0, product_id="tea", **fields)).codes == [(1, code)]


def test_a_long_department_of_an_orders_line_is_rejected(app: App) -> None:
    sold = {"product_id": "tea", "department": "x" * 501}
    assert import_lines(app, order("o", 0, sold), order("p", 1, sold | {"department": "x" * 500})).codes == [
        (1, "text_too_long")
    ]


def test_a_closed_membership_is_not_changed_by_a_line(app: App) -> None:
    import_lines(app, member(0, name="Ada"))
    app.handler.handle(Request("1", (CloseMember("ada", START),)))
    assert import_lines(app, member(1, name="Eve"), entry("view", 2, product_id="tea", member_id="ada")).codes == [
        (1, "member_closed")
    ]


def test_a_later_review_of_the_same_purchase_replaces_the_earlier(app: App) -> None:
    def review(minute: float, rating: float, **fields: Any) -> Line:
        return entry("review", minute, product_id="tea", **{"member_id": "ada", "rating": rating, **fields})

    guest: Line = {"member_id": None, "session_id": "ada"}
    of_members = review(0, 4.5, text="Good"), review(1, 2, text="Stale"), review(2, 5, order_id="o")
    assert import_lines(app, *of_members, review(3, 1, **guest)).outcome == (4, 0, 0)
    assert [entry["half_stars"] for entry in document(app, "activity:ada")["reviews"]] == [10]
    assert (shown(app)["reviews"], shown(app)["half_stars"]) == ("4", "25")
