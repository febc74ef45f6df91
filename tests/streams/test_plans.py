"""Requests that are planned over what is known, asked again, or told apart by their content; through the real handler."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from aggregates.behaviour import Clicked, Impressed, Searched, Viewed
from aggregates.cart import AddToCart, OpenCart
from aggregates.cart import cart as cart_decider
from aggregates.decider import Look, Refusal
from aggregates.member import RegisterMember
from aggregates.order.decider import PayOrder
from aggregates.product import ListProduct
from aggregates.product import product as product_decider
from aggregates.session import JoinSession, session
from aggregates.value import replace
from infra.settings import Settings
from streams.commands.request import Plan, Request
from streams.running.app import App, running
from tests.shop import START, line, place

TEA = ListProduct("tea", START, price=500)


def ask(app: App, name: str, *commands: object) -> str:
    return app.handler.handle(Request(name, commands)).code


def streams(app: App) -> list[str]:
    return [row.stream for row in app.log.since(0, 1000)]


def first_sight(price: int) -> Plan:
    """List the tea if nobody did, then fill a cart up to two of it."""

    def plan(look: Look) -> Iterator[object]:
        if look(product_decider, "tea").listed is None:
            yield replace(TEA, price=price)
        yield OpenCart("c", START, "ada")
        while look(cart_decider, "c").items.get("tea", 0) < 2:
            yield AddToCart("c", "tea", START, price=look(product_decider, "tea").price)

    return plan


def test_a_plan_sees_what_its_own_earlier_commands_decided(app: App) -> None:
    assert app.handler.handle(Request("r", first_sight(700))).events == 4
    assert streams(app) == ["product-tea", "cart-c", "cart-c", "cart-c"]
    events, _ = app.log.read("cart-c")
    assert [getattr(event, "price", None) for event in events] == [None, 700, 700]


def test_a_plan_sees_what_its_neighbours_of_the_same_group_decided(app: App) -> None:
    first, second = app.handler.handle_all([Request("1", first_sight(700)), Request("2", first_sight(900))])
    assert (first.events, second.accepted, second.events) == (4, True, 0)


def test_a_plan_sees_what_its_own_commands_brought_about(app: App) -> None:
    seen: list[str | None] = []

    def plan(look: Look) -> Iterator[object]:
        seen.append(look(session, "s").member)
        yield Viewed(product="tea", member="ada", session="s", at=START)
        seen.append(look(session, "s").member)

    assert app.handler.handle(Request("r", plan)).events == 4
    assert seen == [None, "ada"]


@pytest.mark.parametrize("own", [True, False], ids=["the plan's own", "a command's"])
def test_a_refusal_inside_a_plan_leaves_nothing_of_it(app: App, own: bool) -> None:
    def plan(_: Look) -> Iterator[object]:
        yield from (
            TEA,
            RegisterMember("ada", START, email="a@example.org"),
            Viewed(product="tea", member="ada", session=None, at=START),
        )
        if own:
            raise Refusal("too_odd", "This plan ends here.")
        yield PayOrder("nowhere", START)

    outcomes = app.handler.handle_all(
        [Request("r", plan), Request("after", (Viewed(product="milk", member=None, session="s", at=START),))]
    )
    assert [outcome.code for outcome in outcomes] == ["too_odd" if own else "order_unknown", ""]
    assert app.log.read("behaviour-1") == ([Viewed(product="milk", member=None, session="s", at=START)], 1)
    assert app.log.head() == 1
    assert ask(app, "eve", RegisterMember("eve", START, email="a@example.org")) == ""


def test_a_fault_inside_a_plan_is_its_askers_alone(app: App) -> None:
    def plan(_: Look) -> Iterator[object]:
        yield TEA
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        app.handler.handle(Request("r", plan))
    assert app.log.head() == 0
    assert app.handler.handle(Request("r", (TEA,))).accepted, "a fault is no answer"


@pytest.mark.parametrize("together", [True, False])
def test_a_refusal_that_is_not_settled_may_become_another_answer(app: App, together: bool) -> None:
    pay = Request("pay", (PayOrder("o", START),), settled=False)
    every = [pay, Request("place", (place("o", None, line("tea")),)), pay, pay]
    outcomes = app.handler.handle_all(every) if together else [app.handler.handle(request) for request in every]
    assert [outcome.code for outcome in outcomes] == ["order_unknown", "", "", ""]
    assert [outcome.repeated for outcome in outcomes] == [False, False, False, True]
    assert app.log.outcome("pay") == replace(outcomes[2], repeated=False)


def test_what_is_read_beforehand_changes_no_outcome(settings: Settings, app: App) -> None:
    reads = (("product-tea", product_decider), ("cart-c", cart_decider), ("cart-unknown", cart_decider))
    assert app.handler.handle(Request("list", (TEA,))).accepted
    told = [Request("1", first_sight(700)), Request("2", first_sight(700))]
    with running(settings) as other:  # it remembers nothing
        outcomes = other.handler.handle_all([replace(request, reads=reads) for request in told])
    alone = replace(settings, home=settings.home / "alone")
    app.views.client.flushall()
    with running(alone) as without:
        assert without.handler.handle(Request("list", (TEA,))).accepted
        assert without.handler.handle_all(told) == outcomes
        assert streams(without) == streams(app)


def test_the_same_content_by_the_same_id_is_a_repetition(app: App) -> None:
    request = Request("r", (TEA,), content=b"tea")
    first, again = app.handler.handle_all([request, request])
    later = app.handler.handle(replace(request, commands=first_sight(700)))
    assert (first.accepted, first.events, first.repeated) == (True, 1, False)
    assert again == later == replace(first, repeated=True)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("content", [b"milk", None])
def test_other_content_by_the_same_id_is_refused_and_nothing_written(app: App, content: bytes | None, together: bool) -> None:
    every = [Request("r", (TEA,), content=b"tea"), Request("r", (ListProduct("milk", START),), content=content)]
    outcomes = app.handler.handle_all(every) if together else [app.handler.handle(request) for request in every]
    assert [(outcome.accepted, outcome.code, outcome.events) for outcome in outcomes] == [(True, "", 1), (False, "id_taken", 0)]
    assert streams(app) == ["product-tea"]
    assert app.handler.handle(every[0]) == replace(outcomes[0], repeated=True), "the first answer stands"


def test_the_behaviour_of_one_append_is_one_stream_named_by_its_first_position(app: App) -> None:
    shown = Impressed(slot="home", products=("tea",), member="ada", session=None, propensities=(), strategy=None, at=START)
    viewed, clicked = (
        Viewed(product="tea", member="ada", session=None, at=START),
        Clicked(product="milk", member=None, session="s", at=START),
    )
    app.handler.handle_all([Request("1", (TEA, shown)), Request("2", (PayOrder("o", START),)), Request("3", (viewed, clicked))])
    assert streams(app) == ["product-tea", "behaviour-1", "behaviour-1", "behaviour-1"]
    assert app.log.read("behaviour-1") == ([shown, viewed, clicked], 3)
    assert ask(app, "4", viewed) == ""
    assert app.log.read("behaviour-5") == ([viewed], 1)


def test_what_two_systems_tell_of_behaviour_never_meets(settings: Settings) -> None:
    with running(settings) as one, running(settings) as two:
        for n, app in enumerate([one, two] * 3):
            assert ask(app, f"{n}", Viewed(product="tea", member=None, session="s", at=START)) == ""
        assert streams(one) == [f"behaviour-{position}" for position in range(1, 7)]


def test_an_older_log_without_contents_is_opened_and_completed(settings: Settings) -> None:
    with running(settings) as app:
        first = app.handler.handle(Request("old", (TEA,)))
    with closing(sqlite3.connect(settings.log)) as log:
        log.execute("ALTER TABLE outcomes DROP COLUMN content")
        assert "content" not in [name for _, name, *_ in log.execute("PRAGMA table_info(outcomes)")]
    for n in range(2):
        with running(settings) as app:
            assert app.handler.handle(Request("old", (TEA,))) == replace(first, content=None, repeated=True)
            assert app.handler.handle(Request("old", (TEA,), content=b"tea")).code == "id_taken"
            new = app.handler.handle(
                Request("new", (Viewed(product="tea", member=None, session="s", at=START),), content=b"new")
            )
            assert (new.content, new.repeated, new.position) == (b"new", n == 1, 2)


def test_a_session_says_whose_it_is_and_moves_on(app: App) -> None:
    assert ask(app, "1", JoinSession("s", "ada", START)) == ask(app, "2", JoinSession("s", "ada", START)) == ""
    assert ask(app, "3", Searched(query="tea", member="eve", session="s", shown=(), at=START)) == ""
    kept = ["session-s"]
    assert streams(app) == ["session-s", "sessions-ada", *kept, "behaviour-4", "session-s", "sessions-eve", *kept]
