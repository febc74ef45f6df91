from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from aggregates.member import EraseMember, RegisterMember
from aggregates.order.decider import DeliverOrder, PayOrder
from aggregates.product import ListProduct
from projections.card import Card
from streams.bootstrap import App
from streams.dispatch import fold_name
from streams.handle import Request
from streams.registry import folds
from tests.redis_content import content
from tests.shop import MEMBERS, START, line, place, requests

FORGOTTEN = MEMBERS[0]


def naming(app: App, word: str) -> list[str]:
    """Keys in whose name or content a word stands."""
    return [key for key, value in content(app.views.client).items() if word in key.split(":") or word in repr(value)]


def assert_nothing_is_left(app: App, member: str) -> None:
    """Nothing but a card that says no more than that its member was erased."""
    assert naming(app, member) == [f"v1:card:{member}"]
    card = app.views.load([f"card:{member}"], {"card": Card})[f"card:{member}"]
    assert replace(card, as_of=0, position=0) == Card(member, "erased")


def test_erasing_a_member_purges_every_view_of_theirs(app: App) -> None:
    every = list(requests(shoppings=120))
    at = next(n for n, request in enumerate(every) if any(isinstance(command, EraseMember) for command in request.commands))
    follower = app.follower()
    app.handler.handle_all(every[:at])
    follower.catch_up()
    views = {key.split(":")[1] for key in naming(app, FORGOTTEN)}
    assert views >= {"card", "orders", "order", "wallet", "recommend", "repeat"}
    assert naming(app, f"Name of {FORGOTTEN}")
    app.handler.handle_all(every[at:])
    follower.catch_up()
    assert_nothing_is_left(app, FORGOTTEN)
    assert naming(app, f"Name of {FORGOTTEN}") == naming(app, f"{FORGOTTEN}@example.org") == []


def test_an_erased_member_is_also_unknown_to_views_built_later(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=120)))
    app.follower().catch_up()
    assert_nothing_is_left(app, FORGOTTEN)
    assert naming(app, MEMBERS[-1])


def test_what_happens_to_an_order_after_its_member_was_erased_brings_no_view_back(app: App) -> None:
    app.handler.handle(Request("1", (RegisterMember("ada", START), place("o", "ada", line("tea")), PayOrder("o", START))))
    app.handler.handle(Request("2", (EraseMember("ada", START),)))
    app.handler.handle(Request("3", (DeliverOrder("o", START),)))
    app.follower().catch_up()
    assert_nothing_is_left(app, "ada")


@pytest.mark.parametrize("name", ["two\x1fparts", "", ".dot", "a\nb\x00c", "漢 字", "s"])
def test_the_next_process_goes_on_from_redis_whatever_a_product_is_called(app: App, name: str) -> None:
    products = (".p", ".baskets", ".shown", "p p")
    app.handler.handle(Request("list", tuple(ListProduct(product, START, name, name) for product in products)))
    for n in range(3):
        order = place(f"o{n}", "ada", *map(line, products), at=START + n)
        app.handler.handle(Request(f"o{n}", (order, PayOrder(f"o{n}", START + n))))
        app.follower().catch_up()
    found = content(app.views.client, positions=False)
    app.views.client.flushall()
    app.views.announce()
    app.follower().catch_up()
    assert content(app.views.client, positions=False) == found


def test_without_models_the_learner_waits_where_it_is(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=10)))
    assert app.follower(models=False).catch_up() == app.log.head()
    positions = app.views.positions([fold_name(fold) for fold in folds(app.terms)])
    assert {name for name, at in positions.items() if at != app.log.head()} == {"learner.1"}
    assert app.follower().catch_up() == app.log.head()
    assert set(app.views.positions(list(positions)).values()) == {app.log.head()}


def test_a_follower_tells_how_far_it_has_come(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=120)))
    told: list[int] = []
    head = app.follower().catch_up(told.append)
    assert told == [*range(1000, head, 1000), head]


def reached(app: App) -> int:
    """How far every fold has come in Redis."""
    return min(app.views.positions([fold_name(fold) for fold in folds(app.terms)]).values())


def test_a_follower_keeps_the_views_up_as_events_come(app: App) -> None:
    done = threading.Event()
    thread = threading.Thread(target=app.follower().follow, args=(done.is_set,))
    thread.start()
    try:
        app.handler.handle_all(list(requests(shoppings=10)))
        deadline = time.monotonic() + 20
        while reached(app) < app.log.head() and time.monotonic() < deadline:
            time.sleep(0.005)
        assert reached(app) == app.log.head()
    finally:
        done.set()
        app.handler.handle(Request("last", (ListProduct("last", START),)))
        thread.join(20)
    assert not thread.is_alive()
