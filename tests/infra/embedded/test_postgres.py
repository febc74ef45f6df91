from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded.postgres import EmbeddedPostgres
from infra.errors import Misconfigured
from tests.packaged import forget

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[3]
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "home" / "postgres")
    server.start()
    yield server
    server.stop()
    forget(server)


def keep(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'yes' AS kept")


def kept(server: EmbeddedPostgres) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT kept FROM kept").fetchone()
        return row and row[0]


def test_starting_twice_attaches_to_the_server_that_runs_and_stopping_keeps_the_data(server: EmbeddedPostgres) -> None:
    process = server.server_pid()
    keep(server)
    server.start()
    EmbeddedPostgres(server.directory).start()
    assert server.server_pid() == process
    assert server.stop()
    assert server.server_pid() is None
    assert not server.stop(), "none runs"
    server.start()
    assert kept(server) == "yes"


KILLED_AFTERWARDS = """
import os, signal, sys
from pathlib import Path
from infra.embedded.postgres import EmbeddedPostgres
from tests.packaged import forget
EmbeddedPostgres(Path(sys.argv[1])).start()
os.kill(os.getpid(), signal.SIGKILL)
"""

KILLED_IN_THE_MIDST = """
import os, signal, subprocess, sys
from pathlib import Path
from infra.embedded import postgres
run = subprocess.run
def stopped(command, **told):
    subprocess.Popen(command, **{name: value for name, value in told.items() if name in ("env", "cwd", "user", "group")})
    os.kill(os.getpid(), signal.SIGKILL)
postgres.subprocess.run = stopped
postgres.EmbeddedPostgres(Path(sys.argv[1])).start()
"""


@pytest.mark.parametrize("program", [KILLED_AFTERWARDS, KILLED_IN_THE_MIDST], ids=["once it ran", "while its data was made"])
def test_whoever_started_it_may_be_killed_and_it_is_attached_to_again(tmp_path: Path, program: str) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    try:
        ended = subprocess.run(
            [sys.executable, "-c", program, str(server.directory)], cwd=ROOT, capture_output=True, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        before = server.server_pid()
        server.start()
        assert before in (None, server.server_pid())
        keep(server)
        assert kept(server) == "yes"
    finally:
        server.stop()
        forget(server)


def test_a_server_that_was_killed_is_started_again_with_what_was_committed(server: EmbeddedPostgres) -> None:
    keep(server)
    process = server.server_pid()
    assert process
    os.kill(process, signal.SIGKILL)
    while server.server_pid():
        pass
    server.start()
    assert server.server_pid() not in (process, None)
    assert kept(server) == "yes"


def test_a_server_of_another_directory_is_neither_used_nor_stopped(server: EmbeddedPostgres, tmp_path: Path) -> None:
    mine = EmbeddedPostgres(tmp_path / "mine")
    mine.directory.mkdir()
    mine.sockets.mkdir(exist_ok=True)
    try:
        (mine.sockets / ".s.PGSQL.5432").symlink_to(server.sockets / ".s.PGSQL.5432")
        for act in (mine.start, mine.stop):
            with pytest.raises(Misconfigured, match=f"Another server has the socket.*serves {server.data}"):
                act()
        assert server.server_pid()
    finally:
        forget(mine)


def test_stopping_where_none_was_ever_started_is_no_fault(tmp_path: Path) -> None:
    assert not EmbeddedPostgres(tmp_path / "nothing").stop()
    assert not (tmp_path / "nothing").exists()


def test_a_home_of_a_long_name_has_a_socket_too(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "/".join(["ünï 50%25 why?"] * 9))
    try:
        server.start()
        keep(server)
        assert kept(server) == "yes"
    finally:
        server.stop()
        forget(server)


def test_nobody_else_may_look_into_it_and_no_private_home_is_opened(server: EmbeddedPostgres, tmp_path: Path) -> None:
    for private in (tmp_path, server.directory, server.place, server.data, server.sockets):
        assert private.stat().st_mode & 0o077 == 0, private
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",), "no port is open"
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


@pytest.mark.skipif(not AS_ROOT, reason="only root has a place outside the home")
def test_a_home_may_be_moved_but_a_copy_of_it_may_not_share_its_server(server: EmbeddedPostgres, tmp_path: Path) -> None:
    copy = EmbeddedPostgres(tmp_path / "copy" / "postgres")
    shutil.copytree(server.directory, copy.directory)
    with pytest.raises(Misconfigured, match=f"is the PostgreSQL of {server.directory}"):
        copy.start()
    keep(server)
    moved = EmbeddedPostgres(tmp_path / "moved")
    server.directory.rename(moved.directory)
    moved.start()
    assert kept(moved) == "yes"
    moved.directory.rename(server.directory)
