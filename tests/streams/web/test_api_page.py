"""docs/api.md as a newcomer would follow it: its lines are run, in order, against a new home."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.streams.web.client import Served

PAGE = Path(__file__).parents[3] / "docs/api.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def answers_of(served: Served, blocks: int) -> list[Any]:
    """Return what the page's first ``blocks`` of lines answer, run one after another in one shell."""
    script = "".join(BLOCK.findall(PAGE.read_text())[:blocks])
    settings = f"export URL=http://127.0.0.1:{served.port} KEY={served.key}"
    lines = [settings if line.startswith("export URL=") else line for line in script.splitlines()]
    done = subprocess.run(
        ["/bin/bash", "-eo", "pipefail", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def test_the_lines_of_the_page_lead_to_points_a_list_an_exchange_and_a_refund(served: Served) -> None:
    answers = answers_of(served, blocks=2)
    card, why, composed = answers[5:8]
    assert card["pending"] == 39
    assert [step["event"] for step in why["steps"] if step["event"]] == ["PointsGranted"]
    assert [item["product"] for item in composed["items"]] == ["tea"]
    preview = next(answer for answer in answers if "to_pay" in answer)
    assert (preview["credit"], preview["to_pay"]) == (1791, 2189)
    assert [step["said"].partition(":")[0] for step in answers[-1]["steps"] if step["what"] == "refund"] == [
        "x-1",
        "x-1",
        "r-1",
    ]


def test_every_status_of_the_page_has_a_title() -> None:
    from streams.web.sentences import TITLES

    told = {int(status) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE.read_text(), re.MULTILINE) for status in row.split(",")}
    assert told <= set(TITLES)
