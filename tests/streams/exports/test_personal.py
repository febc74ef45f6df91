"""What is sealed leaves the log only where it is asked for; everything else comes back without it."""

from __future__ import annotations

import orjson
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from aggregates.behaviour import Searched
from aggregates.campaign import LaunchCampaign, Offer
from aggregates.member import EraseMember, RegisterMember
from infra.settings import Settings
from streams.commands.request import Request
from streams.exports.shop_log.exporting import Export
from streams.running.app import App, running
from tests.examples import many
from tests.redis_content import digests_of
from tests.streams.exports.histories import MARK, histories, shop_files
from tests.streams.exports.test_round_trip import asked, exported
from tests.streams.imports.lines import START, Line, another, document, entry, events, import_file, import_lines, order

UNHURRIED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
slowly = examples(max_examples=many(15), deadline=None, suppress_health_check=UNHURRIED)


def assert_tells_nothing_personal(first: App, valkey_url: str) -> None:
    data = exported(first, personal=False)
    assert MARK.encode() not in data
    with another(valkey_url, 2) as second:
        result = import_file(second, data)
        assert (result.rejects, result.counts.duplicates) == ([], 0)
        before, after = digests_of(first), digests_of(second)
        searched = ["learner"] if events(first, Searched) else []  # a visit holds what was searched for
        for fold in ("card", "activity", *searched):
            assert before.pop(fold)["entries"] == after.pop(fold)["entries"]
        assert after == before


@slowly
@given(shop_files())
def test_an_export_of_a_file_without_personal_has_all_but_personal_values(valkey_url: str, lines: list[Line | bytes]) -> None:
    with another(valkey_url) as app:
        import_lines(app, *lines)
        assert_tells_nothing_personal(app, valkey_url)


@slowly
@given(histories())
def test_an_export_of_requests_without_personal_has_all_but_personal_values(valkey_url: str, history: list[Request]) -> None:
    with another(valkey_url) as app:
        asked(app, history)
        assert_tells_nothing_personal(app, valkey_url)


def test_an_export_with_personal_has_personal_values(app: App) -> None:
    import_lines(
        app,
        entry("member", 0, member_id="ada", name=f"1 {MARK}", email=f"2@{MARK}", tags=[f"3 {MARK}"], city=f"4 {MARK}"),
        entry("search", 1, member_id="ada", query=f"5 {MARK}"),
        entry("review", 2, session_id="s", product_id="tea", rating=5, text=f"6 {MARK}"),
    )
    data = exported(app)
    assert [f"{n} {MARK}".encode() in data.replace(b"2@", b"2 ") for n in range(1, 7)] == [True] * 6


def test_a_review_whose_text_alone_was_edited_still_counts_twice(app: App, valkey_url: str) -> None:
    edits = [entry("review", n, member_id="ada", product_id="tea", rating=5, text=f"{n} {MARK}") for n in range(3)]
    import_lines(app, *edits)
    assert_tells_nothing_personal(app, valkey_url)


def test_an_erased_member_stays_erased_and_what_they_did_stays_counted(settings: Settings, valkey_url: str) -> None:
    with running(settings) as app:
        live_and_be_forgotten(app)
    with running(settings) as app, another(valkey_url, 2) as second:
        data = exported(app)
        assert MARK.encode() not in data
        import_file(second, data)
        assert document(second, "card:ada")["status"] == "erased"
        assert digests_of(second) == digests_of(app)


def live_and_be_forgotten(app: App) -> None:
    app.handler.handle(Request("1", (RegisterMember("ada", START, f"Ada {MARK}"),)))
    import_lines(
        app,
        entry("search", 1, member_id="ada", query=f"tea {MARK}"),
        entry("view", 2, member_id="ada", session_id="s", product_id="tea"),
        order("o", 3, member_id="ada", status="paid"),
        entry("review", 4, member_id="ada", product_id="tea", rating=5, text=f"a {MARK}"),
        entry("review", 5, member_id="ada", product_id="tea", rating=5, text=f"b {MARK}"),
        entry("view", 6, member_id="bob", product_id="tea"),
    )
    app.handler.handle(Request("2", (EraseMember("ada", START),)))
    import_lines(app, entry("order_status", 7, order_id="o", status="delivered"))


def test_an_event_that_no_line_can_say_is_counted(app: App) -> None:
    many = tuple(f"product {n:09}" for n in range(60_000))
    app.handler.handle(Request("1", (LaunchCampaign("spring", START, offers=(Offer("A", many),)),)))
    app.handler.handle(Request("2", (RegisterMember("ada", START),)))
    export = Export(app.log, app.terms)
    lines = [orjson.loads(raw) for raw in export]
    assert [line["type"] for line in lines] == ["regulars", "member"]
    assert (export.lines, export.omitted) == (1, 1)
