"""``regulars price``: a cart in a file is priced, or each problem is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from streams.cli.main import regulars
from streams.queries.price_words import REASONS
from tests.aggregates.pricing.checker import objections

CART = Path(__file__).parents[2] / "docs/prices/cart.json"


def priced(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(regulars, ["price", *words])


def changed(folder: Path, old: str, new: str) -> str:
    """Write the example with a change and return its path."""
    text = CART.read_text()
    assert old in text
    file = folder / "cart.json"
    file.write_text(text.replace(old, new))
    return str(file)


def test_the_example_of_the_page_is_priced_as_the_page_says() -> None:
    done = priced(str(CART))
    assert done.exit_code == 0, done.output
    page = (CART.parents[1] / "prices.md").read_text()
    told = [line.strip() for line in done.output.splitlines() if "." in line]
    assert [line for line in told if line.startswith(("price ", "order ", "code ", "points ", "tax ", "To pay", "K3"))]
    for line in told:
        if not line.startswith(("A ", "B ", "C ")):
            assert line in page, line


def test_the_table_fits_into_80_columns() -> None:
    assert max(len(line) for line in priced(str(CART)).output.splitlines()) <= 80


def test_the_trace_as_json_passes_the_checker() -> None:
    trace = json.loads(priced(str(CART), "--json").stdout)
    assert trace["payable"] == 29080
    assert objections(trace) == []


def test_yen_are_shown_without_decimals(tmp_path: Path) -> None:
    file = tmp_path / "cart.json"
    file.write_text('{"currency": "JPY", "lines": [{"product": "tea", "price": 1980, "tax": "10 %"}]}')
    assert "To pay: 1,980 JPY, with tax of 180." in priced(str(file)).output


def test_what_is_missing_is_said_and_hinted_at(tmp_path: Path) -> None:
    file = tmp_path / "cart.json"
    file.write_text(
        '{"currency": "EUR", "lines": [{"product": "tea", "price": 29680}],'
        ' "campaigns": [{"id": "full", "terms": {"effect": {"fixed": 4000}, "when": {"amount": 30000}}}]}'
    )
    shown = priced(str(file)).output
    assert "full was not used: 3.20 is missing." in shown
    assert "Spend 3.20 more to get 40.00 off with full." in shown


def test_each_problem_is_named_with_its_line(tmp_path: Path) -> None:
    done = priced(changed(tmp_path, '"quantity": 2', '"quantity": 0'))
    assert done.exit_code == 1
    assert ":4:" in done.stderr
    assert "lines.0.quantity: must be from 1 to 10,000, not 0" in done.stderr


def test_a_currency_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "not a currency code" in priced(changed(tmp_path, '"EUR"', '"EURO"')).stderr


def test_a_product_twice_needs_ids(tmp_path: Path) -> None:
    assert "'A' is there twice" in priced(changed(tmp_path, '"product": "B"', '"product": "A"')).stderr


def test_a_file_that_is_not_there_is_a_sentence() -> None:
    assert "is no file" in priced("nothing.json").stderr


def test_every_reason_is_on_the_page() -> None:
    page = (CART.parents[1] / "prices.md").read_text()
    assert [reason for reason in REASONS if f"`{reason}`" not in page] == []
