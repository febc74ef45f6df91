"""Every report on a few rows whose figures were computed by hand, with ties and months that are not over."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from click.testing import CliRunner, Result

from aggregates.calendar import local_day
from infra.errors import Misconfigured
from infra.parquet import TableWriter
from streams.cli.main import regulars
from streams.replay.reports.report import Snapshot, page, read_report, reports
from streams.replay.snapshot.files import MANIFEST
from streams.replay.snapshot.rows import EPOCH
from streams.replay.snapshot.tables import SCHEMA, TABLES
from streams.running.app import App

DAY = 86_400_000
TODAY = "2017-04-15"
Given: TypeAlias = Callable[..., Snapshot]


def on(day: str) -> int:
    return date.fromisoformat(day).toordinal() - EPOCH


def at(day: str, hour: int = 12) -> int:
    return on(day) * DAY + hour * 3_600_000


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Writes a snapshot of these rows, its instant noon of :data:`TODAY`, and opens it. Other columns are empty."""

    def write(**tables: list[dict[str, Any]]) -> Snapshot:
        folder = tmp_path / "given"
        files = []
        for name, table in TABLES.items():
            writer = TableWriter(folder, table, 2, personal=False)
            for number, row in enumerate(tables.get(name, ()), 1):
                told = {"position": number, **row}
                writer.add([told.get(column.name) for column in table.columns], "2017-01")
            files += writer.close()
        manifest = {
            "log": "hand", "position": 99, "instant": at(TODAY), "zone": "UTC", "currency": "USD", "schema": SCHEMA,
            "personal": False, "base": None, "files": {file.path: {"rows": file.rows, "sha256": file.sha256} for file in files},
        }  # fmt: skip
        (folder / MANIFEST).write_text(json.dumps(manifest))
        return Snapshot([folder])

    return write


