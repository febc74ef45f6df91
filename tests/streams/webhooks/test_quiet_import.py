"""An import that no webhook is told of, beside what goes on in the shop."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from aggregates.member import RegisterMember
from infra.event_log.types import Outcome
from infra.settings import Settings
from infra.webhooks.quiet import HELD_FOR
from streams.commands.request import Request
from streams.running.app import App, running
from streams.webhooks.messages import open_store
from streams.webhooks.quiet_import import import_handler
from streams.webhooks.sender import epoch_ms
from tests.journey.regulars import Regulars
from tests.streams.webhooks.receiver import Receiver
from tests.streams.webhooks.test_sender import Bench, positions

pytestmark = pytest.mark.servers


def register(member: str) -> Request:
    return Request(f"register-{member}", (RegisterMember(member=member, at=1),))


def accepted(outcomes: list[Outcome]) -> list[int]:
    """The positions of requests that were accepted."""
    assert all(outcome.accepted for outcome in outcomes)
    return [outcome.position for outcome in outcomes]


def bench_of(app: App, receiver: Receiver) -> Bench:
    bench = Bench(app.log, open_store(app.settings, app.keys), receiver.url)
    bench.now = epoch_ms()
    return bench


def test_what_a_quiet_import_appends_is_passed_over_and_the_rest_is_told(tmp_path: Path, receiver: Receiver) -> None:
    with running(Settings(tmp_path / "home")) as app:
        bench = bench_of(app, receiver)
        with closing(bench.store), import_handler(app, webhooks=False) as quiet:
            accepted(quiet.handle_all([register("a"), register("b")]))
            told = accepted(app.handler.handle_all([register("live")]))
            bench.sends()
            assert positions(receiver) == []  # the import may have appended it
            accepted(quiet.handle_all([register("c"), register("a")]))
            bench.sends()
            assert positions(receiver) == told
            again = accepted(app.handler.handle_all([register("later")]))
        bench.sends()
        assert positions(receiver) == told + again
        assert bench.store.replay(bench.made.id, 0)
        bench.sends()
        assert sorted(positions(receiver)) == sorted(2 * (told + again))
    Regulars(tmp_path / "home").run("stop")


def test_an_import_that_was_killed_holds_nothing_back_for_long(tmp_path: Path, receiver: Receiver) -> None:
    with running(Settings(tmp_path / "home")) as app:
        bench = bench_of(app, receiver)
        with closing(bench.store):
            bench.store.quiet.hold("killed", app.log.head(), bench.now)
            told = accepted(app.handler.handle_all([register("live")]))
            bench.sends(seconds=HELD_FOR / 1000 - 1)
            assert positions(receiver) == []
            bench.sends(seconds=2)
            assert positions(receiver) == told
    Regulars(tmp_path / "home").run("stop")


def test_the_option_of_the_console_keeps_a_file_quiet(tmp_path: Path, receiver: Receiver) -> None:
    regulars = Regulars(tmp_path / "home")
    lines = [{"type": "member", "id": f"m-{n}", "member_id": f"m-{n}", "at": "2024-05-01T10:00:00Z"} for n in range(3)]
    file = tmp_path / "shop.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert regulars.run("import", "shop-log", str(file), "--no-webhooks")[0] == 0
    with running(Settings(tmp_path / "home")) as app:
        bench = bench_of(app, receiver)
        with closing(bench.store):
            assert bench.store.replay(bench.made.id, 0)
            told = accepted(app.handler.handle_all([register("live")]))
            bench.sends()
            assert positions(receiver) == told
    regulars.run("stop")
