"""A connection to PostgreSQL that is lost in the middle: each request has one outcome, and nothing wrong is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg
import pytest

from aggregates.cart import AddToCart, OpenCart
from aggregates.decider import Look
from aggregates.member import EraseMember, MemberRegistered, RegisterMember
from aggregates.value import replace
from infra.errors import Unreachable
from infra.postgres import connection as faults
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running
from tests.postgres_proxy import Proxy
from tests.shop import START

OPEN = Request("open", (OpenCart("c", START, "ada"),))
ADD = Request("add", (AddToCart("c", "tea", START),))


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    proxy = Proxy(database)
    yield proxy
    proxy.close()


@pytest.fixture
def settings(settings: Settings, proxy: Proxy) -> Settings:
    return replace(settings, database_url=proxy.url)


def end_every_connection(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_request_whose_connections_are_killed_while_it_is_decided_has_one_outcome(app: App, database: str) -> None:
    decided = []

    def plan(look: Look) -> Iterable[object]:
        yield RegisterMember("ada", START, "Ada")
        decided.append(app.log.head())
        if len(decided) == 1:
            end_every_connection(database)
        yield OpenCart("c", START, "ada")

    outcome = app.handler.handle(Request("planned", plan))
    assert (outcome.accepted, outcome.events, outcome.position) == (True, 2, 2)
    assert decided == [0, 0], "it was decided again, over the same log"
    again = app.handler.handle(Request("planned", plan))
    assert (again.repeated, again.position) == (True, 2)
    assert app.log.read("member-ada")[0] == [
        MemberRegistered(member="ada", name="Ada", email=None, birthday=None, profile={}, at=START)
    ], "its key was kept"


def test_an_append_whose_answer_was_lost_has_happened_once(app: App, proxy: Proxy) -> None:
    app.handler.handle(OPEN)
    proxy.lose_the_answer_to(b"COMMIT")
    outcome = app.handler.handle(ADD)
    assert proxy.cuts == 1
    assert (outcome.accepted, outcome.events, outcome.position) == (True, 1, 2)
    assert app.handler.handle(replace(ADD, id="more")).position == 3, "decided over what was committed"
    assert app.log.read("cart-c")[1] == app.log.head() == 3


def test_the_key_of_a_member_is_destroyed_though_the_answer_to_their_erasure_was_lost(app: App, proxy: Proxy) -> None:
    app.handler.handle(Request("ada", (RegisterMember("ada", START, "Ada"),)))
    proxy.lose_the_answer_to(b"COMMIT")
    assert app.handler.handle(Request("erase", (EraseMember("ada", START),))).accepted
    assert proxy.cuts == 1
    assert app.log.read("member-ada")[0][0] == MemberRegistered(
        member="ada", name=None, email=None, birthday=None, profile={}, at=START
    )
    assert app.handler.handle(OPEN).code == "member_erased"


def test_a_log_that_does_not_come_back_is_said_to_be_unreachable_and_may_be_asked_later(
    app: App, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "PAUSES", (0.01, 0.01))
    app.handler.handle(OPEN)
    proxy.cut()
    for ask in (lambda: app.handler.handle(ADD), app.log.head):
        with pytest.raises(Unreachable, match="PostgreSQL does not answer at postgresql://regulars@127"):
            ask()
    proxy.open = True
    monkeypatch.undo()
    assert app.handler.handle(ADD).position == 2
    assert app.log.head() == 2


def test_a_follower_goes_on_though_its_connections_are_killed(app: App, database: str) -> None:
    events = app.log.subscribe(0)
    seen = []
    app.handler.handle(OPEN)
    for chunk in events:
        seen += [recorded.position for recorded in chunk]
        if seen[-1] >= 5:
            break
        end_every_connection(database)
        app.handler.handle(Request(f"add {seen[-1]}", (AddToCart("c", "tea", START),)))
    assert seen == [1, 2, 3, 4, 5]


def test_two_systems_keep_what_they_remember_apart_from_what_was_lost(settings: Settings, database: str, proxy: Proxy) -> None:
    with running(settings) as one, running(replace(settings, database_url=database)) as two:
        one.handler.handle(OPEN)
        for n in range(6):
            if n % 2:
                proxy.cut()
                proxy.open = True
            for app in (one, two):
                assert app.handler.handle(Request(f"{n} {app is one}", (AddToCart("c", "tea", START),))).accepted
        assert one.log.read("cart-c")[1] == two.log.read("cart-c")[1] == 13
