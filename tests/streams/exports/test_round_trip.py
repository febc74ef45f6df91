"""What is exported and imported again makes the same read models: of files, and of what programs asked for."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings

from streams.commands.request import Request
from streams.exports.shop_log.exporting import Export
from streams.running.app import App
from tests.examples import many
from tests.redis_content import digests_of
from tests.shop import requests
from tests.streams.exports.histories import histories, shop_files
from tests.streams.imports.lines import Line, another, import_file, import_lines

UNHURRIED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
slowly = settings(max_examples=many(25), deadline=None, suppress_health_check=UNHURRIED)


def exported(app: App, personal: bool = True) -> bytes:
    export = Export(app.log, app.terms, personal)
    data = b"".join(raw + b"\n" for raw in export)
    assert export.omitted == 0
    return data


def assert_comes_back(valkey_url: str, fill: Callable[[App], object]) -> None:
    with another(valkey_url, 1) as first, another(valkey_url, 2) as second:
        fill(first)
        result = import_file(second, exported(first))
        assert (result.rejects, result.counts.duplicates) == ([], 0)
        assert digests_of(second) == digests_of(first)
        assert second.log.head() == first.log.head()


def asked(app: App, history: list[Request]) -> None:
    app.handler.handle_all(history)
    app.follower().catch_up()


@slowly
@given(shop_files())
def test_any_file_survives_a_round_trip(valkey_url: str, lines: list[Line | bytes]) -> None:
    assert_comes_back(valkey_url, lambda app: import_lines(app, *lines))


@slowly
@given(histories())
def test_any_requests_survive_a_round_trip(valkey_url: str, history: list[Request]) -> None:
    assert_comes_back(valkey_url, lambda app: asked(app, history))


def test_a_shops_year_comes_back(valkey_url: str) -> None:
    assert_comes_back(valkey_url, lambda app: asked(app, list(requests(shoppings=120))))
