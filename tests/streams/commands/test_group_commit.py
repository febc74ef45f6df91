"""Many at once: whoever asks at the same time shares an append, and nobody pays for another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aggregates.campaign import LaunchCampaign
from aggregates.cart import AddToCart, OpenCart
from aggregates.coupon import RedeemCoupon, SendCoupon
from aggregates.decider import Look
from aggregates.member import EraseMember, MemberRegistered, RegisterMember
from aggregates.product import ListProduct
from aggregates.value import replace
from infra.event_log.types import Outcome
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, open_log, running
from tests.databases import in_both_databases
from tests.shop import START

pytestmark = in_both_databases

THREADS = 16
ROOT = Path(__file__).parents[3]


def at_once(ask: Callable[[Request], Outcome], requests: Iterable[Request]) -> list[Outcome]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(ask, requests))


def adding(times: int) -> list[Request]:
    return [Request(f"add {n}", (AddToCart("c", "tea", START),)) for n in range(times)]


def test_sixteen_threads_land_every_request_once(app: App) -> None:
    app.handler.handle(Request("open", (OpenCart("c", START, "ada"),)))
    outcomes = at_once(app.handler.handle, adding(400))
    assert sorted(outcome.position for outcome in outcomes) == list(range(2, 402))
    assert app.log.read("cart-c")[1] == app.log.head() == 401


@pytest.fixture
def _restless_threads() -> Iterator[None]:
    """Threads that change places wherever they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("_restless_threads")
def test_whole_batches_and_single_requests_may_be_asked_at_once(app: App) -> None:
    def ask(request: Request) -> Outcome:
        return app.handler.handle(request) if request.id.endswith("0") else app.handler.handle_all([request])[0]

    app.handler.handle(Request("open", (OpenCart("c", START, "ada"),)))
    assert all(outcome.accepted for outcome in at_once(ask, adding(4000)))
    assert app.log.read("cart-c")[1] == 4001


def test_of_many_who_ask_the_same_at_once_one_is_answered_first(app: App) -> None:
    outcomes = at_once(app.handler.handle, [Request("same", (ListProduct("tea", START),))] * 100)
    assert {(outcome.accepted, outcome.events, outcome.position) for outcome in outcomes} == {(True, 1, 1)}
    assert sum(not outcome.repeated for outcome in outcomes) == 1


def launch(app: App, limit: int, members: int) -> None:
    sent = [SendCoupon("c", f"m-{n}", START) for n in range(members)]
    assert app.handler.handle(Request("launch", (LaunchCampaign("c", START, limit=limit), *sent))).accepted


def redeem(member: int, *uses: str) -> Request:
    return Request(f"{member} {uses}", tuple(RedeemCoupon("c", f"m-{member}", "k", use, START) for use in uses))


@pytest.mark.parametrize("limit", [0, 1, 25, 99, 100])
def test_a_campaigns_limit_is_reached_and_never_exceeded(app: App, limit: int) -> None:
    launch(app, limit, members=100)
    outcomes = at_once(app.handler.handle, [redeem(n, "u") for n in range(100)])
    assert Counter(outcome.code for outcome in outcomes) == Counter({"": limit, "campaign_exhausted": 100 - limit})


def test_a_use_that_the_till_took_counts_beyond_the_limit_and_lets_nobody_else_in(app: App) -> None:
    launch(app, limit=1, members=4)
    taken = RedeemCoupon("c", "m-1", "k", "u", START, recorded=True)
    assert app.handler.handle(redeem(0, "u")).accepted
    assert app.handler.handle(Request("taken", (taken,))).accepted
    assert app.handler.handle(redeem(2, "u")).code == "campaign_exhausted"
    more = LaunchCampaign("more", START, limit=2)
    sent = [SendCoupon("more", f"m-{n}", START) for n in range(3)]
    assert app.handler.handle(Request("more", (more, *sent, replace(taken, campaign="more")))).accepted
    uses = [Request(f"more {n}", (RedeemCoupon("more", f"m-{n}", "k", "u", START),)) for n in (0, 2)]
    assert [app.handler.handle(use).code for use in uses] == ["", "campaign_exhausted"], "the recorded one counts"


