"""What embedded servers share: a lock, a directory for the socket, and the process and owner of a running server."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

from infra.errors import Misconfigured

LONGEST_SOCKET = 100  # bytes; the kernel's limit is 108
CREDENTIALS = struct.Struct("3i")  # process, user and group of the server


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of a server's directory, so that two commands cannot start two servers on it."""
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def socket_directory(directory: Path, name: str) -> Path:
    """Return the directory of a server's socket: its own, or a private temporary one if the path would be too long."""
    if len(os.fsencode(directory / name)) <= LONGEST_SOCKET:
        return directory
    return Path(gettempdir()) / f"regulars-{sha256(os.fsencode(directory)).hexdigest()[:16]}"


def make_socket_directory(directory: Path) -> None:
    """Create a socket's directory, which only we may enter."""
    directory.mkdir(exist_ok=True, mode=0o700)


def check_socket_directory(directory: Path, owners: set[int]) -> None:
    """Raise :class:`Misconfigured` if another user owns a socket's directory, or could put a socket there.

    In the temporary folder anybody may create the directory that we would use.
    """
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or stat.S_IMODE(found.st_mode) & 0o022:
        raise Misconfigured(
            f"{directory} is for the socket of this home's server, but another user owns it or may write there: remove it, or "
            "choose a REGULARS_HOME with a shorter path."
        )


def check_server(path: Path, owners: set[int]) -> int | None:
    """Return the process that listens on a Unix socket; None if nothing does, or the system cannot tell.

    Raises :class:`Misconfigured` if it belongs to another user. Nothing is sent to it.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    with socket.socket(socket.AF_UNIX) as tried:
        tried.settimeout(1)
        try:
            tried.connect(str(path))
        except OSError:
            return None
        process, user, _ = CREDENTIALS.unpack(tried.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    if user not in owners:
        raise Misconfigured(f"The server at {path} belongs to another user ({user}): it is not used and not stopped.")
    return int(process)
