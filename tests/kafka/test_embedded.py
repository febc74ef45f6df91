"""The broker of a home: started once, and attached to by whoever comes. What it survives stands in test_kills."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infra.embedded.jars import LIST, jars, parse
from infra.embedded.kafka import EmbeddedKafka
from infra.errors import Misconfigured, Unreachable, Unreadable


def test_starting_twice_attaches_to_the_broker_that_runs(broker: EmbeddedKafka) -> None:
    process = broker.server_pid()
    assert process
    EmbeddedKafka(broker.directory, broker.cache).start()
    assert broker.server_pid() == process


def test_stopping_where_none_was_ever_started_is_no_fault(tmp_path: Path) -> None:
    nothing = EmbeddedKafka(tmp_path / "nothing", tmp_path)
    assert not nothing.stop()
    assert nothing.server_pid() is None
    assert not nothing.directory.exists()


def test_a_port_of_another_program_is_refused(tmp_path: Path) -> None:
    mine = EmbeddedKafka(tmp_path / "mine", tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(mine.bootstrap.split(":")[1])))
        other.listen()
        with pytest.raises(Misconfigured, match="Another program uses port"):
            mine.start()
        assert not mine.stop()


def test_its_ports_are_chosen_once(tmp_path: Path) -> None:
    mine, again = (EmbeddedKafka(tmp_path / "mine", tmp_path) for _ in range(2))
    assert mine.bootstrap == again.bootstrap
    (mine.directory / "ports").write_text("none")
    with pytest.raises(Unreadable, match="does not hold two port numbers"):
        assert again.bootstrap


def test_a_jar_that_is_not_what_it_should_be_is_not_run(broker: EmbeddedKafka, tmp_path: Path) -> None:
    listed = parse(LIST.read_text().splitlines())
    for jar in listed:
        (tmp_path / jar.file).symlink_to(broker.cache / jar.file)
    assert len(jars(tmp_path)) == len(listed)
    (tmp_path / listed[3].file).unlink()
    (tmp_path / listed[3].file).write_bytes(b"something else")
    with pytest.raises(Unreadable, match=rf"not the expected {listed[3].file}"):
        jars(tmp_path)


def test_without_a_network_and_without_jars_a_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(Unreachable, match=r"cannot be downloaded .*REGULARS_JARS"):
        jars(tmp_path / "jars")
    assert not list((tmp_path / "jars").iterdir())
