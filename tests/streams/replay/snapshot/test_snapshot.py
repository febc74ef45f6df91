"""Snapshots: they add up to the books and to Redis, have the same bytes each time, and say in a sentence what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from hypothesis import given

from aggregates.behaviour import Searched
from aggregates.decider import Recorded
from aggregates.member import EraseMember, RegisterMember
from aggregates.membership.decider import membership
from aggregates.membership.events import Event
from aggregates.membership.ledger.books import movements
from aggregates.membership.ledger.state import LedgerEvent
from aggregates.programme import Policies
from aggregates.review import ReviewProduct
from infra import parquet, spilling
from infra.errors import Misconfigured
from infra.event_log.log import EventLog
from infra.spilling import SpillFile
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.commands.scheduler import latest
from streams.docs import snapshots as page
from streams.queries.audit import audit
from streams.queries.personal_snapshots import personal_snapshots_of
from streams.queries.views import keys_of
from streams.replay.past.places import place_of
from streams.replay.snapshot import files as snapshots
from streams.replay.snapshot import tally_rows
from streams.replay.snapshot.files import SnapshotRequest, check, check_chain, write_snapshot
from streams.replay.snapshot.ledger_rows import LotRows, ledger_rows
from streams.replay.snapshot.tables import TABLES
from streams.running.app import App
from tests.aggregates.membership.histories import lives
from tests.shop import HOUR, MEMBERS, PRODUCTS, START, requests
from tests.streams.replay.conftest import query_in, tables_of

LEDGER: tuple[type, ...] = LedgerEvent.__args__
FIGURES = ("orders", "gross", "total", "paid")


def run(*words: object) -> Result:
    return CliRunner().invoke(regulars, [str(word) for word in words])


def rolled_by_kind(app: App) -> Counter[str]:
    """Return what the books of the audit say was moved, by kind."""
    moved: Counter[str] = Counter()
    for counter in audit(app.log, Policies(), latest(app.log)).rolled.values():
        moved.update(counter)
    return moved


def ledger_by_kind(folder: Path) -> dict[str, int]:
    return {kind: int(points) for kind, points in query_in("SELECT kind, sum(points) FROM points_ledger GROUP BY kind", folder)}


def recorded_by_kind(app: App) -> Counter[str]:
    """Return what the recorded events moved, by kind."""
    moved: Counter[str] = Counter()
    for chunk in snapshots.chunks(app.log, app.log.head()):
        for recorded in chunk:
            if isinstance(recorded.event, LEDGER):
                for movement in movements(recorded.event):  # type: ignore[arg-type]
                    moved[movement.kind] += movement.points
    return moved


def nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {kind: points for kind, points in counts.items() if points}


def daily(app: App) -> dict[tuple[str, str], int]:
    """Return the daily sales of Redis by day and figure."""
    found = {}
    client: Any = app.views.client
    for key in client.scan_iter(match="v1:sales:*", count=1000):
        name = key.decode().removeprefix("v1:sales:")
        if ":" not in name:
            told = {figure.decode(): int(value) for figure, value in client.hgetall(key).items()}
            found.update({(name, figure): value for figure, value in told.items() if value})
    return found


def check_money(app: App, folder: Path) -> None:
    """Assert that sums of the tables are those of Redis, to the cent."""
    redis = daily(app)
    told = query_in("SELECT day::VARCHAR, counter, value FROM daily_sales WHERE split = 'all'", folder)
    assert {(day, counter): value for day, counter, value in told} == redis
    sums = query_in("SELECT count(*), sum(gross), sum(total), sum(paid) FROM orders WHERE paid_at IS NOT NULL", folder)[0]
    for figure, found in zip(FIGURES, sums, strict=True):
        expected = sum(value for (_, name), value in redis.items() if name == figure)
        assert int(found * (1 if figure == "orders" else 100)) == expected > 0, figure


def test_the_ledger_of_a_small_shop_adds_up_to_the_books_and_its_money_to_redis(shop: App, whole: Path) -> None:
    assert nonzero(ledger_by_kind(whole)) == nonzero(recorded_by_kind(shop)) == nonzero(rolled_by_kind(shop))
    left = query_in("SELECT sum(left_points) FROM lots", whole)[0][0]
    assert left == sum(points for kind, points in ledger_by_kind(whole).items() if kind != "owed") > 0
    check_money(shop, whole)


def test_the_same_position_has_the_same_bytes_however_the_log_is_read(
    shop: App, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "CHUNK", 7)
    write_snapshot(shop, tmp_path / "again", SnapshotRequest(shop.log.head()))
    assert (tmp_path / "again/manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()
    for name in check(whole)["files"]:
        assert (tmp_path / "again" / name).read_bytes() == (whole / name).read_bytes()


def test_rows_that_had_no_room_in_memory_make_the_same_bytes(
    shop: App, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilling, "MOST", 3)
    monkeypatch.setattr(tally_rows, "MOST", 5)
    monkeypatch.setattr(parquet, "BATCH", 2)
    write_snapshot(shop, tmp_path / "again", SnapshotRequest(shop.log.head()))
    assert check(tmp_path / "again") == check(whole)


def test_each_snapshot_of_a_chain_reads_only_what_is_new_and_all_are_the_whole(
    shop: App, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, folders = shop.log.head(), [tmp_path / f"{number}" for number in range(6)]
    read: list[int] = []

    def chunks(log: EventLog, until: int, after: int) -> Iterator[list[Recorded]]:
        read.append(after)
        yield log.recorded(after, until - after)

    monkeypatch.setattr(snapshots, "chunks", chunks)
    for number, folder in enumerate(folders):
        write_snapshot(shop, folder, SnapshotRequest(head * (number + 1) // 6, folders[number - 1] if number else None))
    assert read == [head * number // 6 for number in range(6)]
    assert check_chain(folders)["instant"] == check(whole)["instant"]
    for name, table in TABLES.items():
        rows = f"SELECT * FROM {name} ORDER BY {', '.join(table.key)}"
        assert query_in(rows, *folders) == query_in(rows, whole), name


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_base_and_what_came_since_are_the_whole(shop: App, whole: Path, tmp_path: Path, share: float) -> None:
    base, since = tmp_path / "base", tmp_path / "since"
    write_snapshot(shop, base, SnapshotRequest(int(shop.log.head() * share)))
    write_snapshot(shop, since, SnapshotRequest(shop.log.head(), base))
    assert check_chain([base, since])["position"] == shop.log.head()
    with tables_of(base, since) as parts, tables_of(whole) as together:
        for name, table in TABLES.items():
            rows = f"SELECT * FROM {name} ORDER BY {', '.join(table.key)}"
            assert parts.execute(rows).fetchall() == together.execute(rows).fetchall(), name
    some = sum(file["rows"] for name, file in check(since)["files"].items() if "order_lines" in name)
    assert some < query_in("SELECT count(*) FROM order_lines", whole)[0][0]


def test_folders_out_of_order_are_refused(shop: App, whole: Path, tmp_path: Path) -> None:
    write_snapshot(shop, tmp_path / "base", SnapshotRequest(20))
    write_snapshot(shop, tmp_path / "since", SnapshotRequest(shop.log.head(), tmp_path / "base"))
    for wrong in ([tmp_path / "since"], [whole, tmp_path / "since"], [tmp_path / "base", whole]):
        with pytest.raises(Misconfigured, match="in order"):
            check_chain(wrong)


def test_a_snapshot_has_no_personal_values(whole: Path) -> None:
    columns = {(name, column.name) for name, table in TABLES.items() for column in table.columns if column.personal}
    assert ("members", "email") in columns
    for name, column in columns:
        assert query_in(f'SELECT count("{column}") FROM {name}', whole) == [(0,)]
    assert not any(b"example.org" in file.read_bytes() for file in whole.rglob("*") if file.is_file())


def test_the_database_beside_the_files_opens_where_it_stands(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(whole)
    with duckdb.connect("regulars.duckdb", read_only=True) as database:
        assert database.execute("SELECT count(*) FROM members").fetchone() == (len(MEMBERS),)


def test_an_instant_is_the_position_before_the_first_event_dated_later(shop: App) -> None:
    at = START + 300 * HOUR
    place = place_of(shop.log, at)
    events: list[Recorded] = shop.log.recorded(0, shop.log.head())
    dates: list[int] = [recorded.event.at for recorded in events]  # type: ignore[attr-defined]
    assert all(date <= at for date in dates[: place.position])
    assert dates[place.position] > at
    assert place.late == sum(date <= at for date in dates[place.position :])
    assert place_of(shop.log, dates[-1] + 10**9).position == len(dates)


def test_the_shop_has_lists_of_which_something_came(whole: Path) -> None:
    clicked, carted, bought = query_in("SELECT count(clicked_at), count(carted_at), count(bought_at) FROM shown", whole)[0]
    by_join = query_in(
        "SELECT count(*) FROM shown WHERE EXISTS (FROM behaviour AS b WHERE b.kind = 'Clicked' AND b.product = shown.product "
        "AND (b.member = shown.member OR b.session = shown.session) "
        "AND b.happened_at BETWEEN shown_at AND shown_at + INTERVAL 30 MINUTE AND b.position > shown.position)",
        whole,
    )[0][0]
    assert clicked == by_join > 0
    assert carted + bought > 0


def test_model_quality_is_what_a_learner_of_the_log_measures(app: App, tmp_path: Path) -> None:
    app.handler.handle_all(list(requests(60)))
    app.follower().catch_up()
    write_snapshot(app, tmp_path / "q", SnapshotRequest(app.log.head(), model_quality=True))
    told = query_in("SELECT day::VARCHAR, scope, list, metric, tests, value FROM model_quality", tmp_path / "q")
    live = app.views.hashes(sorted(keys_of(app.views, "quality")))
    sums = {key.partition(":")[2]: {name: float(value) for name, value in stored.items()} for key, stored in live.items()}
    assert len(told) == sum(field.count(":") == 2 for fields in sums.values() for field in fields) > 0
    for day, scope, name, metric, tests, value in told:
        assert sums[day][f"{scope}:{name}:{metric}"] == value
        assert sums[day][f"{scope}:{'acts' if scope == 'visits' else 'baskets'}"] == tests


# On the command line


def fault(*words: object) -> str:
    """Return the sentence with which a command that must fail ends."""
    result = run(*words)
    assert isinstance(result.exception, Misconfigured), result.output
    return str(result.exception)


def test_the_command_writes_a_snapshot_as_of_a_position_or_an_instant(home: App, tmp_path: Path) -> None:
    assert json.loads(run("snapshot", tmp_path / "a", "--at", "#100", "--json").stdout)["position"] == 100
    result = run("snapshot", tmp_path / "b", "--at", "2017-01-10")
    assert result.exit_code == 0, result.output
    assert "were recorded later" in result.stderr
    assert run("snapshot", tmp_path / "c", "--at", "999999999").exit_code == 1
    assert run("snapshot", tmp_path / "c", "--at", "yesterday").exit_code == 2


def test_a_folder_that_exists_is_refused_before_anything_is_recorded(home: App, whole: Path) -> None:
    assert "exists" in fault("snapshot", whole)
    assert "exists" in fault("snapshot", whole, "--personal", "--reason", "letter")
    assert personal_snapshots_of(home.log) == []


def test_personal_values_are_written_only_with_a_reason_that_the_log_has_first(home: App, tmp_path: Path) -> None:
    head = home.log.head()
    assert run("snapshot", tmp_path / "p", "--personal").exit_code == 2
    assert run("snapshot", tmp_path / "p", "--reason", "letter").exit_code == 2
    assert "reason" in fault("snapshot", tmp_path / "p", "--personal", "--reason", " ")
    assert home.log.head() == head
    assert list(tmp_path.glob("p*")) == []
    result = run("snapshot", tmp_path / "p", "--personal", "--reason", "yearly letter", "--json")
    assert result.exit_code == 0, result.output
    (taken,) = personal_snapshots_of(home.log)
    assert (taken.snapshot, taken.position, taken.reason) == ("p", head, "yearly letter")
    assert taken.actor.startswith("console")
    told = json.loads(result.stdout)
    assert told["personal"] is True
    assert told["position"] == head
    assert home.log.head() == head + 1


def test_a_personal_snapshot_has_the_values_of_those_who_are_not_erased(home: App, tmp_path: Path) -> None:
    ada, eve = "ada", "eve"
    acts = (
        registration(ada),
        registration(eve),
        ReviewProduct(PRODUCTS[0], START + 900 * HOUR, 9, member=ada, text="Lovely."),
        Searched(query="green tea", member=ada, session=None, shown=(), at=START + 900 * HOUR),
        Searched(query="black tea", member=eve, session=None, shown=(), at=START + 900 * HOUR),
        EraseMember(eve, START + 901 * HOUR),
    )
    for number, act in enumerate(acts):
        assert home.handler.handle(Request(f"act {number}", (act,))).accepted, act
    assert run("snapshot", tmp_path / "p", "--personal", "--reason", "letter").exit_code == 0
    folder = tmp_path / "p"
    named = "SELECT name, email, birthday, profile FROM members WHERE member = '{}'"
    assert query_in(named.format(ada), folder) == [(f"N {ada}", f"{ada}@example.org", "1990-01-01", '{"age": "25-34"}')]
    assert query_in(named.format(eve), folder) == [(None, None, None, None)]
    assert query_in("SELECT text FROM reviews WHERE text IS NOT NULL", folder) == [("Lovely.",)]
    assert ("green tea",) in query_in("SELECT query FROM behaviour WHERE kind = 'Searched'", folder)
    assert not any(b"black tea" in file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert "other columns" in fault("snapshot", tmp_path / "n", "--since", folder)


def test_a_pseudonym_is_the_same_in_each_snapshot_and_leads_back_to_no_value(home: App, tmp_path: Path) -> None:
    for number, act in enumerate((registration("ada"), registration("eve"))):
        assert home.handler.handle(Request(f"act {number}", (act,))).accepted
    head = home.log.head()
    assert run("snapshot", tmp_path / "p", "--pseudonyms").exit_code == 0
    named = "SELECT member, name, email, birthday, profile FROM members WHERE member IN ('ada', 'eve') ORDER BY 1"
    ada, eve = query_in(named, tmp_path / "p")
    assert all(len(value) == 32 for value in ada[1:])
    assert (ada[1] != eve[1], ada[2] != eve[2], ada[3] == eve[3]) == (True, True, True)
    assert len(set(ada[1:])) == 4
    assert not any(b"example.org" in file.read_bytes() for file in (tmp_path / "p").rglob("*") if file.is_file())
    assert home.log.head() == head, "no personal value is taken, so nothing is recorded"
    assert home.handler.handle(Request("erase", (EraseMember("eve", START + 901 * HOUR),))).accepted
    assert run("snapshot", tmp_path / "q", "--pseudonyms").exit_code == 0
    assert query_in(named, tmp_path / "q") == [ada, ("eve", None, None, None, None)]
    assert "other columns" in fault("snapshot", tmp_path / "n", "--since", tmp_path / "p")
    assert run("snapshot", tmp_path / "r", "--pseudonyms", "--since", tmp_path / "p").exit_code == 0
    assert query_in(named, tmp_path / "p", tmp_path / "r") == [ada, ("eve", None, None, None, None)]
    assert run("snapshot", tmp_path / "n", "--pseudonyms", "--personal", "--reason", "x").exit_code == 2


def test_values_that_tell_nothing_have_no_pseudonym(whole: Path, shop: App, tmp_path: Path) -> None:
    write_snapshot(shop, tmp_path / "p", SnapshotRequest(shop.log.head(), pseudonyms=True))
    assert query_in("SELECT count(name), count(birthday) FROM members WHERE status = 'erased'", tmp_path / "p") == [(0, 0)]
    told = query_in("SELECT count(name), count(email), count(birthday) FROM members", tmp_path / "p")
    assert told == [(len(MEMBERS) - 1, len(MEMBERS) - 1, 0)]


def test_lost_keys_make_no_pseudonyms(shop: App, tmp_path: Path) -> None:
    shop.keys.problem = "The keys of this log are lost."
    with pytest.raises(Misconfigured, match="lost"):
        write_snapshot(shop, tmp_path / "p", SnapshotRequest(shop.log.head(), pseudonyms=True))
    assert list(tmp_path.glob("p*")) == []


def registration(member: str) -> RegisterMember:
    return RegisterMember(member, START + 899 * HOUR, f"N {member}", f"{member}@example.org", "1990-01-01", {"age": "25-34"})


def test_an_erasure_lists_the_snapshots_with_personal_values(home: App, tmp_path: Path) -> None:
    first = run("erase", MEMBERS[0], "--yes")
    assert first.exit_code == 0, first.output
    assert first.stdout == ""
    assert run("snapshot", tmp_path / "letters", "--personal", "--reason", "yearly letter").exit_code == 0
    assert run("snapshot", tmp_path / "plain").exit_code == 0
    result = run("erase", MEMBERS[1], "--yes")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    assert line.startswith("letters, position ")
    assert line.endswith(": yearly letter")
    assert "Delete" in result.stderr


@given(lives)
def test_the_rows_of_each_event_of_any_life_are_its_movements_and_the_lots_what_is_left(events: list[Event]) -> None:
    lots = LotRows(SpillFile(Path(gettempdir())))
    for position, event in enumerate(events, 1):
        told: Counter[str] = Counter()
        for row in ledger_rows(event, lots, position):
            told[row.kind] += row.points
        expected: Counter[str] = Counter()
        if isinstance(event, LEDGER):
            for movement in movements(event):  # type: ignore[arg-type]
                expected[movement.kind] += movement.points
        assert nonzero(told) == nonzero(expected), event
    points = membership.rebuild(events).points
    found = {name: points.lots[name] for name in points.lots}
    assert {row.lot: row.left for row in lots.rows()} == {name: lot.remaining + lot.held for name, lot in found.items()}


def test_the_page_of_tables_is_up_to_date() -> None:
    root = Path(__file__).parents[4]
    assert (root / "docs/snapshots.md").read_text() == page.page(), "make docs"
