"""``regulars up`` and the servers that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.running.app import open_log

START_TIMEOUT = 120  # seconds


def test_a_killed_cluster_leaves_no_server(tmp_path: Path, kafka_jars: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with open_log(Settings(home)):
        pass  # so that the log stays in a SQLite file
    servers = EmbeddedRedis(home / "valkey"), EmbeddedKafka(home / "kafka", kafka_jars)
    command = [sys.executable, "-c", "from streams.cli.main import main; main()", "up", "--workers", "1"]
    environment = {**os.environ, "REGULARS_HOME": str(home), "REGULARS_JARS": str(kafka_jars)}
    up = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not all(server.server_pid() for server in servers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert all(server.server_pid() for server in servers)
        up.kill()
        up.wait()
        while any(server.server_pid() is not None for server in servers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [server.server_pid() for server in servers] == [None, None]
    finally:
        up.kill()
        up.wait()
        for server in servers:
            server.stop()
