"""A million views are evaluated within ten minutes a method and two gigabytes. Some minutes: `make verify`."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.main import regulars
from tests.streams.evaluating.planted import Shop

pytestmark = pytest.mark.slow

MOST_SECONDS, MOST_KILOBYTES = 600, 2 << 20


def test_a_million_views_take_ten_minutes_a_method_at_the_most_and_two_gigabytes(tmp_path: Path) -> None:
    file = Shop(members=0, products=30_000, visits=235_000, bots=20).write(tmp_path / "million.jsonl")
    out = tmp_path / "report.json"
    words = ("--task", "next-item", "--protocol", "prequential", "--methods", "g-pop,item-knn,v-sknn,vstan+revisit")
    result = CliRunner().invoke(regulars, ["evaluate", str(file), *words, "--json", str(out)])
    assert result.exit_code == 0, result.output
    told = json.loads(out.read_bytes())
    assert told["cases"] == 50_000
    for row in told["methods"]:
        assert row["cpu_seconds"] < MOST_SECONDS, row["method"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_KILOBYTES
