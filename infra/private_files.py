"""Files that only their owner may read, in any folder and with any umask."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from infra.errors import Misconfigured

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700


def make_home(home: Path) -> None:
    """Create a home if it does not exist. Raises :class:`Misconfigured` if it cannot be used as one."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
    except FileExistsError:
        raise Misconfigured(f"REGULARS_HOME is {home}, which is not a directory: choose another.") from None
    except OSError as fault:
        raise Misconfigured(f"REGULARS_HOME is {home}, which cannot be created ({fault.strerror}): choose another.") from None


def make_private(path: Path) -> None:
    """Create a file, or take the others' rights from one that exists. Raises :class:`Misconfigured` if that is not possible."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, PRIVATE_FILE))
        restrict(path)
    except OSError as fault:
        raise Misconfigured(f"{path} cannot be opened ({fault.strerror}): see who owns it and its directory.") from None


def restrict(path: Path) -> None:
    """Take the others' rights from a file of ours; another owner's is left as it is."""
    found = path.stat()
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(PRIVATE_FILE)


def open_private(path: str, flags: int) -> int:
    """Open a file, for the ``opener`` of :func:`open`: a new one is private."""
    return os.open(path, flags, PRIVATE_FILE)
