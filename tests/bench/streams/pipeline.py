"""The whole way in processes of its own: a log, ``regulars relay``, Kafka, ``regulars worker``, Redis; a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.packaged.kafka import EmbeddedKafka
from infra.packaged.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.bootstrap import App, running

COMMAND = (sys.executable, "-c", "from streams.cli.main import main; main()")
PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Pipeline:
    """``processes``: their ids by what they are."""

    app: App
    processes: Mapping[str, int]


@contextmanager
def pipeline() -> Iterator[Pipeline]:
    """All of it started, and ended with the block."""
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        settings = Settings(Path(folder))
        kafka, valkey = EmbeddedKafka(settings.broker, settings.jars), EmbeddedRedis(settings.valkey)
        started: dict[str, subprocess.Popen[bytes]] = {}
        try:
            with running(settings) as app:
                environment = os.environ | {"REGULARS_HOME": folder}
                subprocess.run([*COMMAND, "topics"], env=environment, check=True, stdout=subprocess.DEVNULL)
                for name in ("relay", "worker"):
                    started[name] = subprocess.Popen([*COMMAND, name], env=environment, stdout=subprocess.DEVNULL)
                servers = {"kafka": kafka.serving() or 0, "redis": valkey.serving() or 0}
                yield Pipeline(
                    app, servers | {name: process.pid for name, process in started.items()} | {"writer": os.getpid()}
                )
        finally:
            for process in started.values():
                process.send_signal(signal.SIGTERM)
            for process in started.values():
                process.wait(PATIENCE)
            kafka.stop()
            valkey.stop()
