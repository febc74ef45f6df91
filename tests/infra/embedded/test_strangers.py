"""A server that another user started, in the place where ours would be, is neither used nor stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest

from infra.embedded.server_files import check_server, check_socket_directory, make_socket_directory, socket_directory
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Misconfigured

NOBODY = 65534
LISTENS = f"""
import os, socket, sys, time
os.setgid({NOBODY}); os.setuid({NOBODY})
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1]); server.listen(); os.chmod(sys.argv[1], 0o777)
print("listening", flush=True)
time.sleep(600)
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def long_home(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / ("n" * 100) / "valkey")
    yield server
    for path in (server.socket, server.socket.parent):
        if path.exists():
            path.unlink() if not path.is_dir() else path.rmdir()


@needs_root
@pytest.mark.parametrize("act", ["start", "stop", "server_pid"])
def test_a_stranger_who_bound_the_socket_first_gets_nothing(long_home: EmbeddedRedis, act: str) -> None:
    long_home.directory.mkdir(parents=True)
    stranger = subprocess.Popen([sys.executable, "-c", LISTENS, str(long_home.socket)], stdout=subprocess.PIPE)
    try:
        assert stranger.stdout
        assert stranger.stdout.readline() == b"listening\n"
        with pytest.raises(Misconfigured, match="another user"):
            getattr(long_home, act)()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.communicate()


@needs_root
def test_a_socket_of_a_stranger_in_our_folder_is_refused_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        if parent != Path(gettempdir()):  # which is everybody's
            parent.chmod(0o755)
    path = tmp_path / "s"
    stranger = subprocess.Popen([sys.executable, "-c", LISTENS, str(path)], stdout=subprocess.PIPE)
    try:
        assert stranger.stdout
        stranger.stdout.readline()
        with pytest.raises(Misconfigured, match=rf"another user \({NOBODY}\): it is not used and not stopped"):
            check_server(path, {os.geteuid()})
    finally:
        stranger.kill()
        stranger.communicate()


def test_a_long_home_has_a_folder_that_only_its_owner_may_enter(long_home: EmbeddedRedis) -> None:
    try:
        long_home.start()
        assert long_home.socket.parent.stat().st_mode & 0o777 == 0o700
        assert long_home.server_pid()
    finally:
        long_home.stop()


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "place"
    make_socket_directory(place)
    check_socket_directory(place, {os.geteuid()})
    place.chmod(0o777)
    with pytest.raises(Misconfigured, match="may write there"):
        check_socket_directory(place, {os.geteuid()})
    place.rmdir()
    place.symlink_to(tmp_path)
    with pytest.raises(Misconfigured, match="another user owns it"):
        check_socket_directory(place, {os.geteuid()})


def test_only_a_path_that_is_too_long_leaves_the_home(tmp_path: Path) -> None:
    assert socket_directory(tmp_path, "s") == tmp_path
    assert socket_directory(tmp_path / ("n" * 100), "s") != socket_directory(tmp_path / ("m" * 100), "s")
