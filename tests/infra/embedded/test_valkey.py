from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from infra.embedded import valkey
from infra.embedded.server_files import LONGEST_SOCKET
from infra.embedded.valkey import EmbeddedRedis, connect
from infra.errors import Misconfigured, Unreachable


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


def kept(server: EmbeddedRedis) -> bytes | None:
    with connect(server.url) as client:
        found: bytes | None = client.get("kept")
        return found


def keep(server: EmbeddedRedis) -> None:
    with connect(server.url) as client:
        client.set("kept", "yes")


def test_starting_twice_attaches_to_the_server_that_runs(server: EmbeddedRedis) -> None:
    process = server.server_pid()
    keep(server)
    server.start()
    EmbeddedRedis(server.directory).start()
    assert server.server_pid() == process
    assert kept(server) == b"yes"


def test_it_outlives_whoever_started_it_and_keeps_what_it_was_told_when_killed(server: EmbeddedRedis) -> None:
    keep(server)
    process = server.server_pid()
    assert process
    os.kill(process, signal.SIGKILL)
    while server.server_pid() is not None:
        pass
    server.start()
    assert server.server_pid() not in (process, None)
    assert kept(server) == b"yes"


def test_stopping_ends_it_and_starting_again_brings_the_data_back(server: EmbeddedRedis) -> None:
    keep(server)
    assert server.stop()
    assert server.server_pid() is None
    assert not server.stop(), "none runs"
    server.start()
    assert kept(server) == b"yes"


def test_one_that_stands_still_is_waited_for_and_not_taken_for_none(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = server.server_pid()
    assert process
    monkeypatch.setattr(valkey, "ANSWER_TIMEOUT", 0.1)
    monkeypatch.setattr(valkey, "START_TIMEOUT", 0.3)
    os.kill(process, signal.SIGSTOP)
    try:
        assert server.server_pid() == 0
        for act in (server.start, server.stop):
            with pytest.raises(Unreachable, match=r"does not answer; its log is .*valkey\.log"):
                act()
    finally:
        os.kill(process, signal.SIGCONT)
    monkeypatch.setattr(valkey, "START_TIMEOUT", 60.0)
    server.start()
    assert server.server_pid() == process


def test_stopping_where_none_was_ever_started_is_no_fault(tmp_path: Path) -> None:
    assert not EmbeddedRedis(tmp_path / "nothing").stop()
    assert not (tmp_path / "nothing").exists()


def test_a_server_of_another_directory_is_neither_used_nor_stopped(server: EmbeddedRedis, tmp_path: Path) -> None:
    mine = EmbeddedRedis(tmp_path / "mine")
    mine.directory.mkdir()
    mine.socket.symlink_to(server.socket)
    for act in (mine.start, mine.stop):
        with pytest.raises(Misconfigured, match=f"Another server has the socket.*serves {server.directory}"):
            act()
    assert server.server_pid()


@pytest.mark.parametrize("name", ["a home with spaces", "/".join(["a-very-long-name-of-a-directory"] * 5)])
def test_it_starts_below_a_home_of_any_length(tmp_path: Path, name: str) -> None:
    begins_and_ends(EmbeddedRedis(tmp_path / name))


def test_a_name_of_few_letters_and_many_bytes_is_long(tmp_path: Path) -> None:
    """The kernel counts a socket's name in bytes."""
    directory = tmp_path / ("漢" * (LONGEST_SOCKET - len(str(tmp_path / "x" / "redis.sock"))))
    begins_and_ends(EmbeddedRedis(directory))


def begins_and_ends(server: EmbeddedRedis) -> None:
    try:
        server.start()
        keep(server)
        assert kept(server) == b"yes"
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["a home", "50%25 off", "why?", "shop#1", "ünï"])
def test_its_address_leads_to_its_socket_whatever_the_home_is_called(tmp_path: Path, name: str) -> None:
    server = EmbeddedRedis(tmp_path / name)
    with redis.Redis.from_url(server.url) as client:
        assert client.connection_pool.connection_kwargs["path"] == str(server.socket)


def test_two_long_homes_have_two_sockets(tmp_path: Path) -> None:
    one, two = (EmbeddedRedis(tmp_path / ("n" * 100) / name) for name in ("one", "two"))
    assert one.socket != two.socket
    assert len(str(one.socket)) <= 100


def test_nobody_else_may_look_into_it(server: EmbeddedRedis) -> None:
    assert server.directory.stat().st_mode & 0o077 == 0
    assert server.socket.stat().st_mode & 0o077 == 0
    with connect(server.url) as client:
        assert client.config_get("port") == {"port": "0"}, "no port is open"
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_a_client_of_a_stopped_server_is_told_so(server: EmbeddedRedis) -> None:
    with connect(server.url) as client:
        server.stop()
        with pytest.raises(redis.exceptions.ConnectionError):
            client.ping()
