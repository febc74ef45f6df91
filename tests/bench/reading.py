"""Rebuilding, following and dispatching, over the bare reads and writes beneath them."""

from __future__ import annotations

import sqlite3

import orjson

from aggregates.cart import AddToCart, OpenCart
from aggregates.cart import cart as cart_decider
from infra.event_log.statements import READ_STREAM
from infra.settings import CHUNK
from streams.commands.request import Request
from streams.running.app import App
from tests.bench.comparing import Compared, compare

READ_BARE = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events WHERE rowid > ? LIMIT ?"


def rebuild_a_cart(app: App) -> Compared:
    commands = (OpenCart("bench", 0, "bench"), *(AddToCart("bench", f"product-{n}", n) for n in range(99)))
    app.handler.handle(Request("bench/cart", commands))
    bare = sqlite3.connect(app.settings.log, isolation_level=None)
    times = 50

    def select(_: int) -> None:
        for _ in range(times):
            for _, _, state in bare.execute(READ_STREAM, ("cart-bench", 0)).fetchall():
                orjson.loads(state)

    def rebuild(_: int) -> None:
        for _ in range(times):
            events, _ = app.log.read("cart-bench")
            cart_decider.rebuild(events)  # type: ignore[arg-type]

    return compare("rebuild a cart of 100 events", "SELECT, orjson.loads", "event", "≤ 1.5", select, rebuild, times * 100)


def follow_the_log(app: App) -> Compared:
    bare = sqlite3.connect(app.settings.log, isolation_level=None)
    chunks = 20

    def select(_: int) -> None:
        for chunk in range(chunks):
            for row in bare.execute(READ_BARE, (chunk * CHUNK, CHUNK)).fetchall():
                orjson.loads(row[4])

    def follow(_: int) -> None:
        for chunk in range(chunks):
            app.log.recorded(chunk * CHUNK, CHUNK)

    return compare("follow the log", f"SELECT {CHUNK} rows, orjson.loads", "event", "≤ 1.5", select, follow, chunks * CHUNK)


def dispatch_to_redis(app: App) -> Compared:
    """The read models of the last 20 chunks, into versions of their own; the floor reads and decodes alone."""
    chunks = 20
    first = max(0, app.log.head() - chunks * CHUNK)

    def read(_: int) -> None:
        for chunk in range(chunks):
            app.log.recorded(first + chunk * CHUNK, CHUNK)

    def dispatch(turn: int) -> None:
        follower = app.under(f"bench{turn}").follower(models=False)
        for chunk in range(chunks):
            follower.dispatch.dispatch(app.log.recorded(first + chunk * CHUNK, CHUNK))

    return compare(
        "dispatch to the read models in Redis", "read and decode alone", "event", "-", read, dispatch, chunks * CHUNK, 5
    )
