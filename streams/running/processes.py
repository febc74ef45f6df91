"""Child processes, each with a log file and tied to this process, and a supervisor that restarts them.

A child's standard input is a pipe from its parent. When the pipe ends, however the parent ended, the child ends too.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.private_files import PRIVATE_DIRECTORY, open_private

STOP_TIMEOUT = 10.0  # seconds a process may take to end before it is killed
RESTART_PAUSES = (0.0, 1.0, 2.0, 5.0)  # seconds before each restart; the last one repeats
STABLE_AFTER = 30.0  # seconds after which a start counts as successful

COMMAND = "from streams.cli.main import main; main()"


@dataclass
class ManagedProcess:
    """``code``: the Python to run, with ``words`` as its arguments. ``once``: it may end by itself, with ``ended``.

    ``answers``: what it writes to its standard output is ours to read, and not for its log.
    """

    name: str
    log: Path
    code: str = COMMAND
    words: Sequence[str] = ()
    once: bool = False
    answers: bool = False
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    began: float = 0.0
    ended: int | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status, None while it runs."""
        return self.process.poll() if self.process else None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self, environment: Mapping[str, str] | None = None, fresh_log: bool = False) -> None:
        """Start it. Raises :class:`OSError` if it cannot be started."""
        self.release()
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
        with open(self.log, "wb" if fresh_log else "ab", opener=open_private) as file:
            self.process = subprocess.Popen(  # noqa: S603 - our own code
                [sys.executable, "-c", self.code, *self.words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if self.answers else file,
                stderr=file,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
            )
        self.began = time.monotonic()

    def send(self, message: object) -> None:
        """Send a pickled message to its standard input, unless it has ended."""
        if self.process and self.process.stdin:
            with suppress(OSError):
                pickle.dump(message, self.process.stdin)
                self.process.stdin.flush()

    def release(self) -> None:
        """Close the pipe that ties it to us, so that it ends."""
        if self.process and self.process.stdin:
            with suppress(OSError):
                self.process.stdin.close()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it has ended, or so many seconds."""
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)

    def last_log_line(self) -> str:
        """Return the last line of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else ""


@dataclass
class ProcessSupervisor:
    """Runs ``regulars`` commands. ``environment``: variables that children get besides ours."""

    folder: Path
    environment: Mapping[str, str]
    kept: list[ManagedProcess] = field(default_factory=list)

    def start(self, name: str, *words: str, once: bool = False) -> ManagedProcess:
        """Start a command and keep it running, unless it may end ``once``."""
        made = ManagedProcess(name, self.folder / f"{name}.log", words=("--tied", *words), once=once)
        made.start(self.environment)
        self.kept.append(made)
        return made

    def tend(self) -> None:
        """Restart processes that have died. Call it regularly."""
        now = time.monotonic()
        for one in self.kept:
            if one.running or one.ended is not None:
                continue
            if one.once and one.process:
                one.ended = one.process.returncode
                continue
            failures = 0 if now - one.began > STABLE_AFTER else one.failures
            if now - one.began >= RESTART_PAUSES[min(failures, len(RESTART_PAUSES) - 1)]:
                one.failures = failures + 1
                one.start(self.environment)

    def stop(self) -> None:
        """End all processes, the latest first. Kill those that do not end in time."""
        for one in reversed(self.kept):
            one.release()
            if one.running and one.process:
                one.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        for one in self.kept:
            one.wait(max(0.1, deadline - time.monotonic()))
            if one.running and one.process:
                one.process.kill()
                one.process.wait()


def tie_to_parent() -> None:
    """End this process as SIGTERM would, once its standard input ends."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="tied", daemon=True).start()
