"""No process outlives a test run, however the run ends.

Tests start servers, commands and workers, which start more. Each inherits a variable that names the run. A guard, which is tied
to the run by a pipe, waits for its end and then ends every process that has the variable.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

RUN = "TEST_RUN"  # not REGULARS_…: tests pass no such variable on to commands
LOOK = 1.0  # seconds between checks that the run is our parent
GRACE = 5.0  # seconds to end in an orderly way
QUIET = 3  # looks without a process, after which there will be none


def pytest_configure(config: pytest.Config) -> None:
    """Guard the run, once; what xdist starts belongs to it."""
    if not hasattr(config, "workerinput"):
        guard_this_run()


def guard_this_run() -> None:
    """Mark every process that this one starts from now on, and start the guard."""
    run = uuid4().hex
    os.environ[RUN] = f"{os.environ.get(RUN, '')}/{run}"  # a run within a run has both names
    tie, _ = os.pipe()  # the other end stays open for as long as this process lives
    guard = subprocess.Popen([sys.executable, __file__, run], stdin=tie, start_new_session=True)  # Ctrl-C is not for it
    guard.returncode = 0  # it outlives us, so Python must not warn that it still runs
    os.close(tie)


def marked(run: str) -> Iterator[int]:
    """Return the live processes of a run, without this one."""
    for pid, environment in environments():
        if run.encode() in environment and pid != os.getpid():
            yield pid


def environments() -> Iterator[tuple[int, bytes]]:
    """Return each process with the environment that it was started with, as far as we may read it."""
    if not Path("/proc/self/environ").exists():
        output = subprocess.run(["/bin/ps", "-axEww", "-o", "pid=,command="], capture_output=True, check=False).stdout
        for line in output.splitlines():
            yield int(line.split(None, 1)[0]), line
        return
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield int(process.name), (process / "environ").read_bytes()
        except OSError:  # it has ended, or belongs to another user
            continue


def end(run: str) -> None:
    """End the processes of a run, and those that they start meanwhile: by SIGINT, later by SIGKILL."""
    began, quiet = time.monotonic(), 0
    interrupted = set[int]()
    while quiet < QUIET:
        found = set(marked(run))
        quiet = 0 if found else quiet + 1
        for pid in found:
            patient = time.monotonic() - began < GRACE
            if not patient or pid not in interrupted:
                send(pid, signal.SIGINT if patient else signal.SIGKILL)
        interrupted |= found
        time.sleep(0.1)


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        return


def watch(run: str) -> None:
    """Wait for the end of the run that started this process, then end what it left."""
    parent = os.getppid()
    while os.getppid() == parent and not select.select([0], [], [], LOOK)[0]:
        pass
    end(run)


if __name__ == "__main__":
    watch(sys.argv[1])
