"""The programs in the docs run and print what their pages say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aggregates.member import RegisterMember
from aggregates.order.decider import PayOrder
from aggregates.order.events import OrderLine
from aggregates.order.placing import PlaceOrder
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App
from tests.shop import START

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "first-program.md").read_text()
READ_MODELS = (DOCS / "read-models.md").read_text()
PARTS = re.findall(r"^```(python)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_first_program_prints_what_the_page_says(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(settings.home))
    monkeypatch.setenv("REDIS_URL", str(settings.redis_url))
    names: dict[str, Any] = {}
    compared = 0
    for language, text in PARTS:
        if language:
            exec(compile(text, "docs/first-program.md", "exec"), names)  # noqa: S102 - our own page
        else:
            expected = re.escape(text).replace(re.escape("..."), ".+")
            assert re.fullmatch(expected, printed := capsys.readouterr().out), printed
            compared += 1
    assert compared >= 5


def test_the_redis_example_of_the_read_models_runs(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With member 1057 in place of the demo's."""
    bought = PlaceOrder("o", (OrderLine("tea", 1, gross=500, total=500, paid=500),), "USD", START, member="1057")
    assert app.handler.handle(Request("o", (RegisterMember("1057", START), bought, PayOrder("o", START)))).accepted
    app.follower().catch_up()
    (example,) = re.findall(r"^```python\n(.*?)^```$", READ_MODELS, re.MULTILINE | re.DOTALL)
    named = re.sub(r'from_url\("[^"]+"\)', f'from_url("{app.settings.redis_url}")', example)
    exec(compile(named, "docs/read-models.md", "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out.splitlines() == ["member 0", "tea You bought this before", "['paid']"]
