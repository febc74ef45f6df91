"""A process that is killed at any step from reserving to paying leaves limits, budgets, stock and gift cards right."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any, Literal, TypeAlias, get_args

import pytest

from aggregates.gift_card import HoldGiftCard, IssueGiftCard, gift_card
from aggregates.order.decider import CancelOrder, order
from aggregates.order.events import OrderLine
from aggregates.order.exchange import ExchangeItems
from aggregates.order.fulfilment import LineUnits
from aggregates.order.payment import AwaitPayment, TenderOrder
from aggregates.order.stock import HELD
from aggregates.product import ListProduct
from infra.event_log.append import Append
from infra.settings import Settings
from streams.commands.checkout import place, states_in
from streams.commands.limit_rows import rebuild
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.running.app import App, running
from tests.databases import in_both_databases
from tests.shop import START
from tests.streams.commands.test_checkout import cart, launched

pytestmark = in_both_databases

Step: TypeAlias = Literal[
    "before", "placing", "placed", "holding", "held", "waiting", "part", "tendering", "tendered", "paying"
]
STEPS: tuple[Step, ...] = (*get_args(Step),)
LATER = START + HELD
BY_GIFT = TenderOrder("o-0", "t-1", "gift_card", 250, START, "g")
BY_CARD = TenderOrder("o-0", "t-2", "card", 2000, START)


def shop(settings: Settings, step: Step | None) -> None:
    """Check out and pay, and kill this process at a step; those that end in ``ing`` are within the append, rows taken."""
    with running(settings) as app:
        at("before", step)
        during("placing", step)
        place(app.log, app.keys, app.handler, cart(0))
        at("placed", step)
        during("holding", step)
        done(app, "hold", HoldGiftCard("g", "o-0", 250, LATER, START))
        at("held", step)
        during("waiting", step)
        done(app, "wait", AwaitPayment("o-0", "p", START + 2 * HELD, START))
        during("tendering", step)
        done(app, "gift", BY_GIFT)
        at("part", step)
        at("tendered", step)
        during("paying", step)
        done(app, "card", BY_CARD)


def at(here: Step, step: Step | None) -> None:
    if here == step:
        os.kill(os.getpid(), signal.SIGKILL)


def during(here: Step, step: Step | None) -> None:
    if here == step:
        setattr(Append, "flush", lambda _: os.kill(os.getpid(), signal.SIGKILL))  # noqa: B010 - a method cannot be assigned


def done(app: App, name: str, *commands: Any) -> None:
    outcome = app.handler.handle(Request(name, commands))
    assert outcome.accepted, outcome


def left(app: App) -> dict[str, int | None]:
    rows = {name: app.log.left(name, LATER) for name in ("campaign:TEN", "budget:TEN:ever", "stock:tea", "stock:cup")}
    if rows["budget:TEN:ever"] is None:
        rows["budget:TEN:ever"] = 1000  # nothing was ever taken of it
    return rows | {"card": states_in(app.log)(gift_card, "g").available(LATER)}


ALL: dict[str, int | None] = {"campaign:TEN": 3, "budget:TEN:ever": 1000, "stock:tea": 9, "stock:cup": 9, "card": 1000}
PAID: dict[str, int | None] = {"campaign:TEN": 2, "budget:TEN:ever": 750, "stock:tea": 7, "stock:cup": 8, "card": 750}


@pytest.mark.parametrize("step", [*STEPS, None])
def test_whatever_the_step_after_a_tick_every_count_is_right(settings: Settings, step: Step | None) -> None:
    with running(settings) as app:
        launched(app, "TEN", limits={"total": 3}, budget={"amount": 1000})
        listed = [ListProduct(name, START, stock=9) for name in ("tea", "cup")]
        done(app, "opening", IssueGiftCard("g", 1000, START), *listed)
    process = multiprocessing.get_context("spawn").Process(target=shop, args=(settings, step))
    process.start()
    process.join(60)
    assert process.exitcode == (0 if step is None else -signal.SIGKILL)
    with running(settings) as app:
        tick(app.log, app.handler, LATER + 2 * HELD)
        assert rebuild(app.log, app.keys) == []
        state = states_in(app.log)(order, "o-0")
        if step is None:
            assert (state.status, left(app)) == ("paid", PAID)
            return
        charged = step in ("part", "tendered", "paying")
        assert left(app) == ALL | ({"card": 750} if charged else {})
        if state.placed is not None:
            done(app, "given up", CancelOrder("o-0", LATER))
        assert left(app) == ALL


def test_a_payment_that_comes_after_the_kill_finds_everything(settings: Settings) -> None:
    with running(settings) as app:
        launched(app, "TEN", limits={"total": 1})
        done(app, "opening", IssueGiftCard("g", 1000, START), ListProduct("tea", START, stock=2))
    process = multiprocessing.get_context("spawn").Process(target=shop, args=(settings, "paying"))
    process.start()
    process.join(60)
    with running(settings) as app:
        tick(app.log, app.handler, LATER + 2 * HELD)
        done(app, "card", BY_CARD)
        assert states_in(app.log)(order, "o-0").status == "paid"
        assert (app.log.left("campaign:TEN", LATER), app.log.left("stock:tea", LATER)) == (0, 0)


EXCHANGE = ExchangeItems("o-0", "x", "n", (LineUnits(1, 1),), (OrderLine("cup", 1, 300, 300, 300),), START)


def exchange(settings: Settings, killed: bool) -> None:
    with running(settings) as app:
        during("paying", "paying" if killed else None)
        app.handler.handle(Request("exchange", (EXCHANGE,)))
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("killed", [True, False], ids=["in the append", "right after it"])
def test_a_killed_exchange_has_happened_whole_or_not_at_all_and_happens_once(settings: Settings, killed: bool) -> None:
    with running(settings) as app:
        launched(app, "TEN", limits={"total": 3}, budget={"amount": 1000})
        listed = [ListProduct(name, START, stock=9) for name in ("tea", "cup")]
        done(app, "opening", IssueGiftCard("g", 1000, START), *listed)
    shop(settings, None)
    process = multiprocessing.get_context("spawn").Process(target=exchange, args=(settings, killed))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with running(settings) as app:
        look = states_in(app.log)
        assert (look(order, "o-0").exchanges, look(order, "n").status) == (({}, "unknown") if killed else ({"x": "n"}, "paid"))
        assert app.handler.handle(Request("exchange", (EXCHANGE,))).accepted
        look = states_in(app.log)
        assert (look(order, "o-0").exchanges, look(order, "n").status) == ({"x": "n"}, "paid")
        assert rebuild(app.log, app.keys) == []
        assert left(app) == PAID | {"stock:cup": 7}
