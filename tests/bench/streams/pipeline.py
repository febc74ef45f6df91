"""The whole way in processes of its own: a log, ``regulars relay``, Kafka, ``regulars worker``, Redis; a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.running.app import App, running

COMMAND = (sys.executable, "-c", "from streams.cli.main import main; main()")
PATIENCE = 60.0  # seconds
CALM = ('"level": "debug"', '"level": "info"', '"level": "warning"', "GroupCoordinatorNotAvailable")
"""What a line may have where all is well; the last as long as a new broker makes its own topic."""


@dataclass
class Pipeline:
    """``processes``: their ids by what they are. ``started``: commands that run, by their name."""

    app: App
    environment: Mapping[str, str]
    processes: dict[str, int]
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> int:
        """``regulars NAME`` beside the others; its process id."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen([*COMMAND, name], env=self.environment, stdout=subprocess.DEVNULL, stderr=log)
        self.started[name] = process
        self.processes[name] = process.pid
        return process.pid

    def log(self, name: str) -> Path:
        """What a command tells of itself."""
        return self.app.settings.home / f"{name}.log"

    def errors(self) -> Iterator[str]:
        """Lines that commands told which should not be told where all is well."""
        for name in self.started:
            for line in self.log(name).read_text(errors="replace").splitlines():
                if not any(calm in line for calm in CALM):
                    yield f"{name}: {line}"

    def stop(self) -> None:
        for process in self.started.values():
            process.send_signal(signal.SIGTERM)
        for process in self.started.values():
            process.wait(PATIENCE)


@contextmanager
def pipeline(started: Sequence[str] = ("relay", "worker")) -> Iterator[Pipeline]:
    """Servers and a log, with some commands started; all ended with the block, also when it is told to end."""
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder, ended_by_a_signal():
        settings = Settings(Path(folder))
        kafka, valkey = EmbeddedKafka(settings.broker, settings.jars), EmbeddedRedis(settings.valkey)
        way: Pipeline | None = None
        try:
            with running(settings) as app:
                environment = os.environ | {"REGULARS_HOME": folder}
                subprocess.run([*COMMAND, "topics"], env=environment, check=True, stdout=subprocess.DEVNULL)
                servers = {"kafka": kafka.server_pid() or 0, "redis": valkey.server_pid() or 0}
                way = Pipeline(app, environment, servers | {"writer": os.getpid()})
                for name in started:
                    way.start(name)
                yield way
        finally:
            if way is not None:
                way.stop()
            kafka.stop()
            valkey.stop()


@contextmanager
def ended_by_a_signal() -> Iterator[None]:
    """Being told to end is an exception like any other, so that no server is left behind."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