def test_a_refused_request_gives_back_the_uses_it_had_taken(app: App) -> None:
    launch(app, limit=2, members=3)
    assert app.handler.handle(redeem(0, "u")).accepted
    assert app.handler.handle(redeem(1, "u", "v")).code == "campaign_exhausted"
    assert app.handler.handle(redeem(2, "u")).accepted
    assert app.handler.handle(redeem(1, "u")).code == "campaign_exhausted"
    assert app.handler.handle(redeem(0, "u")).accepted, "asked twice"


def failing(look: Look) -> Iterator[object]:
    """A plan that breaks in the middle."""
    yield ListProduct("bad", START)
    raise KeyError("a fault")


STORED_IN_PART = (RegisterMember("bad", START, email="bad@example.org"), ListProduct("bad", START), ListProduct("worse", START))


@pytest.mark.parametrize("commands", [failing, STORED_IN_PART], ids=["while it is decided", "while it is stored"])
def test_a_fault_in_one_request_touches_no_other_and_leaves_nothing(
    app: App, commands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = app.log.codec.encode

    def encode_but_for_one(event: object) -> tuple[str, bytes]:
        if getattr(event, "product", None) == "worse":
            raise KeyError("a fault")
        return encode(event)

    monkeypatch.setattr(app.log.codec, "encode", encode_but_for_one)
    good = [Request(f"good {n}", (ListProduct(f"p-{n}", START),)) for n in range(2)]
    with pytest.raises(KeyError):
        app.handler.handle_all([good[0], Request("bad", commands), good[1]])
    assert [outcome.position for request in good if (outcome := app.log.outcome(request.id))] == [1, 2]
    assert [(row.position, row.stream) for row in app.log.since(0, 9)] == [(1, "product-p-0"), (2, "product-p-1")]
    assert app.log.outcome("bad") is None, "it may be asked again"
    assert app.handler.handle(Request("eve", (RegisterMember("eve", START, email="bad@example.org"),))).accepted
    assert app.handler.handle(Request("late", (ListProduct("bad", START),))).position == 4


def test_a_fault_reaches_the_thread_that_asked_for_it(app: App) -> None:
    def ask(n: int) -> bool:
        try:
            return app.handler.handle(Request(f"{n}", failing if n % 5 == 0 else (ListProduct(f"p-{n}", START),))).accepted
        except KeyError:
            return False

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(ask, range(100))) == [n % 5 != 0 for n in range(100)]


KILLED = """
import os, signal, sys
from pathlib import Path
from aggregates.member import EraseMember
from infra.keys.ring import KeyRing
from infra.settings import Settings
from streams.running.app import running
from aggregates.decider import Look
from streams.commands.request import Request

KeyRing.destroy = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with running(Settings(Path(sys.argv[1]), sys.argv[2], database_url=sys.argv[3] or None)) as app:
    app.handler.handle(Request("erase", (EraseMember("ada", 1),)))
"""


def test_an_erasure_is_completed_though_its_process_was_killed_before_the_key_was_destroyed(settings: Settings) -> None:
    with running(settings) as app:
        app.handler.handle(Request("1", (RegisterMember("ada", START, "Ada"),)))
    command = [sys.executable, "-c", KILLED, str(settings.home), settings.redis_url or "", settings.database_url or ""]
    killed = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    with running(settings) as app:
        app.handler.handle(Request("erase", (EraseMember("ada", 1),)))
        app.follower().catch_up()
        assert app.log.head() == 2
        assert app.log.read("member-ada")[0][0] == MemberRegistered(
            member="ada", name=None, email=None, birthday=None, profile={}, at=START
        )
    with open_log(settings) as (_, keys):
        assert keys.open("ada", "", "") is None
