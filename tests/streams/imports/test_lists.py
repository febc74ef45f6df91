"""What a shop's lists show once something was given back, dismissed, retired or sold out, or one source overdoes it."""

from __future__ import annotations

from typing import Any

from aggregates.product import RestockProduct, RetireProduct
from models.recommender.trending import PERIOD
from streams.commands.request import Request
from streams.queries import views as reading
from streams.running.app import App
from tests.streams.imports.lines import START, document, entry, import_lines, item, order

HOUR, DAY = 60, 24 * 60  # minutes


def listed(app: App, key: str) -> list[str]:
    return [entry["product"] for entry in document(app, key)["items"]]


def trending(app: App) -> dict[str, float]:
    found: Any = app.views.client.zrange(f"v1:trending:{START // PERIOD}", 0, -1, withscores=True)
    return {name.decode(): score for name, score in found}


def test_what_was_cancelled_or_refunded_in_full_was_not_bought(app: App) -> None:
    tea = item("tea", total="10")
    found = import_lines(
        app,
        order("0", 0, item("cup", total="3"), member_id="eve"),
        order("1", DAY, tea, member_id="ada", status="paid"),
        entry("cancel", DAY + 10, order_id="1"),
        order("2", DAY + HOUR, tea, member_id="ada"),
        entry("refund", 3 * DAY, order_id="2"),
        order("3", 4 * DAY, item("pot", total="10"), member_id="ada"),
    )
    assert found.rejects == []
    entries = document(app, "recommend:ada")["items"]
    assert [(entry["product"], entry["source"]) for entry in entries] == [("pot", "repeat"), ("cup", "popular")]
    assert listed(app, "popular") == ["pot", "cup"]
    assert trending(app).keys() == {"pot", "cup"}
    assert listed(app, "also:tea") == []


def test_a_member_to_whom_nothing_is_left_has_no_list(app: App) -> None:
    import_lines(app, order("1", 0, member_id="ada"), order("2", 1, item("pot", total="1"), member_id="eve"))
    assert reading.document(app.views, "recommend:ada") is not None
    import_lines(app, entry("refund", 2, order_id="1"))
    assert reading.document(app.views, "recommend:ada") is None
    assert listed(app, "popular") == ["pot"]


def test_a_part_refund_takes_its_units(app: App) -> None:
    lines = (item("tea", total="9", quantity=3), item("pot", total="5"))
    import_lines(app, order("1", 0, *lines, member_id="ada"), order("2", 0, item("cup", total="5"), member_id="eve"))
    back: dict[str, Any] = {"order_id": "1"}
    import_lines(app, entry("refund", 5, refund="r1", lines=[item("tea", quantity=2)], **back))
    assert {"tea", "pot"} <= trending(app).keys()
    import_lines(app, entry("refund", 6, refund="r2", lines=[item("tea", quantity=1)], **back))
    assert trending(app).keys() == {"pot", "cup"}
    assert "tea" not in [entry["product"] for entry in document(app, "recommend:ada")["items"]]


def test_what_is_given_back_leaves_companions_and_return_rates(app: App) -> None:
    pair = (item("tea", total="1"), item("pot", total="1"))
    orders = [order(f"o{n}", n * DAY, *pair, member_id=f"m{n % 2}") for n in range(4)]
    import_lines(app, *orders)
    assert (listed(app, "also:tea"), listed(app, "also:pot")) == (["pot"], ["tea"])
    counters = reading.table(app.views, "items")["tea"].split()[:3]
    assert counters == ["4", "2", "2"], "baskets, buyers, returns"
    import_lines(app, *(entry("cancel", 5 * DAY, order_id=f"o{n}") for n in (2, 3)))
    assert (listed(app, "also:tea"), listed(app, "also:pot")) == ([], [])
    assert reading.table(app.views, "items")["tea"].split()[:3] == ["2", "2", "0"]


def test_what_a_member_dismisses_leaves_their_list_at_once_and_it_is_filled_up(app: App) -> None:
    import_lines(
        app,
        order("1", 0, item("tea", total="10"), item("pot", total="10"), member_id="ada"),
        order("2", 30, item("cup", total="10"), member_id="eve"),
        entry("dismiss", HOUR, member_id="ada", product_id="tea"),
    )
    assert listed(app, "recommend:ada") == ["pot", "cup"]


def test_what_is_retired_or_sold_out_leaves_what_is_popular_and_trending_and_comes_back(app: App) -> None:
    import_lines(
        app, *(order(f"o{n}", n, *(item(p, total="1") for p in ("tea", "pot", "cup")), member_id=f"m{n}") for n in range(4))
    )
    before = trending(app)
    assert before.keys() == {"tea", "pot", "cup"}
    app.handler.handle(Request("retire", (RetireProduct("tea", START + HOUR),)))
    import_lines(app, entry("product", HOUR, product_id="pot", name="Pot", stock=0))
    assert listed(app, "popular") == ["cup"]
    assert trending(app).keys() == {"cup"}
    assert (listed(app, "also:cup"), listed(app, "also:tea")) == ([], ["cup"])
    app.handler.handle(Request("restock", (RestockProduct(product="pot", units=3, at=START + 2 * HOUR),)))
    import_lines(app)
    assert trending(app) == {product: score for product, score in before.items() if product != "tea"}


def test_what_is_retired_or_sold_out_leaves_the_lists_of_all_members_and_visits(app: App) -> None:
    products = ("tea", "pot", "cup", "jug")
    import_lines(
        app,
        *(order(f"o{n}", n, item(product, total="1"), member_id=f"m{n}") for n, product in enumerate(products)),
        entry("view", 4, session_id="s", product_id="tea"),
        entry("view", 5, session_id="s", product_id="pot"),
    )
    keys = [*(f"recommend:m{n}" for n in range(2, 4)), "visit:s"]
    before = {key: listed(app, key) for key in keys}
    assert all("cup" in found for found in before.values())
    app.handler.handle(Request("retire", (RetireProduct("cup", START + 6 * 60_000),)))
    import_lines(app, entry("product", 7, product_id="tea", name="Tea", stock=0))
    for key in keys:
        assert sorted(listed(app, key)) == (["jug"] if key == "visit:s" else ["jug", "pot"]), "filled up by what sells now"


def test_visitors_are_counted_and_not_acts(app: App) -> None:
    people = [entry("view", n, session_id=f"s{n}", product_id=p) for n in range(20) for p in ("good", "mug")]
    bot = [entry("view", 21 + n / 60, session_id="bot", product_id=p) for n in range(40) for p in ("good", "spam")]
    import_lines(app, *people, *bot, entry("view", 23, session_id="new", product_id="good"))
    assert listed(app, "visit:new")[:2] == ["mug", "spam"]
    scores = [entry["score"] for entry in document(app, "visit:new")["items"]]
    assert scores[0] > scores[1]


def test_one_clock_that_is_ahead_ends_nobodys_visit(app: App) -> None:
    honest = {"session_id": "honest"}
    import_lines(
        app,
        *(entry("view", 0, **honest, product_id=product) for product in ("tea", "pot", "cup")),
        entry("dismiss", 0.2, **honest, product_id="mug"),
        entry("view", 20 * HOUR, session_id="skewed", product_id="tea"),
        entry("view", 0.3, **honest, product_id="jug"),
        entry("view", 0.4, session_id="other", product_id="jug"),
    )
    seen = [one["product"] for one in document(app, "visit:honest")["seen"]]
    assert seen == ["jug", "cup", "pot", "tea"]
    assert "mug" not in listed(app, "visit:honest")
    assert reading.document(app.views, "visit:other") is not None
