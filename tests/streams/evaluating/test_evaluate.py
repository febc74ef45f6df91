"""``regulars evaluate`` from end to end, over a shop made up for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models.evaluation.methods import TASKS, names_of
from streams.cli.main import regulars
from streams.evaluating import evaluation
from tests.streams.evaluating.planted import DAY, START, WEEK, Shop

MIDDLE = str(START + 8 * WEEK)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Shop().write(tmp_path_factory.mktemp("shop") / "planted.jsonl")


def run(*words: object) -> Result:
    return CliRunner().invoke(regulars, ["evaluate", *map(str, words)])


def report(file: Path, *words: object) -> dict[str, Any]:
    out = file.parent / "report.json"
    result = run(file, "--json", out, *words)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(out.read_bytes())
    return told


def by_name(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in told["methods"]}


@pytest.mark.usefixtures("implicit")
@pytest.mark.parametrize(
    ("task", "protocol"),
    [
        ("next-basket", ("last-basket",)),
        ("next-basket", ("holdout", "--test-from", MIDDLE)),
        ("cart-completion", ("last-basket",)),
        ("next-item", ("holdout", "--test-from", MIDDLE, "--freeze")),
    ],
    ids=str,
)
def test_every_method_of_a_task_has_a_row_after_ours(file: Path, task: str, protocol: tuple[str, ...]) -> None:
    told = report(file, "--task", task, "--protocol", *protocol, "--cases", 60)
    assert (told["task"], told["protocol"], told["cases"]) == (task, protocol[0], told["cases"])
    names = [row["method"] for row in told["methods"]]
    assert names[0] == "regulars"
    assert [name for name in names if not name.startswith("regulars")] == names_of(task)
    assert told["left_out"] == {}
    for row in told["methods"]:
        assert {"recall@10", "ndcg@10", "ndcg_min@20", "hr@20", "mrr@20", "f1@10", "coverage@10", "novelty@10"} <= row.keys()
        assert row["se"].keys() >= {"recall@10", "hr@20"}
        assert 0 <= row["recall@10"] <= row["recall@20"] <= 1
        assert row["ms_p50"] <= row["ms_p99"]
        assert ("versus_regulars" in row) == (row["method"] != "regulars")


def test_a_frequency_of_what_is_planted_is_found(file: Path) -> None:
    """Members buy their favourites again, so counts of their own beat what is popular, in every protocol."""
    for protocol in (("last-basket",), ("holdout", "--test-from", MIDDLE, "--freeze"), ("prequential",)):
        told = by_name(
            report(file, "--task", "next-basket", "--protocol", *protocol, "--methods", "g-pop,gp-top,trex,tifu-knn")
        )
        assert min(told[name]["recall@10"] for name in ("gp-top", "trex", "regulars")) > 2 * told["g-pop"]["recall@10"]
        assert told["trex"]["versus_regulars"]["recall@10"]["se"] < 0.05


def test_drift_punishes_what_never_forgets(file: Path) -> None:
    told = by_name(
        report(file, "--task", "next-basket", "--protocol", "last-basket", "--methods", "gp-top,decay-180-tuned,trex-tuned")
    )
    assert told["trex-tuned"]["ndcg@10"] > told["gp-top"]["ndcg@10"]
    assert told["decay-180-tuned"]["parameters"]["days"] < 180, "the tuning finds that favourites change"


def test_where_visits_lead_is_found(file: Path) -> None:
    words = ("--task", "next-item", "--protocol", "holdout", "--test-from", MIDDLE, "--freeze")
    told = by_name(report(file, *words, "--methods", "g-pop,revisit,transitions,vstan,vstan+revisit"))
    assert min(told[name]["hr@20"] for name in ("vstan", "transitions", "vstan+revisit")) > 2 * told["g-pop"]["hr@20"]
    assert told["revisit"]["recall_explore@20"] == 0
    assert told["revisit"]["recall_repeat@20"] > 0.8, "bots alone see more than twenty products"


def test_our_lists_are_written_a_line_a_case(file: Path, tmp_path: Path) -> None:
    top = tmp_path / "top.jsonl"
    told = report(file, "--task", "next-basket", "--protocol", "last-basket", "--methods", "g-pop", "--k", "5", "--top", top)
    lines = [json.loads(line) for line in top.read_text().splitlines()]
    orders = [json.loads(line) for line in file.read_text().splitlines()]
    last = {line["member_id"]: line for line in orders if line["type"] == "order"}
    assert len(lines) == told["cases"] == len(last)
    found = 0.0
    for line in lines:
        truth = {item["product_id"] for item in next(o for o in last.values() if o["order_id"] == line["case"])["lines"]}
        assert len(line["top"]) == len(set(line["top"])) == 5
        found += len(truth & set(line["top"])) / len(truth)
    assert found / len(lines) == pytest.approx(told["methods"][0]["recall@5"], abs=1e-6)


def test_visits_are_named_by_session_and_position(file: Path, tmp_path: Path) -> None:
    top = tmp_path / "top.jsonl"
    words = ("--task", "next-item", "--protocol", "prequential", "--methods", "revisit", "--top", top, "--min-prefix", 3)
    told = report(file, *words, "--cases", 100)
    names = [json.loads(line)["case"] for line in top.read_text().splitlines()]
    assert len(names) == told["cases"] == 100
    assert all(re.fullmatch(r"(s|bot)\d+#\d+", name) and int(name.partition("#")[2]) >= 3 for name in names)


def test_the_same_run_gives_the_same_figures(file: Path) -> None:
    words = (
        "--task",
        "next-item",
        "--protocol",
        "holdout",
        "--test-from",
        MIDDLE,
        "--methods",
        "vstan,item-knn",
        "--cases",
        50,
    )
    first, second = (report(file, *words) for _ in range(2))
    timed = {"ms_p50", "ms_p99", "seconds", "cpu_seconds", "memory_mb"}
    plain = [[{k: v for k, v in row.items() if k not in timed} for row in told["methods"]] for told in (first, second)]
    assert plain[0] == plain[1]


def test_orders_can_be_steps_of_visits(file: Path, tmp_path: Path) -> None:
    lines = [
        {"type": "view", "at": START, "session_id": "s", "product_id": "tea"},
        {
            "type": "order",
            "at": START + 1,
            "session_id": "s",
            "order_id": "o",
            "lines": [{"product_id": "tea"}, {"product_id": "pot"}],
        },
        {"type": "view", "at": START + 2, "session_id": "s", "product_id": "cup"},
    ]
    path = tmp_path / "shop.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ("--task", "next-item", "--protocol", "prequential", "--methods", "revisit")
    assert report(path, *words)["cases"] == 1
    told = by_name(report(path, *words, "--types", "view,order"))
    assert told["revisit"]["recall@10"] == 0.25  # half of the order in the first of two cases


def test_the_page_stands_alone(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    report(file, "--task", "next-basket", "--protocol", "prequential", "--methods", "g-pop,trex", "--html", page, "--cases", 90)
    text = page.read_text()
    assert not re.search(r"<script|https?://|src=|@import|<link", text)
    assert text.count("<svg") == text.count("</svg>") == 2
    assert "Over time" in text
    assert all(f">{name}<" in text for name in ("regulars", "regulars:repeat", "g-pop", "trex"))


def test_without_the_extra_its_methods_are_left_out_and_it_is_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "installed", lambda: False)
    result = run(file, "--task", "next-basket", "--protocol", "last-basket", "--methods", "g-pop,als,bpr-tuned")
    assert result.exit_code == 0
    assert "left out: als: not installed: pip install 'regulars[evaluate]'" in result.output
    assert "left out: bpr-tuned: not installed" in result.output


def test_nothing_is_tuned_where_nothing_is_before_the_test(file: Path) -> None:
    words = ("--task", "next-basket", "--protocol", "prequential", "--cases", 60)
    told = report(file, *words, "--methods", "trex,trex-tuned")
    assert "--test-from" in told["left_out"]["trex-tuned"]
    later = report(file, *words, "--methods", "trex-tuned", "--test-from", MIDDLE)
    assert "trex-tuned" in by_name(later)


def test_tuning_sees_nothing_of_the_test(file: Path, tmp_path: Path) -> None:
    """The same parameters are chosen when everything from the instant on is another shop's."""
    words = ("--task", "next-basket", "--protocol", "holdout", "--test-from", MIDDLE, "--methods", "trex-tuned,tifu-knn-tuned")

    before = [line for line in file.read_text().splitlines() if json.loads(line)["at"] < int(MIDDLE)]
    other = tmp_path / "other.jsonl"
    after = [
        {"type": "order", "at": int(MIDDLE) + n * DAY, "order_id": f"x{n}", "member_id": "m1", "lines": [{"product_id": "p77"}]}
        for n in range(9)
    ]
    other.write_text("\n".join([*before, *map(json.dumps, after)]))
    chosen = [
        {name: row["parameters"] for name, row in by_name(report(path, *words)).items() if "parameters" in row}
        for path in (file, other)
    ]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "next-item", "--protocol", "last-basket"), "Visits have no last basket"),
        (("--task", "next-basket", "--protocol", "holdout"), "holdout needs --test-from"),
        (("--task", "next-basket", "--protocol", "prequential", "--freeze"), "--freeze belongs to holdout"),
        (("--task", "next-basket", "--protocol", "last-basket", "--test-from", MIDDLE), "goes without --test-from"),
        (("--task", "next-basket", "--protocol", "last-basket", "--methods", "vstan"), "There is no method 'vstan' here"),
        (("--task", "next-item", "--protocol", "prequential", "--types", "look"), "There is no type 'look' here"),
        (("--task", "next-item", "--protocol", "holdout", "--test-from", "2014-04-07"), "has no offset"),
        (("--task", "next-item", "--protocol", "prequential", "--k", "0"), "from 1 on"),
        (("--task", "next-item", "--protocol", "prequential", "--k", "ten"), "name lengths"),
    ],
)
def test_what_does_not_go_together_is_refused(file: Path, words: tuple[str, ...], said: str) -> None:
    result = run(file, *words)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_test_after_the_last_event_has_no_case_and_says_so(file: Path) -> None:
    result = run(file, "--task", "next-basket", "--protocol", "holdout", "--test-from", START + 99 * WEEK)
    assert result.exit_code == 0
    assert "No case" in result.output


def test_every_tuned_method_has_other_sets_and_no_set_twice() -> None:
    for task, entries in TASKS.items():
        for name in names_of(task):
            if name.endswith("-tuned"):
                assert len(entries[name.removesuffix("-tuned")].grid()) > 2
