"""Ctrl-C, or a kill, in the middle of a test run leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from infra.settings import jar_cache
from tests.reaper import RUN, marked

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]

CONFTEST = "from tests.reaper import pytest_configure\n"
RUNNING = """
import subprocess, sys, time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.jars import LIST, parse
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis

JARS = Path({jars!r})

@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    started = [EmbeddedRedis(tmp_path_factory.mktemp("valkey")), EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))]
    if all((JARS / jar.file).exists() for jar in parse(LIST.read_text().splitlines())):
        started.append(EmbeddedKafka(tmp_path_factory.mktemp("kafka"), JARS))
    for server in started:
        server.start()
    yield started
    for server in started:
        server.stop()

def test_that_hangs(servers, tmp_path):
    home = {{"REGULARS_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", {run!r}: __import__("os").environ[{run!r}]}}
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", "follow"]
    with subprocess.Popen(command, env=home, cwd={root!r}):
        while not (tmp_path / "valkey" / "redis.sock").exists():
            time.sleep(0.05)
        Path({ready!r}).touch()
        time.sleep(600)
"""


@pytest.mark.parametrize("how", ["SIGINT to all, as Ctrl-C", "SIGKILL to the run alone"])
def test_an_interrupted_test_run_leaves_no_process(how: str, tmp_path: Path) -> None:
    ready, name = tmp_path / "ready", f"nested-{uuid4().hex}"
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_servers.py").write_text(RUNNING.format(jars=str(jar_cache()), run=RUN, root=str(ROOT), ready=str(ready)))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "1",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environment = {**os.environ, RUN: f"{os.environ.get(RUN, '')}/{name}", "PYTHONPATH": str(ROOT)}
    with (tmp_path / "output").open("wb") as output:
        run = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output, start_new_session=True)
    until(ready.exists, 120, tmp_path)
    assert len(list(marked(name))) >= 5, "a run, a worker, a command, its server and those of the tests"
    if how.startswith("SIGINT"):
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.kill()
    run.wait(60)
    until(lambda: not list(marked(name)), 60, tmp_path)


def until(true: Callable[[], bool], seconds: float, folder: Path) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, (folder / "output").read_text()
        time.sleep(0.1)
