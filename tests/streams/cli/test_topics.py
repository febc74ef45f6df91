"""``regulars topics`` in a home that has no use for them."""

from __future__ import annotations

from pathlib import Path

from tests.streams.conftest import Command


def test_an_embedded_home_is_told_that_it_needs_no_topics(command: Command) -> None:
    command("doctor")
    said = command("topics")
    assert said.status == 1
    assert "needs no topics" in said.err


def test_an_embedded_home_is_told_that_it_has_no_dead_letters(command: Command, tmp_path: Path) -> None:
    command("doctor")
    said = command("dead-letters", "list")
    assert said.status == 1
    assert "no Kafka, so no dead letters" in said.err
    assert not (tmp_path / "home/kafka").exists(), "none was started"