def found(snapshot: Snapshot, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of a report's rows; money as text."""
    records = snapshot.run(reports()[name]).records()
    return [tuple(str(r[c]) if type(r[c]).__name__ == "Decimal" else r[c] for c in columns) for r in records]


def bought(member: str | None, day: str, paid: int = 1000, refunded: int = 0, **more: Any) -> dict[str, Any]:
    order = f"{member}-{day}-{paid}"
    dates = {"placed_at": at(day), "placed_on": on(day), "paid_at": at(day)}
    return {
        "order_id": order, "member": member, "gross": paid, "total": paid, "paid": paid, "refunded": refunded, **dates, **more
    }  # fmt: skip


def test_orders_by_month_leave_out_what_was_cancelled_or_not_paid(given: Given) -> None:
    orders = [
        bought("a", "2017-03-01", 1000, refunded=250),
        bought("a", "2017-03-31", 501),
        bought(None, "2017-04-02", 700),
        bought("b", "2017-03-05", 9000, cancelled_at=at("2017-03-06")),
        bought("b", "2017-03-07", 9000, paid_at=None),
    ]
    rows = found(given(orders=orders), "orders", "month", "whole", "orders", "members", "paid", "refunded")
    assert rows == [("2017-03", True, 2, 1, "15.01", "2.50"), ("2017-04", False, 1, 0, "7.00", "0.00")]


def test_products_are_sorted_by_what_was_paid_and_show_what_was_given_back(given: Given) -> None:
    order = bought("a", "2017-03-01")
    of = {"order_id": order["order_id"], "placed_on": on("2017-03-01")}
    lines = [
        {**of, "line": 1, "product": "p", "quantity": 2, "total": 300, "paid": 300},
        {**of, "line": 2, "product": "q", "quantity": 1, "total": 700, "paid": 500},
        {**of, "line": 3, "product": "p", "quantity": 1, "total": 150, "paid": 150},
    ]
    back = [{"order_id": order["order_id"], "refund": "r", "line": 1, "product": "p", "units": 1, "given_back": 120}]
    snapshot = given(orders=[order], order_lines=lines, refunds=back, products=[{"product": "p", "name": "Pea"}])
    rows = found(snapshot, "products", "product", "name", "orders", "quantity", "paid", "given_back")
    assert rows == [("q", None, 1, 1, "5.00", "0.00"), ("p", "Pea", 1, 3, "4.50", "1.20")]


def test_promotions_count_members_once_and_apart_those_who_used_one_unsent(given: Given) -> None:
    def coupon(campaign: str, member: str, **more: Any) -> dict[str, Any]:
        return {"campaign": campaign, "member": member, **more}

    used = at("2017-03-02")
    coupons = [
        *(coupon("c", member, sent_at=at("2017-03-01")) for member in "abcd"),
        coupon("c", "a", use="1", used_at=used, amount=100),
        coupon("c", "a", use="2", used_at=used, amount=50),
        coupon("c", "z", use="3", used_at=used, amount=25),
        coupon("d", "z", use="4", used_at=used),
    ]
    rows = found(given(coupons=coupons), "promotions", "campaign", "sent", "used", "unused", "used_of_sent", "uses", "amount")
    assert rows == [("c", 4, 1, 3, 0.25, 3, "1.75"), ("d", 0, 0, 0, None, 1, None)]


def test_members_that_tie_have_the_same_rfm_scores(given: Given) -> None:
    """Six members, so the ranks 0 to 5 become floor(5 x rank / 5); c and d tie in all three."""
    orders = [
        bought("a", "2017-04-15", 6000),
        bought("a", "2017-01-15", 100),
        bought("b", "2017-04-10", 1000, refunded=900),
        bought("c", "2017-04-01", 500),
        bought("d", "2017-04-01", 500),
        bought("e", "2017-03-01", 800),
        bought("f", "2017-01-01", 900),
        bought("g", "2016-04-14", 900),
    ]
    columns = ("member", "days", "orders", "money", "recency", "frequency", "monetary")
    assert sorted(found(given(orders=orders), "rfm", *columns)) == [
        ("a", 0, 2, "61.00", 5, 5, 5),
        ("b", 5, 1, "1.00", 5, 1, 1),
        ("c", 14, 1, "5.00", 3, 1, 2),
        ("d", 14, 1, "5.00", 3, 1, 2),
        ("e", 45, 1, "8.00", 2, 1, 4),
        ("f", 104, 1, "9.00", 1, 1, 5),
    ]


def test_a_cohorts_months_that_are_not_over_are_empty_and_those_without_a_purchase_are_zero(given: Given) -> None:
    orders = [
        *(bought(member, "2017-01-10") for member in "abcd"),
        bought("a", "2017-01-20"),
        bought("a", "2017-03-01"),
        bought("b", "2017-03-31"),
        bought("e", "2017-03-05"),
        bought("e", "2017-04-05"),
        bought("f", "2017-04-01"),
    ]
    rows = found(given(orders=orders), "cohorts", "cohort", "size", "age", "buyers", "share")
    assert rows == [
        ("2017-01", 4, 0, 4, 1.0), ("2017-01", 4, 1, 0, 0.0), ("2017-01", 4, 2, 2, 0.5),
        ("2017-03", 1, 0, 1, 1.0), ("2017-03", 1, 1, None, None), ("2017-03", 1, 2, None, None),
    ]  # fmt: skip


def test_the_repeat_rate_within_days_counts_only_those_observed_as_long(given: Given) -> None:
    orders = [
        bought("a", "2017-03-16"), bought("a", "2017-04-15"),
        bought("b", "2017-03-17"), bought("b", "2017-03-18"),
        bought("c", "2017-02-01"), bought("c", "2017-03-04"),
        bought("d", "2017-01-01"),
        bought("e", "2017-01-01"), bought("e", "2017-01-01", 2000),
    ]  # fmt: skip
    assert found(given(orders=orders), "repeat-rate", "span", "buyers", "repeated", "rate") == [
        ("30 days", 4, 2, 0.5), ("60 days", 3, 2, 2 / 3), ("90 days", 2, 1, 0.5),
        ("180 days", 0, 0, None), ("365 days", 0, 0, None), ("ever", 5, 4, 0.8),
    ]  # fmt: skip


def test_the_liability_leaves_out_lots_that_are_over_and_splits_pending_from_spendable(given: Given) -> None:
    def lot(name: str, left: int, active: int | None, expires: int | None) -> dict[str, Any]:
        until = on(local_day(expires - 1, "UTC")) if expires is not None else None
        ends = {"active_from": active, "expires_at": expires, "lasts_until": until}
        return {"member": "m", "lot": name, "wallet": "points", "granted": 99, "left_points": left, **ends}

    lots = [
        lot("1", 10, at("2017-01-01"), at("2017-06-01", 0)), lot("2", 5, at("2017-01-01"), at("2017-05-31")),
        lot("3", 7, at("2017-01-01"), None), lot("4", 8, None, None), lot("5", 100, at("2016-01-01"), at(TODAY)),
        lot("6", 0, at("2017-01-01"), None), lot("7", 3, at("2017-05-01"), at("2017-07-01")),
    ]  # fmt: skip
    assert found(given(lots=lots), "liability", "wallet", "state", "month", "points", "lots") == [
        ("points", "spendable", "2017-05", 15, 2), ("points", "spendable", "none", 7, 1),
        ("points", "pending", "2017-07", 3, 1), ("points", "pending", "none", 8, 1),
    ]  # fmt: skip


def test_points_by_month_have_a_redemption_only_where_the_month_is_over(given: Given) -> None:
    def moved(day: str, kind: str, points: int) -> dict[str, Any]:
        return {"seq": 0, "member": "m", "wallet": "points", "kind": kind, "points": points, "booked_on": on(day)}

    rows = [moved("2017-03-01", "granted", 200), moved("2017-03-02", "redeemed", -50), moved("2017-03-03", "returned", 10)]
    rows += [moved("2017-04-01", "granted", 100), moved("2017-04-02", "redeemed", -90), moved("2017-04-02", "owed", 7)]
    assert found(given(points_ledger=rows), "points", "month", "granted", "redeemed", "other", "redemption") == [
        ("2017-03", 200, -50, 10, 0.25), ("2017-04", 100, -90, 0, None),
    ]  # fmt: skip


def test_breakage_counts_lots_whose_time_is_over_with_lapses_not_recorded_yet(given: Given) -> None:
    def lot(name: str, granted: int, left: int, until: str | None) -> dict[str, Any]:
        ends = {"expires_at": at(until, 0), "lasts_until": on(until) - 1} if until else {}
        return {"member": "a", "lot": name, "wallet": "points", "granted": granted, "left_points": left, **ends}

    lots = [
        lot("used", 100, 0, "2017-03-01"),
        lot("lapsed", 100, 0, "2017-03-02"),
        lot("unrecorded", 50, 20, "2017-04-01"),
        lot("still good", 70, 70, "2017-05-01"),
        lot("for ever", 30, 30, None),
    ]
    moved = [
        {"member": "a", "lot": "lapsed", "wallet": "points", "kind": "expired", "points": -60, "seq": 0},
        {"member": "a", "lot": "lapsed", "wallet": "points", "kind": "redeemed", "points": -40, "seq": 0},
    ]
    rows = found(given(lots=lots, points_ledger=moved), "breakage", "month", "lots", "granted", "lapsed", "breakage")
    assert rows == [("2017-02", 1, 100, 0, 0.0), ("2017-03", 2, 150, 80, 80 / 150)]


def test_the_value_of_a_cohort_sums_up_over_all_its_members_and_months_that_are_over(given: Given) -> None:
    orders = [
        bought("a", "2017-01-05", 1000, refunded=100),
        bought("a", "2017-03-05", 500),
        bought("b", "2017-01-20", 300),
        bought("c", "2017-02-01", 700),
        bought("c", "2017-04-02", 9000),
        bought("d", "2017-04-03", 9000),
        bought("a", "2017-02-03", 8000, cancelled_at=at("2017-02-04")),
    ]
    rows = found(given(orders=orders), "clv", "cohort", "size", "age", "net", "each")
    assert rows == [
        ("2017-01", 2, 0, "12.00", 6.0),
        ("2017-01", 2, 1, "12.00", 6.0),
        ("2017-01", 2, 2, "17.00", 8.5),
        ("2017-02", 1, 0, "7.00", 7.0),
        ("2017-02", 1, 1, "7.00", 7.0),
    ]


def test_a_list_shown_counts_clicks_within_half_an_hour_and_purchases_within_a_week(given: Given) -> None:
    def list_of(day: str, product: str, rank: int, who: dict[str, str]) -> dict[str, Any]:
        dates = {"shown_at": at(day), "shown_on": on(day)}
        return {"rank": rank, "slot": "home", "product": product, "strategy": "regulars", **who, **dates}

    def click(day: str, product: str, minutes: int, who: dict[str, str]) -> dict[str, Any]:
        return {"kind": "Clicked", "product": product, "happened_at": at(day) + minutes * 60_000, "happened_on": on(day), **who}

    a, guest = {"member": "a"}, {"session": "s"}
    lists = [
        list_of("2017-03-01", "p", 1, a),
        list_of("2017-03-01", "q", 2, a),
        list_of("2017-03-01", "p", 1, guest),
        list_of("2017-04-14", "p", 1, a),
    ]
    acts = [
        click("2017-03-01", "p", 30, a),
        click("2017-03-01", "q", 31, a),
        click("2017-03-01", "p", 1, {"session": "other"}),
    ]
    order = bought("a", "2017-03-08")
    line = {"order_id": order["order_id"], "line": 1, "product": "q", "quantity": 1, "placed_on": on("2017-03-08")}
    snapshot = given(shown=lists, behaviour=acts, orders=[order], order_lines=[line])
    rows = found(snapshot, "shown", "month", "shown", "clicks", "purchases", "clicked", "bought")
    assert rows == [("2017-03", 3, 1, 1, 1 / 3, 1 / 3), ("2017-04", 1, 0, 0, 0.0, None)]


def test_the_funnel_counts_steps_in_order(given: Given) -> None:
    def view(session: str, hour: int) -> dict[str, Any]:
        return {"kind": "Viewed", "session": session, "happened_at": at("2017-03-01", hour), "happened_on": on("2017-03-01")}

    def cart(session: str, opened: int, status: str, ended: int | None = None) -> dict[str, Any]:
        end = None if ended is None else at("2017-03-01", ended)
        return {"cart": session, "session": session, "opened_at": at("2017-03-01", opened), "ended_at": end, "status": status}

    snapshot = given(
        behaviour=[view(session, 10) for session in ("a", "b", "c", "d", "e")] + [view("a", 9)],
        carts=[
            cart("a", 10, "checked out", 11), cart("b", 11, "checked out", 12), cart("c", 11, "abandoned", 13),
            cart("d", 8, "checked out", 9), cart("x", 8, "open"),
        ],
        orders=[
            bought(None, "2017-03-01", 100, cart="a", paid_at=at("2017-03-01", 12)),
            bought(None, "2017-03-01", 200, cart="b", paid_at=None),
            bought(None, "2017-03-01", 300, cart="d", paid_at=at("2017-03-01", 12)),
        ],
    )  # fmt: skip
    assert found(snapshot, "funnel", "month", "viewed", "carted", "checked_out", "paid") == [("2017-03", 5, 3, 2, 1)]


def test_browsing_is_counted_by_kind_and_a_search_leads_on_within_thirty_minutes(given: Given) -> None:
    def act(kind: str, day: str, minute: int, **who: str) -> dict[str, Any]:
        return {"kind": kind, "happened_at": at(day) + minute * 60_000, "happened_on": on(day), **who}

    acts = [
        act("Searched", "2017-03-01", 0, member="a"), act("Viewed", "2017-03-01", 30, member="a", product="p"),
        act("Searched", "2017-03-01", 40, member="a"), act("Viewed", "2017-03-01", 71, member="a", product="p"),
        act("Searched", "2017-03-01", 50, session="a"), act("Clicked", "2017-03-01", 50, session="a", product="q"),
        act("Searched", "2017-04-01", 0, session="b"),
    ]  # fmt: skip
    snapshot = given(behaviour=acts)
    assert found(snapshot, "searches", "month", "searches", "visitors", "led_on") == [
        ("2017-03", 3, 2, 2),
        ("2017-04", 1, 1, 0),
    ]
    assert found(snapshot, "browsing", "month", "kind", "acts", "members", "sessions", "products") == [
        ("2017-03", "Clicked", 1, 0, 1, 1), ("2017-03", "Searched", 3, 1, 1, 0), ("2017-03", "Viewed", 2, 1, 0, 1),
        ("2017-04", "Searched", 1, 0, 1, 0),
    ]  # fmt: skip


def test_members_count_once_in_their_tier_and_moves_by_cause(given: Given) -> None:
    cards = [{"member": m, "wallet": w, "tier": t} for m, w, t in (("a", "x", "gold"), ("a", "y", "gold"), ("b", "x", "basic"))]
    cards += [{"member": "c", "wallet": "x", "tier": "basic"}, {"member": "d", "wallet": "x", "tier": "gold"}]
    moves = [
        {"member": m, "tier": "gold", "before": "basic", "cause": "raised", "from_at": at("2017-03-01")}
        for m in ("a", "d", "a")
    ]
    snapshot = given(cards=cards, tier_history=moves)
    assert found(snapshot, "tiers", "tier", "members", "share") == [("basic", 2, 0.5), ("gold", 2, 0.5)]
    assert found(snapshot, "tier-moves", "month", "before", "tier", "cause", "moves", "members") == [
        ("2017-03", "basic", "gold", "raised", 3, 2)
    ]


def test_every_report_runs_on_nothing_and_can_be_drawn(given: Given) -> None:
    snapshot = given()
    for report in reports().values():
        result = snapshot.run(report)
        assert not any(value for record in result.records() for name, value in record.items() if name != "span"), report.name
        assert "<h1>" in page(result)


def test_a_file_that_is_not_as_written_stops_a_report(given: Given, tmp_path: Path) -> None:
    given()
    (tmp_path / "given/cards.parquet").write_bytes(b"PAR1")
    with pytest.raises(Misconfigured, match=r"cards\.parquet is not as written"):
        Snapshot([tmp_path / "given"])


def test_a_query_that_fails_and_a_chart_of_no_column_are_said(given: Given, tmp_path: Path) -> None:
    snapshot = given()
    mine = tmp_path / "mine.sql"
    mine.write_text("-- Mine\nSELECT nothing FROM orders")
    with pytest.raises(Misconfigured, match="mine fails"):
        snapshot.run(read_report(mine))
    mine.write_text("-- Mine\n-- chart: line day sales\nSELECT 1 AS day")
    with pytest.raises(Misconfigured, match="cannot draw"):
        page(snapshot.run(read_report(mine)))
    mine.write_text("SELECT 1")
    with pytest.raises(Misconfigured, match="no title"):
        read_report(mine)


# On the command line


@pytest.fixture
def home(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(shop.settings.home))
    monkeypatch.setenv("REDIS_URL", str(shop.settings.redis_url))


def run(*words: object) -> Result:
    return CliRunner().invoke(regulars, [str(word) for word in words])


def test_a_report_is_a_table_json_csv_or_a_page(home: None, whole: Path, tmp_path: Path) -> None:
    told = json.loads(run("report", "orders", "--snapshot", whole, "--json").stdout)
    assert len(told["rows"]) == 3
    rows = list(csv.DictReader(io.StringIO(run("report", "orders", "--snapshot", whole, "--csv").stdout)))
    assert [row["paid"] for row in rows] == [row["paid"] for row in told["rows"]]
    shown = run("report", "orders", "--html", tmp_path / "orders.html")
    assert shown.exit_code == 0, shown.output
    assert "2017-01" in shown.stdout
    assert "<svg" in (tmp_path / "orders.html").read_text()
    assert all(name in run("report", "--list").stdout for name in reports())


def test_all_reports_make_a_site(home: None, whole: Path, tmp_path: Path) -> None:
    result = run("report", "--all", "--out", tmp_path / "site", "--snapshot", whole)
    assert result.exit_code == 0, result.output
    pages = {file.stem: file.read_text() for file in (tmp_path / "site").iterdir()}
    assert set(pages) == {"index", *reports()}
    assert not any("<script" in text or "style=" in text for text in pages.values())
    assert run("report", "--all", "--out", tmp_path / "site", "--snapshot", whole).exit_code == 1


def test_a_report_that_does_not_exist_and_words_that_make_no_sense_are_refused(home: None) -> None:
    assert run("report", "nothing").exit_code == 1
    for words in ([], ["--all"], ["orders", "--all", "--out", "x"], ["orders", "--out", "x"]):
        assert run("report", *words).exit_code == 2


def test_a_terminal_shows_the_first_rows_of_a_long_report_and_csv_has_all(home: None, whole: Path, tmp_path: Path) -> None:
    (tmp_path / "many.sql").write_text("-- Many\nSELECT range AS n FROM range(501) ORDER BY n\n")
    shown = run("report", tmp_path / "many.sql", "--snapshot", whole)
    assert "The first 500 of 501 rows; --csv and --json have all." in shown.stderr
    assert ("499" in shown.stdout, "500" in shown.stdout) == (True, False)
    assert len(run("report", tmp_path / "many.sql", "--snapshot", whole, "--csv").stdout.splitlines()) == 502
