"""``regulars import shop-log``: what it prints and writes, whose shop a file belongs to, and files that cannot be read."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.streams.conftest import Command
from tests.streams.imports.lines import entry, file_of, item, order

VIEW = entry("view", 1, product_id="tea", member_id="ada")
OUTCOME = ["lines", "accepted", "duplicates", "rejected", "late", "unpriced", "by_type", "by_reason"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.jsonl"
    path.write_bytes(file_of([VIEW, b'{"type":\xff}', entry("refund", 2, order_id="o"), {**VIEW, "colour": "red"}]))
    return path


def test_json_prints_the_outcome_and_nothing_else(command: Command, file: Path) -> None:
    said = command("import", "shop-log", file, "--json")
    assert list(said.json) == OUTCOME
    assert said.json == {
        "lines": 4,
        "accepted": 2,
        "duplicates": 0,
        "rejected": 2,
        "late": 0,
        "unpriced": 0,
        "by_type": {"view": 2},
        "by_reason": {"utf8_invalid": 1, "order_unknown": 1},
    }
    assert "ignored 1 times: the field 'view.colour'" in said.err


def test_the_summary_names_each_rejected_line_with_its_reason(command: Command, file: Path) -> None:
    said = command("import", "shop-log", file)
    assert (said.status, said.out) == (3, b"")
    assert "4 lines: 2 accepted, 0 known before, 2 rejected" in said.err
    assert "line 2: utf8_invalid: Byte 9 of the line is not UTF-8" in said.err
    assert "line 3: order_unknown: No order has this id" in said.err
    assert "ignored 1 times: the field 'view.colour'" in said.err


def test_a_repeated_import_ends_with_the_same_status(command: Command, file: Path) -> None:
    assert [command("import", "shop-log", file, "--json").status for _ in range(2)] == [3, 3]


def test_only_the_first_rejected_lines_are_shown_and_all_are_written(command: Command, file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"bad\n" * 100)
    said = command("import", "shop-log", file)
    assert "line 20: " in said.err
    assert "line 21: " not in said.err
    assert "and 80 more" in said.err
    assert len((tmp_path / "home/rejects/shop.jsonl.jsonl").read_text().splitlines()) == 100


def test_rejected_lines_are_written_unchanged(command: Command, file: Path, tmp_path: Path) -> None:
    odd = '{"type": "views", "at": "\u2028\u0085 ä"}'
    file.write_bytes(file_of([VIEW, b'{"type":\xff}', odd.encode()]))
    command("import", "shop-log", file, "--rejects", tmp_path / "new" / "bad.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "new" / "bad.jsonl").read_text().splitlines()]
    assert [(line["line"], line["raw"]) for line in lines] == [(2, '{"type":\\xff}'), (3, odd)]
    assert all(line["reason"].endswith(".") for line in lines)


def test_a_rejects_file_is_replaced_only_when_there_are_rejects(command: Command, file: Path, tmp_path: Path) -> None:
    bad, both = tmp_path / "bad.jsonl", file.read_bytes()
    command("import", "shop-log", file, "--rejects", bad)
    before = bad.read_bytes()
    file.write_bytes(file_of([VIEW]))
    assert command("import", "shop-log", file, "--rejects", bad).status == 0
    assert bad.read_bytes() == before
    file.write_bytes(b"{\n" + both)
    assert command("import", "shop-log", file, "--rejects", bad).status == 3
    assert [json.loads(line)["line"] for line in bad.read_bytes().splitlines()] == [1, 3, 4]


def test_an_import_without_rejects_makes_neither_file_nor_folder(command: Command, file: Path, tmp_path: Path) -> None:
    file.write_bytes(file_of([VIEW]))
    assert command("import", "shop-log", file).status == 0
    assert command("import", "shop-log", file, "--rejects", tmp_path / "new" / "bad.jsonl").status == 0
    assert not (tmp_path / "home" / "rejects").exists()
    assert not (tmp_path / "new").exists()


def test_rejects_never_overwrite_a_file_of_the_home_or_of_another_program(command: Command, file: Path, tmp_path: Path) -> None:
    assert command("import", "shop-log", file).status == 3
    notes = tmp_path / "notes.txt"
    notes.write_text("mine\n")
    (tmp_path / "link").symlink_to(tmp_path / "home" / "events.db")
    log = (tmp_path / "home" / "events.db").read_bytes()
    home = tmp_path / "home"
    for taken in (home / "events.db", tmp_path / "link", home / "keys.db", notes, home / "new"):
        said = command("import", "shop-log", file, "--rejects", taken)
        assert said.status == 2, taken
        assert "name another" in said.err
    assert notes.read_text() == "mine\n"
    assert (tmp_path / "home" / "events.db").read_bytes()[: len(log)] == log
    assert not (tmp_path / "home" / "new").exists()


def test_rejected_lines_are_for_their_owner_alone(command: Command, file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.touch(mode=0o644)
    assert command("import", "shop-log", file, "--rejects", bad).status == command("import", "shop-log", file).status == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in (bad, tmp_path / "home/rejects/shop.jsonl.jsonl")} == {0o600}


def test_a_rejects_file_is_bounded_and_the_rest_is_counted(
    command: Command, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.rejects_file.MOST_BYTES", 1000)
    file.write_bytes(b"{\n" * 100)
    said = command("import", "shop-log", file, "--rejects", bad := tmp_path / "bad.jsonl", "--json")
    kept = bad.read_bytes()
    assert 800 < len(kept) <= 1000
    assert said.json["rejected"] == 100
    assert f"no room for the last {100 - len(kept.splitlines())} of them" in said.err


def test_rejects_never_overwrite_the_file_that_is_read(command: Command, file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    (tmp_path / "link").symlink_to(file)
    for same in (file, tmp_path / "link"):
        said = command("import", "shop-log", file, "--rejects", same)
        assert (said.status, file.read_bytes()) == (2, before)
        assert "is the file to read" in said.err


@pytest.mark.parametrize("rejects", ["shop.jsonl/bad", "/proc/none/bad", "/dev/full"])
def test_unwritable_rejects_are_reported_in_a_sentence(
    command: Command, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rejects: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = command("import", "shop-log", file, "--rejects", rejects)
    assert said.status == 2
    assert "cannot be written to" in said.err


def test_a_link_as_rejects_file_stays_a_link(command: Command, file: Path, tmp_path: Path) -> None:
    link, bad = tmp_path / "link", tmp_path / "bad.jsonl"
    link.symlink_to(bad)
    for _ in range(2):
        assert command("import", "shop-log", file, "--rejects", link).status == 3
        assert (link.is_symlink(), len(bad.read_text().splitlines())) == (True, 2)


def test_rejects_may_go_to_the_null_device(command: Command, file: Path) -> None:
    assert command("import", "shop-log", file, "--rejects", os.devnull).status == 3
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_rejects_may_go_to_a_pipe(command: Command, file: Path, tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    assert command("import", "shop-log", file, "--rejects", pipe).status == 3
    reader.join()
    assert [json.loads(line)["line"] for line in read[0].splitlines()] == [2, 3]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["missing.jsonl", ".", "/proc/self/mem", ""])
def test_an_unreadable_file_creates_nothing(command: Command, tmp_path: Path, name: str) -> None:
    said = command("import", "shop-log", tmp_path / name if name else "", "--json")
    assert (said.status, said.out) == (2, b"")
    assert "cannot be read" in said.err
    assert not (tmp_path / "home").exists()


def test_a_missing_file_or_closed_input_is_reported(command: Command) -> None:
    assert command("import", "shop-log").status == 2
    assert "no standard input" in command("import", "shop-log", "-", stdin=None).err


def test_an_empty_file_warns_and_succeeds(command: Command) -> None:
    said = command("import", "shop-log", os.devnull, "--json")
    assert (said.status, said.json["lines"]) == (0, 0)
    assert "holds no line" in said.err


@pytest.mark.parametrize(
    "options", [("--timezone", "Mars/Base"), ("--timezone", ""), ("--currency", "eur"), ("--currency", "EURO")]
)
def test_an_unknown_zone_or_currency_is_refused(command: Command, file: Path, tmp_path: Path, options: tuple[str, str]) -> None:
    assert command("import", "shop-log", file, *options).status == 2
    assert not (tmp_path / "home").exists()


def test_the_first_import_chooses_the_currency_and_no_later_one_changes_it(command: Command, file: Path) -> None:
    file.write_bytes(file_of([order("o", 0, item("tea", total="1.234"))]))
    assert command("import", "shop-log", file, "--currency", "USD").status == 2, "too precise"
    assert command("import", "shop-log", file, "--currency", "KWD").status == 0, "nothing was in the log"
    said = command("import", "shop-log", file, "--currency", "USD")
    assert (said.status, "kept in KWD, not in USD" in said.err) == (2, True)
    assert command("import", "shop-log", file, "--json").json["duplicates"] == 1


def test_times_without_an_offset_use_the_given_zone(command: Command, file: Path) -> None:
    times = ("2024-03-31T02:30:00", "2024-10-27T02:30:00", "2024-05-01", "2024-05-01T12:00:00Z")
    file.write_bytes(file_of([{**VIEW, "at": at} for at in times]))
    assert command("import", "shop-log", file).status == 3
    said = command("import", "shop-log", file, "--timezone", "Europe/Berlin", "--json").json
    assert (said["accepted"], said["duplicates"]) == (3, 1)
    same = ("2024-03-31T03:30:00+02:00", "2024-10-27T02:30:00+02:00", "2024-05-01T00:00:00+02:00")
    file.write_bytes(file_of([{**VIEW, "at": at} for at in same]))
    assert command("import", "shop-log", file, "--json").json["duplicates"] == 3


def test_a_header_makes_an_empty_log_that_shops_and_changes_no_other(command: Command, file: Path) -> None:
    def naming(**shop: str) -> bytes:
        return json.dumps({"type": "regulars", "command": "Shop", "values": shop}).encode()

    file.write_bytes(file_of([naming(zone="Europe/Paris", currency="EUR"), VIEW]))
    assert command("import", "shop-log", file, "--json").json["lines"] == 1
    assert b"Europe/Paris, EUR" in command("doctor").out
    file.write_bytes(file_of([naming(zone="UTC", currency="USD"), VIEW]))
    assert command("import", "shop-log", file).status == 2
    file.write_bytes(file_of([naming(zone="Mars/Base", currency="EUR"), VIEW]))
    assert command("import", "shop-log", file).status == 2
    file.write_bytes(file_of([naming(zone="UTC"), VIEW]))
    assert command("import", "shop-log", file).status == 3, "that is no shop, and no line either"


def test_an_erasure_reaches_the_rejected_lines_of_the_home(command: Command, file: Path, tmp_path: Path) -> None:
    vic = entry("member", 0, member_id="vic", name="Victoria", birthday="never")
    search = entry("search", 1, session_id="s", query="Victoria")
    joined = entry("view", 2, session_id="s", member_id="vic", product_id="tea")
    ada = entry("member", 3, member_id="ada", birthday="never")
    file.write_bytes(file_of([joined, vic, search | {"query": 7, "text": "Victoria"}, ada]))
    assert command("import", "shop-log", file).status == 3
    rejects = tmp_path / "home/rejects/shop.jsonl.jsonl"
    assert rejects.read_text().count("Victoria") == 2
    file.write_bytes(file_of([entry("regulars", 5, command="EraseMember", values={"member": "vic"})]))
    assert command("import", "shop-log", file).status == 0
    assert [json.loads(line)["line"] for line in rejects.read_text().splitlines()] == [4]
