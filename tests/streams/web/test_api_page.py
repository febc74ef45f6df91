"""docs/api.md as a newcomer would follow it: its lines are run, in order, against a new home."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.streams.web.client import Served

PAGE = Path(__file__).parents[3] / "docs/api.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_lines_of_the_page_lead_to_points_and_a_list(served: Served) -> None:
    script = BLOCK.findall(PAGE.read_text())[0]
    settings = f"export URL=http://127.0.0.1:{served.port} KEY={served.key}"
    lines = [settings if line.startswith("export URL=") else line for line in script.splitlines()]
    done = subprocess.run(
        ["/bin/bash", "-eo", "pipefail", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    card, why, composed = answers[-3:]
    assert card["pending"] == 39
    assert [step["event"] for step in why["steps"] if step["event"]] == ["PointsGranted"]
    assert [item["product"] for item in composed["items"]] == ["tea"]


def test_every_status_of_the_page_has_a_title() -> None:
    from streams.web.sentences import TITLES

    told = {int(status) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE.read_text(), re.MULTILINE) for status in row.split(",")}
    assert told <= set(TITLES)
