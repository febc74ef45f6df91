"""Processes of ours that are kept running: each with a log file, started again if it dies, ended with whoever started it.

A child is tied to its parent by its standard input: when that ends, however the parent ended, so does the child.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 10.0  # seconds a process may take to end before it is killed
PAUSES = (0.0, 1.0, 2.0, 5.0)  # seconds before it is started again; the last for ever
STEADY = 30.0  # seconds after which a process counts as having started well


@dataclass
class Kept:
    """``words``: the command of ``regulars``. ``once``: it may end by itself. ``ended``: its exit status, if it did."""

    name: str
    words: Sequence[str]
    log: Path
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    began: float = 0.0
    ended: int | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, environment: Mapping[str, str]) -> None:
        self.let_go()
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-c", "from streams.cli.main import main; main()", "--tied", *self.words],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                env={**os.environ, **environment},
                start_new_session=True,  # Ctrl-C is for the parent, who ends the others in their order
            )
        self.began = time.monotonic()

    def let_go(self) -> None:
        """Close our end of the tie; the process ends, if it has not yet."""
        if self.process and self.process.stdin:
            self.process.stdin.close()

    def last_words(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else ""


@dataclass
class Processes:
    """``environment``: what children are told besides our own."""

    folder: Path
    environment: Mapping[str, str]
    kept: list[Kept] = field(default_factory=list)

    def start(self, name: str, *words: str, once: bool = False) -> Kept:
        self.folder.mkdir(parents=True, exist_ok=True)
        made = Kept(name, words, self.folder / f"{name}.log", once)
        made.start(self.environment)
        self.kept.append(made)
        return made

    def tend(self) -> None:
        """Start again what has died; call it every now and then."""
        now = time.monotonic()
        for one in self.kept:
            if one.running or one.ended is not None:
                continue
            if one.once and one.process:
                one.ended = one.process.returncode
                continue
            failures = 0 if now - one.began > STEADY else one.failures
            if now - one.began >= PAUSES[min(failures, len(PAUSES) - 1)]:
                one.failures = failures + 1
                one.start(self.environment)

    def stop(self) -> None:
        """End all, the latest first; what does not end is killed."""
        for one in reversed(self.kept):
            one.let_go()
            if one.running and one.process:
                one.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for one in self.kept:
            if one.process:
                try:
                    one.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    one.process.kill()
                    one.process.wait()


def tie_to_parent() -> None:
    """End this process, as if asked to, when its standard input ends."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="tied", daemon=True).start()
